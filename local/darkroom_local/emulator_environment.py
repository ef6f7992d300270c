"""A tool's own Python environment in the user's cache (the emulator's): made once per lock, whole or not at all."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from .cache import alone, cache_folder

_ROOT = Path(__file__).resolve().parents[2]
_LOCK = _ROOT / "requirements" / "localstack.txt"
_BOOTSTRAP = _ROOT / "scripts" / "bootstrap.py"


class EmulatorUnavailable(Exception):
    """The emulator, or another such tool, cannot be had here; the message says why."""


def environment_python(lock: Path | None = None) -> Path:
    """Path of the Python that has what `lock` names, LocalStack if none is given; made if it is not there.

    LocalStack takes half a minute and 480 MB. Such tools' pins fight with everybody's, so each lives apart:
    `<cache>/darkroom/<name of the lock>-<its hash>`.

    Raises:
        EmulatorUnavailable: it could not be made.
    """
    lock = lock or _LOCK
    if not lock.exists():
        raise EmulatorUnavailable(f"{lock.name} is missing: {lock.stem} needs a checkout of the repository")
    home = cache_folder() / f"{lock.stem}-{hashlib.sha256(lock.read_bytes()).hexdigest()[:12]}"
    try:
        with alone(home.with_suffix(".lock")):
            if not _whole(home):
                print(f"setting up {lock.stem}, once", file=sys.stderr, flush=True)  # noqa: T201
                _make(home, lock)
    except OSError as error:
        raise EmulatorUnavailable(f"no environment for {lock.stem}: {error}") from error
    return home / "bin" / "python"


def _whole(home: Path) -> bool:
    """Whether the environment was made to its end, and the interpreter that it links to is still there."""
    return (home / "complete").exists() and (home / "bin" / "python").exists()


def _make(home: Path, lock: Path) -> None:
    # An environment cannot be moved into place, so the mark at its end tells a whole one from a broken one.
    shutil.rmtree(home, ignore_errors=True)
    uv = _run(sys.executable, str(_BOOTSTRAP), "--print-uv").splitlines()[-1]
    python = str(home / "bin" / "python")
    _run(uv, "venv", "--quiet", "--python", sys.executable, str(home))
    # Compiled now, or every start would compile: 2 s instead of 10 s until it is healthy.
    _run(uv, "pip", "sync", "--quiet", "--python", python, "--require-hashes", "--compile-bytecode", str(lock))
    (home / "complete").touch()


def _run(*command: str) -> str:
    # UV_PYTHON would make uv install into that interpreter instead of the one named by --python.
    environ = {name: value for name, value in os.environ.items() if name != "UV_PYTHON"}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        last = done.stderr.strip().splitlines()[-5:]
        raise EmulatorUnavailable(f"`{' '.join(command[:3])} …` ended with status {done.returncode}: {' '.join(last)}")
    return done.stdout
