"""What the docs call helm and kubectl with is what these programs take."""

import subprocess

import pytest
from scripts.go_tools import ToolUnavailable, program

from tests.docs_programs import KNOWN

from .conftest import unavailable


@pytest.mark.parametrize(("name", "subcommand"), [(name, one) for name in ("helm", "kubectl") for one in KNOWN[name]])
def test_subcommands_and_flags_are_there(name: str, subcommand: str) -> None:
    """By their own help."""
    try:
        tool = program(name)
    except ToolUnavailable as reason:
        unavailable(reason)
    done = subprocess.run([tool, *subcommand.split(), "--help"], capture_output=True, text=True, check=True)
    shown = done.stdout + subprocess.run([tool, "options"], capture_output=True, text=True, check=False).stdout
    words = shown.replace(",", " ").replace("=", " ").split()
    assert f"{name} {subcommand}" in shown
    assert [flag for flag in KNOWN[name][subcommand].split() if flag not in words] == []
