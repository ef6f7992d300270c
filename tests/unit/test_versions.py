"""Versions of base images: versions.toml is their home, and what repeats them says the same."""

import re
from pathlib import Path

import pytest
from scripts.images import NAMES, versions

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", NAMES)
def test_a_dockerfile_repeats_the_versions(name: str) -> None:
    """As the defaults of its arguments, so that a plain `docker build` makes the same image."""
    text = (ROOT / "images" / name / "Dockerfile").read_text()
    defaults = dict(re.findall(r"^ARG (\w+)_IMAGE=(\S+)$", text, re.MULTILINE))
    assert defaults
    assert {key.lower(): value for key, value in defaults.items()}.items() <= versions().items()


def test_every_image_is_built() -> None:
    """A folder with a Dockerfile is among those that `make images` makes."""
    assert sorted(NAMES) == sorted(path.parent.name for path in (ROOT / "images").glob("*/Dockerfile"))
