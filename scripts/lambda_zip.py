"""Build dist/lambda.zip: both Lambdas with their locked dependencies, the same bytes from the same sources.

Lambda runs it on python3.13 for arm64 (Graviton: a fifth cheaper). `--platform` builds for another machine, to try it.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from scripts.bootstrap import ROOT, uv

ARM64 = "aarch64-manylinux_2_28"  # Amazon Linux 2023, which python3.13 runs on, has glibc 2.34
_SERVICES = {"cloudwatch", "s3", "sns", "sqs", "ssm"}
"""What the Lambdas call: botocore describes four hundred more, in 25 MB."""
_OURS = ("contract/darkroom_contract", "api/darkroom_api", "agent/darkroom_agent")
_NOT_OURS_TO_RUN = ("__pycache__", "*.pyc", "tests", "*.pyi", "*.pyx", "*.pxd", "*.c", "*.h")
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can tell


def main() -> None:
    """Build it, and say how large it is and what its digest is."""
    parser = argparse.ArgumentParser(prog="python -m scripts.lambda_zip", description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "dist" / "lambda.zip")
    parser.add_argument("--platform", default=ARM64, help="a platform as uv names it")
    options = parser.parse_args()
    build(options.out, options.platform)
    digest = hashlib.sha256(options.out.read_bytes()).hexdigest()
    print(f"{options.out}: {options.out.stat().st_size / 1e6:.1f} MB, sha256 {digest}")  # noqa: T201


def build(out: Path, platform: str) -> None:
    """Install, prune, pack."""
    with tempfile.TemporaryDirectory(prefix="darkroom-lambda-") as name:
        folder = Path(name)
        _install(folder, platform)
        _prune(folder)
        for package in _OURS:
            source = ROOT / package
            shutil.copytree(source, folder / source.name, ignore=shutil.ignore_patterns(*_NOT_OURS_TO_RUN))
        _compile(folder)
        out.parent.mkdir(parents=True, exist_ok=True)
        _pack(folder, out)


def _install(folder: Path, platform: str) -> None:
    command = [
        uv(), "pip", "install", "--quiet", "--target", folder, "--python-version", "3.13",
        "--python-platform", platform, "--only-binary", ":all:",
        "--require-hashes", "-r", ROOT / "requirements" / "api.txt",
    ]  # fmt: skip
    done = subprocess.run([str(part) for part in command], check=False)  # noqa: S603
    if done.returncode:
        sys.exit(f"lambda_zip: the dependencies could not be installed for {platform}")


def _prune(folder: Path) -> None:
    """Leave out what no import and no call needs: a smaller package starts sooner."""
    for service in (folder / "botocore" / "data").iterdir():
        if service.is_dir() and service.name not in _SERVICES:
            shutil.rmtree(service)
    for pattern in ("__pycache__", "bin", "*.dist-info"):
        for found in list(folder.rglob(pattern) if pattern == "__pycache__" else folder.glob(pattern)):
            shutil.rmtree(found)


def _compile(folder: Path) -> None:
    """Add the bytecode: Lambda's folder is read-only, so that every cold start would compile everything again."""
    # In a process of its own: what a running one has already loaded changes the bytes.
    command = [sys.executable, "-I", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
    done = subprocess.run([*command, "-s", folder, "-p", "/var/task", folder], check=False)  # noqa: S603
    if done.returncode:
        sys.exit("lambda_zip: not everything could be compiled")


def _pack(folder: Path, out: Path) -> None:
    """Files in their order, with one time and one mode for all: the same sources give the same bytes."""
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in sorted(file for file in folder.rglob("*") if file.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), _EPOCH)
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, path.read_bytes())


if __name__ == "__main__":
    main()
