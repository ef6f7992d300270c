"""Checkov in the user's cache, in a Python environment of its own."""

from pathlib import Path

from scripts.go_tools import ToolUnavailable

from darkroom_local.emulator_environment import EmulatorUnavailable, environment_python

_LOCK = Path(__file__).parents[2] / "requirements" / "checkov.txt"


def checkov() -> Path:
    """Path of checkov, installed once (ten seconds, 260 MB).

    Raises:
        ToolUnavailable: it could not be installed.
    """
    try:
        return environment_python(_LOCK).parent / "checkov"
    except EmulatorUnavailable as reason:
        raise ToolUnavailable(str(reason)) from reason
