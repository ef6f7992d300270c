"""Images of this repository, built on an engine that may not reach any registry."""

from __future__ import annotations

from scripts import images

from tests.images.engine import Engine
from tests.images.standins import make_standins


def build(engine: Engine, name: str) -> str:
    """Build an image; its tag. On our engine the base images are stand-ins."""
    if engine.ours:
        make_standins(engine, images.versions())
    return images.build(name, (engine.client,), engine.environ)
