"""Linters of Terraform in the user's cache: tflint by the Go toolchain, checkov in a Python environment of its own."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from darkroom_local.emulator_environment import EmulatorUnavailable, environment_python

_TFLINT = "0.64.0"
_LOCK = Path(__file__).parents[2] / "requirements" / "checkov.txt"


class ToolUnavailable(Exception):
    """A linter cannot be had here; the message says why."""


def tflint() -> Path:
    """Path of tflint, built once (two minutes).

    Raises:
        ToolUnavailable: there is no Go toolchain, or it could not build it.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "darkroom"
    built = cache / f"tflint-{_TFLINT}"
    if built.exists():
        return built
    if (go := shutil.which("go")) is None:
        raise ToolUnavailable("tflint is built by the Go toolchain, and there is no go on PATH")
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        command = [go, "install", f"github.com/terraform-linters/tflint@v{_TFLINT}"]
        environ = {**os.environ, "GOBIN": folder, "CGO_ENABLED": "0"}
        done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ToolUnavailable(
                f"`{' '.join(command[1:])}` ended with status {done.returncode}: {done.stderr[-500:]}"
            )
        (Path(folder) / "tflint").rename(built)
    return built


def checkov() -> Path:
    """Path of checkov, installed once (ten seconds, 260 MB).

    Raises:
        ToolUnavailable: it could not be installed.
    """
    try:
        return environment_python(_LOCK).parent / "checkov"
    except EmulatorUnavailable as reason:
        raise ToolUnavailable(str(reason)) from reason
