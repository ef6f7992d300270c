"""The simulator's image: both APIs answer, it says when it is healthy, it stops."""

import json
from collections.abc import Callable

import aiohttp
import pytest

from tests.images.containers import container
from tests.images.engine import Engine

Build = Callable[[str], str]


@pytest.mark.parametrize(("kind", "path"), [("sdwebui", "/sdapi/v1/samplers"), ("comfyui", "/system_stats")])
async def test_it_answers_and_stops(docker: Engine, image: Build, kind: str, path: str) -> None:
    """Each API, with nothing to write to but /dev/shm; then SIGTERM ends it with status 0."""
    environ = {"SIMULATOR_TYPE": kind, "SIMULATOR_HOST": "127.0.0.1", "SIMULATOR_PORT": "0"}
    async with container(docker, image("simulator"), environ) as running:
        url = json.loads(await running.says("listening"))["url"]
        async with aiohttp.ClientSession() as session, session.get(url + path) as answer:
            assert answer.status == 200
            assert await answer.json()
        assert await running.stop(grace=5) == 0


async def test_its_health_check_passes(docker: Engine, image: Build) -> None:
    """As the image declares it, inside a container with a network of its own."""
    options = ("--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--network", "none")
    async with container(docker, image("simulator"), {"SIMULATOR_TYPE": "comfyui"}, options) as running:
        await running.says("listening")
        check = (await running.inspect())["Config"]["Healthcheck"]["Test"][1:]
        await running.call("exec", running.name, *check)
