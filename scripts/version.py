"""Set the version of everything that bears it: `python -m scripts.version 0.2.0`.

Its home is pyproject.toml. Charts, the docs' commands and what tests expect of image tags repeat it;
tests/unit/test_versions.py says where they differ.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

from scripts.bootstrap import ROOT

_BEARERS = ("pyproject.toml", "charts/*/Chart.yaml", "docs/**/*.md", "tests/charts/**/*.py", "tests/charts/**/*.yaml")
"""Files where it may stand: as the version of a project or chart, else as an image's tag."""
_VERSION = re.compile(r"\d+\.\d+\.\d+(?:-[0-9A-Za-z.]+)?")


def current(root: Path = ROOT) -> str:
    """The version."""
    project: dict[str, str] = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    return project["version"]


def set_version(new: str, root: Path = ROOT) -> list[Path]:
    """Write another version wherever the present one stands; the files that changed.

    Raises:
        ValueError: it is no semantic version.
    """
    if not _VERSION.fullmatch(new):
        raise ValueError(f"{new!r} is no version: write it as 1.2.3 or 1.2.3-rc.1")
    old = re.escape(current(root))
    changed = []
    for path in (path for pattern in _BEARERS for path in sorted(root.glob(pattern))):
        text = path.read_text()
        written = _written(path, text, old, new)
        if written != text:
            path.write_text(written)
            changed.append(path)
    return changed


def _written(path: Path, text: str, old: str, new: str) -> str:
    if path.name == "pyproject.toml":
        return re.sub(rf'^version = "{old}"$', f'version = "{new}"', text, count=1, flags=re.MULTILINE)
    if path.name == "Chart.yaml":
        return re.sub(rf"^(version|appVersion): {old}$", rf"\1: {new}", text, flags=re.MULTILINE)
    return re.sub(rf"(:|tag: ){old}\b", rf"\g<1>{new}", text)


def main() -> int:
    """Set it; the exit status."""
    if len(sys.argv) != 2:
        print(f"usage: python -m scripts.version VERSION (now {current()})", file=sys.stderr)  # noqa: T201
        return 2
    try:
        changed = set_version(sys.argv[1])
    except ValueError as reason:
        print(f"version: {reason}", file=sys.stderr)  # noqa: T201
        return 2
    print("\n".join(str(path.relative_to(ROOT)) for path in changed))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
