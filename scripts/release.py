"""Build a release into dist/darkroom-<version>: the same bytes from the same sources.

| file | what |
|---|---|
| `darkroom-<version>-py3-none-any.whl` | agent, API, command line, snapshot builder |
| `lambda.zip` | both Lambdas |
| `darkroom-platform-<version>.tgz`, `darkroom-runtime-<version>.tgz` | the charts |
| `oci/` | the charts as an OCI layout |
| `images.sh` | the commands that build and push the images |
| `sbom/*.cdx.json` | bills of materials (CycloneDX) of images, Lambdas and command line |
| `SHA256SUMS` | of all the others |
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from darkroom_local.emulator_environment import EmulatorUnavailable
from scripts import chart_archive, images, lambda_zip, oci_layout
from scripts.bootstrap import ROOT
from scripts.go_tools import ToolUnavailable, program
from scripts.version import current

BILLS = ("agent", "api", "cli", "comfyui", "forge", "local", "sdwebui", "simulator", "snapshot")
"""Locks of what is delivered, each with a bill of materials."""


def main() -> None:
    """Build it, and say what there is."""
    parser = argparse.ArgumentParser(prog="python -m scripts.release", description="Build a release into dist/.")
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="gets the folder darkroom-<version>")
    parser.add_argument(
        "--platform", type=Path, help="charts/platform with its dependencies; without, Helm fetches them"
    )
    options = parser.parse_args()
    out = options.out / f"darkroom-{current()}"
    with tempfile.TemporaryDirectory(prefix="darkroom-release-") as scratch:
        try:
            build(out, options.platform or _with_dependencies(Path(scratch)))
        except (FileNotFoundError, EmulatorUnavailable, ToolUnavailable) as reason:
            sys.exit(f"release: {reason}")
    print((out / "SHA256SUMS").read_text(), end="")  # noqa: T201
    print(f"{out}: `sha256sum --check SHA256SUMS` there")  # noqa: T201


def build(out: Path, platform: Path) -> None:
    """Build everything anew into a folder of its own.

    Args:
        out: what is in it is removed.
        platform: the platform chart with its dependencies.

    Raises:
        FileNotFoundError: a chart's dependency is missing.
        EmulatorUnavailable: the tool for bills of materials cannot be had.
    """
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    charts = {
        chart_archive.pack(chart, out): chart_archive.about(chart) for chart in (platform, ROOT / "charts/runtime")
    }
    oci_layout.write(out / "oci", charts)
    _run(sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", out)
    lambda_zip.build(out / "lambda.zip", lambda_zip.ARM64)
    for name in BILLS:
        images.bill_of_materials(name, out / "sbom")
    (out / "images.sh").write_text(images.script())
    (out / "SHA256SUMS").write_text("".join(f"{_sha256(path)}  {path.relative_to(out)}\n" for path in _files(out)))


def _with_dependencies(scratch: Path) -> Path:
    """A copy of charts/platform with what its Chart.lock names."""
    chart = Path(shutil.copytree(ROOT / "charts" / "platform", scratch / "platform"))
    helm = shutil.which("helm") or program("helm")
    _run(helm, "dependency", "build", chart)
    return chart


def _files(out: Path) -> list[Path]:
    return sorted(path for path in out.rglob("*") if path.is_file())


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _run(*command: str | Path) -> None:
    done = subprocess.run([str(part) for part in command], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        sys.exit(f"release: `{' '.join(str(part) for part in command)}` failed:\n{done.stderr.strip()}")


if __name__ == "__main__":
    main()
