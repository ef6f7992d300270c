"""The whole composition, up once for all tests here."""

import os
import subprocess
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager

import aiohttp
import pytest
from scripts.go_tools import ToolUnavailable, program
from scripts.images import versions

from darkroom_local.emulator import free_port
from tests.compose.composition import Composition
from tests.images.engine import Engine, engine
from tests.images.standins import make_localstack
from tests.images.unavailable import Unavailable


@pytest.fixture(scope="session")
def composition() -> Iterator[Composition]:
    """Up and healthy. Where it cannot be had, tests skip; with CI=true they fail."""
    with ExitStack() as stack:
        try:
            docker = stack.enter_context(engine())
            if docker.ours:
                make_localstack(docker, versions())
            made = stack.enter_context(_up(docker))
        except (Unavailable, ToolUnavailable) as reason:
            (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(str(reason))
        yield made


@contextmanager
def _up(docker: Engine) -> Iterator[Composition]:
    # Jobs take long enough to be killed in their midst.
    own = {"DARKROOM_PORT": str(port := free_port()), "DARKROOM_AWS_PORT": str(free_port()), "DARKROOM_LATENCY": "6"}
    made = Composition(
        docker,
        _compose(docker),
        f"darkroom-{uuid.uuid4().hex[:8]}",
        {**docker.environ, **own},
        f"http://localhost:{port}",
    )
    try:
        made("up", "--build", "--detach", "--wait", "--quiet-pull")
        yield made
    except subprocess.CalledProcessError as error:
        error.add_note(made("logs", "--tail", "20"))
        raise
    finally:
        made.down()


def _compose(docker: Engine) -> tuple[str, ...]:
    """The engine's own Compose, or the one that we build."""
    own = (docker.client, "compose")
    if subprocess.run([*own, "version"], env=docker.environ, capture_output=True, check=False).returncode == 0:
        return own
    return (str(program("docker-compose")),)


@pytest.fixture
async def api(composition: Composition) -> AsyncIterator[aiohttp.ClientSession]:
    """A client of the jobs API."""
    async with aiohttp.ClientSession(composition.url) as session:
        yield session
