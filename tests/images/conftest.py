"""One engine for the session, and images built when first asked for."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache

import pytest

from tests.images.built import build
from tests.images.engine import Engine, engine
from tests.images.missing import missing
from tests.images.unavailable import Unavailable


@pytest.fixture(scope="session")
def docker() -> Iterator[Engine]:
    """The machine's engine or ours. Where there is none, tests skip; with CI=true they fail."""
    with ExitStack() as stack:
        try:
            running = stack.enter_context(engine())
        except Unavailable as reason:
            missing(str(reason))
        yield running


@pytest.fixture(scope="session")
def image(docker: Engine) -> Callable[[str], str]:
    """Builds an image of this repository; its tag."""

    @cache
    def built(name: str) -> str:
        try:
            return build(docker, name)
        except Unavailable as reason:
            missing(str(reason))

    return built
