"""Checkov over all of terraform/."""

import os
import subprocess

from scripts.go_tools import ToolUnavailable

from tests.terraform.modules import ROOT, unavailable
from tests.terraform.tools import checkov


def test_checkov_finds_nothing() -> None:
    """Nothing that it knows to be unsafe; each exception says why where it stands."""
    try:
        path = checkov()
    except ToolUnavailable as reason:
        unavailable(reason)
    command = [str(path), "--directory", str(ROOT), "--framework", "terraform", "--quiet", "--compact"]
    # It looks for a platform's guidelines on the internet, in vain where there is none; nothing else is asked for.
    environ = {**os.environ, "LOG_LEVEL": "CRITICAL"}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Passed checks" in done.stdout
