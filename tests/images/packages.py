"""Debian packages without installing them: fetched by apt and unpacked in the cache, to run from there."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from tests.images.unavailable import Unavailable

_UPDATE = ("apt-get", "update", "-q")


def unpacked(folder: Path, packages: tuple[str, ...]) -> Path:
    """The folder, with the packages' files under it; whole or not at all.

    Raises:
        Unavailable: this is not Debian's kind of machine, or apt does not get them.
    """
    if (folder / "complete").exists():
        return folder
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise Unavailable(f"no apt-get and dpkg-deb here to fetch {packages[0]} with")
    shutil.rmtree(folder, ignore_errors=True)
    downloads = folder / "downloads"
    downloads.mkdir(parents=True)
    # As root apt would fetch as its own user, who may not write here.
    fetch = ("apt-get", "download", "-q", "-o", "APT::Sandbox::User=root", *packages)
    try:
        run(*fetch, cwd=downloads)
    except Unavailable:  # the lists are old, or there are none
        run(*_UPDATE, cwd=downloads)
        run(*fetch, cwd=downloads)
    for package in sorted(downloads.glob("*.deb")):
        run("dpkg-deb", "-x", str(package), str(folder), cwd=folder)
    shutil.rmtree(downloads)
    (folder / "complete").touch()
    return folder


def run(*command: str, cwd: Path, environ: dict[str, str] | None = None) -> str:
    """Run a command to its end; what it printed.

    Raises:
        Unavailable: with its last words.
    """
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", **(environ or {})}
    done = subprocess.run(command, cwd=cwd, env=environ, capture_output=True, text=True, check=False)
    if done.returncode:
        last = " ".join((done.stderr.strip() or done.stdout.strip()).splitlines()[-5:])
        raise Unavailable(f"`{' '.join(command[:4])} …` ended with status {done.returncode}: {last}")
    return done.stdout
