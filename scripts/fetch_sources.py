"""Fetch the sources that a list pins: `python fetch_sources.py LIST FOLDER`. Needs Git and the standard library alone.

A line of the list is `<path below FOLDER> <URL of a Git repository> <commit>`; a tag will do where its owner is trusted
not to move it. Empty lines, and what follows a `#`, are passed over. Histories are not kept.
"""

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True)
class Source:
    """A repository at a commit or tag, and where it goes."""

    path: str
    url: str
    revision: str


def parse(text: str) -> list[Source]:
    """Read a list.

    Raises:
        ValueError: naming the line that is wrong.
    """
    sources = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        if len(words) != 3:
            raise ValueError(f"line {number}: expected `<path> <URL> <commit>`, got {line.strip()!r}")
        path = PurePosixPath(words[0])
        if path.is_absolute() or ".." in path.parts or any(word.startswith("-") for word in words):
            raise ValueError(f"line {number}: {words[0]!r} must be a path below the folder")
        sources.append(Source(*words))
    return sources


def fetch(source: Source, folder: Path) -> None:
    """Fetch one, without its history.

    Raises:
        subprocess.CalledProcessError: Git could not; it has said why.
        ValueError: what came is not the commit that was asked for.
    """
    place = folder / source.path
    place.mkdir(parents=True, exist_ok=True)
    _git(place, "init", "--quiet")
    _git(place, "fetch", "--quiet", "--depth=1", source.url, source.revision)
    _git(place, "checkout", "--quiet", "FETCH_HEAD")
    if _COMMIT.fullmatch(source.revision) and (got := _git(place, "rev-parse", "HEAD")) != source.revision:
        raise ValueError(f"{source.url}: expected {source.revision}, got {got}")
    shutil.rmtree(place / ".git")


def _git(place: Path, *arguments: str) -> str:
    command = ["git", "-c", "advice.detachedHead=false", "-C", str(place), *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()  # noqa: S603


def main() -> int:
    """Fetch all of a list; the exit status."""
    listed, folder = Path(sys.argv[1]), Path(sys.argv[2])
    try:
        for source in parse(listed.read_text()):
            print(f"{source.path}: {source.url} {source.revision}", flush=True)  # noqa: T201
            fetch(source, folder)
    except (subprocess.CalledProcessError, ValueError) as error:
        print(f"{listed}: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
