"""Install packages of Debian where we are root: programs that no registry of a language has."""

from __future__ import annotations

import os
import shutil
import subprocess

_LOCK_SECONDS = 300


class NotInstalled(Exception):
    """They are not there, and why they could not be had."""


def install(*packages: str) -> None:
    """Install packages by apt.

    Raises:
        NotInstalled: with what to do.
    """
    apt, by_hand = shutil.which("apt-get"), f"`apt-get install {' '.join(packages)}`"
    if apt is None or os.geteuid() != 0:
        raise NotInstalled(f"install it yourself ({by_hand} as root, or what your system has in its place)")
    wait = f"-oDPkg::Lock::Timeout={_LOCK_SECONDS}"  # a machine that has just started updates itself
    for command in (
        [apt, "update", "-q", wait],
        [apt, "install", "-y", "-q", "--no-install-recommends", wait, *packages],
    ):
        environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode:
            last = (done.stderr.strip() or done.stdout.strip()).rpartition("\n")[2]
            raise NotInstalled(f"`{' '.join(command[1:])}` failed: {last}")
