"""Build the images: `python -m scripts.images [agent simulator …] [--save DIR]`, with Docker or what stands for it.

Versions of what they are made of come from versions.toml; labels from Git and pyproject.toml.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

from darkroom_local.emulator_environment import environment_python
from scripts.bootstrap import ROOT
from scripts.version import current

NAMES = ("agent", "simulator", "local", "comfyui", "sdwebui")
FORGE = "forge"  # made of images/sdwebui; only where it is named, for it is another several GB
_PLATFORMS = dict.fromkeys(("agent", "simulator", "local"), "linux/amd64,linux/arm64")
_GPU_PLATFORM = "linux/amd64"  # torch with CUDA is locked for it
_DOCKER = ("docker",)


def versions() -> dict[str, str]:
    """Base images by their short names."""
    images: dict[str, str] = tomllib.loads((ROOT / "versions.toml").read_text())["images"]
    return images


def tag(name: str) -> str:
    """The image's name and tag: `darkroom/<name>:<version of the distribution>`."""
    return f"darkroom/{name}:{current()}"


def build(
    name: str,
    docker: Sequence[str] = _DOCKER,
    environ: Mapping[str, str] | None = None,
    platform: str | None = None,
) -> str:
    """Build one, for this machine's platform if none is named; its tag.

    Raises:
        subprocess.CalledProcessError: it cannot be built; what was printed says why.
    """
    command = [
        *docker, "build", "--file", ROOT / _dockerfile(name), "--tag", tag(name),
        *(("--platform", platform) if platform else ()), *arguments(name), ROOT,
    ]  # fmt: skip
    subprocess.run([str(part) for part in command], env=environ or os.environ, check=True)  # noqa: S603
    return tag(name)


def script() -> str:
    """A shell script that builds and pushes all images, to be run at the repository's root."""
    lines = [
        "#!/bin/sh",
        "# Build and push the images: REGISTRY=123456789012.dkr.ecr.eu-west-1.amazonaws.com sh images.sh",
        "# With FORGE=yes Forge, too. Two platforms at once want a builder that can: docker buildx create --use",
        "set -eu",
        f"export SOURCE_DATE_EPOCH={_commit()[1]}",
        *map(_push, NAMES),
        f'[ -z "${{FORGE:-}}" ] || {_push(FORGE)}',
    ]
    return "\n".join(lines) + "\n"


def _push(name: str) -> str:
    return (
        f'docker buildx build --file {_dockerfile(name)} --tag "$REGISTRY/{tag(name)}" '
        f"--platform {_PLATFORMS.get(name, _GPU_PLATFORM)} {shlex.join(arguments(name))} "
        "--provenance=true --sbom=true --push ."
    )


def _dockerfile(name: str) -> str:
    return f"images/{'sdwebui' if name == FORGE else name}/Dockerfile"


def save(name: str, folder: Path, docker: Sequence[str] = _DOCKER, environ: Mapping[str, str] | None = None) -> Path:
    """Write a built image as `<name>.tar`, for `docker load` or `ctr images import`; its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.tar"
    command = [*docker, "save", "--output", str(path), tag(name)]
    subprocess.run(command, env=environ or os.environ, check=True)  # noqa: S603
    return path


def bill_of_materials(name: str, folder: Path) -> Path:
    """Write what an image's lock has as `<name>.cdx.json` (CycloneDX), with versions and hashes; its path.

    Raises:
        EmulatorUnavailable: the tool for it cannot be had here.
    """
    tool = environment_python(ROOT / "requirements" / "image-tools.txt").parent / "cyclonedx-py"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.cdx.json"
    lock = ROOT / "requirements" / f"{name}.txt"
    # The tool would look at its own output against the schema for six seconds: a test does.
    command = [tool, "requirements", "--output-reproducible", "--no-validate", "--output-file", path, lock]
    subprocess.run([str(part) for part in command], stderr=subprocess.DEVNULL, check=True)  # noqa: S603
    return path


def arguments(name: str) -> list[str]:
    """Build arguments: what an image is made of, and its labels."""
    arguments = [f"{key.upper()}_IMAGE={image}" for key, image in versions().items()] + _labels()
    if name == FORGE:
        arguments.append(f"FLAVOUR={FORGE}")
    return [word for argument in arguments for word in ("--build-arg", argument)]


def _labels() -> list[str]:
    """Version, commit and its time: the same commit gives the same labels."""
    revision, created = _commit()
    moment = dt.datetime.fromtimestamp(created, dt.UTC)
    return [f"VERSION={current()}", f"REVISION={revision}", f"CREATED={moment:%Y-%m-%dT%H:%M:%SZ}"]


def _commit() -> tuple[str, int]:
    """The commit, and its time in seconds since 1970."""
    if not (git := shutil.which("git")) or not (ROOT / ".git").exists():
        return "unknown", 0
    show = [git, "-C", str(ROOT), "show", "--no-patch", "--format=%H %ct", "HEAD"]
    revision, seconds = subprocess.run(show, capture_output=True, text=True, check=True).stdout.split()  # noqa: S603
    return revision, int(seconds)


def main() -> int:
    """Build what is named; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m scripts.images", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=f"of {', '.join(NAMES)} (all without any), or {FORGE}")
    parser.add_argument("--save", type=Path, metavar="DIR", help="write each as DIR/<name>.tar, too")
    parser.add_argument("--engine", default="docker", help="docker, or podman")
    parser.add_argument("--platform", help="such as linux/amd64; else this machine's")
    parser.add_argument("--sbom", type=Path, metavar="DIR", help="write DIR/<name>.cdx.json, what is in each, too")
    options = parser.parse_args()
    if unknown := set(options.names) - {*NAMES, FORGE}:
        parser.error(f"there is no image {', '.join(sorted(unknown))}; there are {', '.join((*NAMES, FORGE))}")
    engine = (options.engine,)
    if shutil.which(options.engine) is None:
        print(f"images: no {options.engine} on PATH; install Docker, or give --engine podman", file=sys.stderr)  # noqa: T201
        return 1
    for name in options.names or NAMES:
        try:
            print(build(name, engine, platform=options.platform))  # noqa: T201
            if options.save:
                print(save(name, options.save, engine))  # noqa: T201
            if options.sbom:
                print(bill_of_materials(name, options.sbom))  # noqa: T201
        except subprocess.CalledProcessError as error:
            print(f"images: {name} could not be built (status {error.returncode})", file=sys.stderr)  # noqa: T201
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
