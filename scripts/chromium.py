"""Find a Chromium for the tests of the page: on PATH, Playwright's own, or installed by apt where we are root."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from scripts import apt

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


class NoChromium(Exception):
    """There is none, and why it could not be had."""


def chromium() -> Path:
    """Path of a Chromium.

    Raises:
        NoChromium: with what to do.
    """
    if found := _on_path() or _of_playwright():
        return found
    try:
        apt.install("chromium")
    except apt.NotInstalled as reason:
        raise NoChromium(f"no Chromium here: {reason}, or `playwright install chromium`") from reason
    if found := _on_path():
        return found
    raise NoChromium("apt installed chromium, and still there is none on PATH")


def _on_path() -> Path | None:
    return next((Path(path) for name in _NAMES if (path := shutil.which(name))), None)


def _of_playwright() -> Path | None:
    """What `playwright install chromium` left in its cache, the newest first."""
    cache = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or Path.home() / ".cache" / "ms-playwright")
    return next(iter(sorted(cache.glob("chromium-*/chrome-linux*/chrome"), reverse=True)), None)


def main() -> int:
    """Say where it is; the exit status."""
    try:
        print(chromium())  # noqa: T201
    except NoChromium as reason:
        print(f"chromium: {reason}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
