"""Pack a chart as `helm package` does, but with the same bytes from the same files: times and order are fixed."""

from __future__ import annotations

import fnmatch
import gzip
import io
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml


def about(chart: Path) -> dict[str, Any]:
    """What a chart's Chart.yaml says."""
    said: dict[str, Any] = yaml.safe_load((chart / "Chart.yaml").read_text())
    return said


def pack(chart: Path, folder: Path) -> Path:
    """Write `<name>-<version>.tgz` into a folder; its path.

    Raises:
        FileNotFoundError: a dependency is not in the chart's `charts/`.
    """
    said = about(chart)
    for one in said.get("dependencies", ()):
        if not [*chart.glob(f"charts/{one['name']}"), *chart.glob(f"charts/{one['name']}-[0-9]*.tgz")]:
            raise FileNotFoundError(f"{chart}: charts/ has no {one['name']}; run `helm dependency build {chart}` first")
    out = folder / f"{said['name']}-{said['version']}.tgz"
    with out.open("wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=0) as zipped:
        zipped.write(_tar(chart, said["name"]))
    return out


def _tar(chart: Path, name: str) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for path in _files(chart):
            content = path.read_bytes()
            entry = tarfile.TarInfo(f"{name}/{path.relative_to(chart).as_posix()}")
            entry.size, entry.mode = len(content), 0o644
            archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def _files(chart: Path) -> Iterator[Path]:
    """The chart's files in a fixed order, Chart.yaml first, without what .helmignore names: `folder/` or a pattern."""
    ignore = chart / ".helmignore"
    patterns = [line.strip() for line in ignore.read_text().splitlines()] if ignore.exists() else []
    patterns = [line for line in patterns if line and not line.startswith("#")]
    for path in sorted(chart.rglob("*"), key=lambda one: (one.name != "Chart.yaml" or one.parent != chart, str(one))):
        within = path.relative_to(chart)
        folders = {f"{part}/" for part in within.parts[:-1]}
        if (
            path.is_file()
            and not folders & set(patterns)
            and not any(fnmatch.fnmatch(within.name, p) for p in patterns)
        ):
            yield path
