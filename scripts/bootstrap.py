"""Make `.venv`: bring uv if there is none, find Python 3.13, install what requirements/dev.txt locks.

Needs nothing but a `python3` (3.9 or newer) with venv. Package indexes and mirrors are read from the
machine's own settings (UV_INDEX_URL, PIP_INDEX_URL, pip.conf …); none is named here.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "darkroom"
PYTHON = "3.13"


def run(*command: str | Path) -> None:
    """Run a command in the repository; its failure ends the set-up with the command's own words."""
    # UV_PYTHON would make uv install into that interpreter instead of the one named by --python.
    environ = {name: value for name, value in os.environ.items() if name != "UV_PYTHON"}
    done = subprocess.run([str(part) for part in command], cwd=ROOT, env=environ, check=False)  # noqa: S603
    if done.returncode:
        sys.exit(f"bootstrap: `{' '.join(str(part) for part in command)}` ended with status {done.returncode}")


def uv() -> Path:
    """Path of uv: the one on PATH, else the pinned one, installed once into the cache."""
    if found := shutil.which("uv"):
        return Path(found)
    pinned = ROOT / "requirements" / "bootstrap.txt"
    home = CACHE / f"uv-{hashlib.sha256(pinned.read_bytes()).hexdigest()[:12]}"
    if not (home / "bin" / "uv").exists():
        print("bootstrap: no uv on PATH, installing the pinned one into the cache", flush=True)  # noqa: T201
        venv.create(home, with_pip=True, clear=True)
        run(home / "bin" / "python", "-m", "pip", "install", "--quiet", "--require-hashes", "-r", pinned)
    return home / "bin" / "uv"


def is_python(candidate: Path) -> bool:
    """Whether this really runs as the wanted version (a pyenv shim may exist and refuse)."""
    question = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        answer = subprocess.run([candidate, "-c", question], capture_output=True, text=True, check=False)  # noqa: S603
    except OSError:
        return False
    return answer.stdout.strip() == PYTHON


def python(uv_path: Path) -> Path:
    """Path of a Python 3.13: on PATH, among pyenv's, among uv's, or installed by uv."""
    on_path = [Path(found) for name in (f"python{PYTHON}", "python3") if (found := shutil.which(name))]
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    for candidate in [*on_path, *sorted(pyenv.glob(f"{PYTHON}*/bin/python"), reverse=True)]:
        if is_python(candidate):
            return candidate
    run(uv_path, "python", "install", PYTHON)
    answer = subprocess.run([uv_path, "python", "find", PYTHON], capture_output=True, text=True, check=True)  # noqa: S603
    return Path(answer.stdout.strip())


def main() -> None:
    """Bring `.venv` in line with the lock; quick when it is already."""
    lock = ROOT / "requirements" / "dev.txt"
    wanted = hashlib.sha256(lock.read_bytes() + (ROOT / "pyproject.toml").read_bytes()).hexdigest()
    stamp = VENV / "darkroom.lock"
    if stamp.exists() and stamp.read_text() == wanted and is_python(VENV / "bin" / "python"):
        return
    tool = uv()
    if not is_python(VENV / "bin" / "python"):
        run(tool, "venv", "--quiet", "--clear", "--python", python(tool), VENV)
    # Bytecode is compiled once here, so that no later start pays for it.
    install = (tool, "pip", "install", "--quiet", "--python", VENV / "bin" / "python")
    run(tool, "pip", "sync", "--quiet", "--python", VENV / "bin" / "python", "--require-hashes", "--compile-bytecode",
        lock)  # fmt: skip
    run(*install, "--no-deps", "--no-build-isolation", "--editable", ROOT)
    stamp.write_text(wanted)


if __name__ == "__main__":
    if sys.argv[1:] == ["--print-uv"]:
        print(uv())  # noqa: T201
    else:
        main()
