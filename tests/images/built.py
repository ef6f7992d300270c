"""Images of this repository, built on an engine that may not reach any registry."""

from __future__ import annotations

import re

from scripts import images
from scripts.bootstrap import ROOT

from tests.images.engine import Engine
from tests.images.standins import make_standins


def make_bases(engine: Engine, name: str) -> None:
    """On our engine, make stand-ins of what an image is built of.

    Raises:
        Unavailable: one of them cannot be made on this machine.
    """
    if engine.ours:
        dockerfile = (ROOT / "images" / name / "Dockerfile").read_text()
        needed = [base.lower() for base in re.findall(r"^ARG (\w+)_IMAGE=", dockerfile, re.MULTILINE)]
        make_standins(engine, {base: images.versions()[base] for base in needed})


def build(engine: Engine, name: str) -> str:
    """Build an image; its tag. On our engine the base images are stand-ins."""
    make_bases(engine, name)
    return images.build(name, (engine.client,), engine.environ)
