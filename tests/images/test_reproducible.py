"""Two builds of an image give the same bytes: whoever has the sources can build it again, and compare."""

import json
import shutil
from pathlib import Path

import pytest
from scripts import images
from scripts.bootstrap import ROOT

from tests.images.built import make_bases
from tests.images.engine import Engine
from tests.images.missing import missing
from tests.images.unavailable import Unavailable


def layers(docker: Engine, name: str, checkout: Path) -> list[str]:
    """Digests of what an image is made of, built without what earlier builds left."""
    tag = f"darkroom-again/{name}"
    dockerfile = checkout / "images" / name / "Dockerfile"
    docker("build", "--no-cache", "--file", str(dockerfile), "--tag", tag, *images.arguments(name), str(checkout))
    try:
        found: list[str] = json.loads(docker("image", "inspect", "--format", "{{json .RootFS.Layers}}", tag))
    finally:
        docker("image", "rm", tag)
    return found


def checkout(folder: Path) -> Path:
    """The same sources with other times, and of somebody with another umask."""
    ignore = shutil.ignore_patterns("__pycache__", "sources", "node_modules")
    for part in ("agent", "api", "contract", "examples", "images", "local", "requirements", "scripts"):
        shutil.copytree(ROOT / part, folder / part, symlinks=True, copy_function=shutil.copyfile, ignore=ignore)
    shutil.copyfile(ROOT / ".dockerignore", folder / ".dockerignore")
    for path in folder.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o700 if path.is_dir() else 0o600)
    return folder


@pytest.mark.parametrize("name", ["agent", "simulator", "local"])
def test_the_same_sources_give_the_same_layers(docker: Engine, name: str, tmp_path: Path) -> None:
    """At another time, from another checkout. Both anew: what an engine keeps may be of an older base."""
    try:
        make_bases(docker, name)
    except Unavailable as reason:
        missing(str(reason))
    assert layers(docker, name, checkout(tmp_path)) == layers(docker, name, ROOT)
