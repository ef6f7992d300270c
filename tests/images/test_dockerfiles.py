"""Dockerfiles as hadolint wants them."""

import subprocess
from pathlib import Path

import pytest
from scripts.bootstrap import ROOT
from scripts.images import NAMES

from darkroom_local.emulator_environment import EmulatorUnavailable, environment_python
from tests.images.missing import missing

# Packages of Debian are as fresh as the base image, whose tag moves for that; a version here would break with each fix.
_LEFT_OUT = ("DL3008",)


@pytest.mark.parametrize("name", NAMES)
def test_a_dockerfile_is_well_made(name: str) -> None:
    """No finding of any severity but those that are left out with a reason."""
    try:
        hadolint = environment_python(ROOT / "requirements" / "image-tools.txt").parent / "hadolint"
    except EmulatorUnavailable as reason:
        missing(str(reason))
    ignored = [word for rule in _LEFT_OUT for word in ("--ignore", rule)]
    command: list[str | Path] = [hadolint, *ignored, ROOT / "images" / name / "Dockerfile"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
