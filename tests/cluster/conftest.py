"""One cluster for the session, with the images of this repository on its node and an API in front."""

import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import NoReturn

import pytest
import pytest_asyncio
from scripts import images
from scripts.go_tools import ToolUnavailable

from darkroom_local.cluster.whole import SERVICES, cluster
from darkroom_local.emulator import EmulatorUnavailable
from darkroom_local.front import front_door
from darkroom_local.topology import RuntimeSpec, make_topology
from tests.images.built import build
from tests.images.engine import engine
from tests.images.unavailable import Unavailable

from .inbox import inbox
from .rig import Rig

RUNTIMES = tuple(
    RuntimeSpec(name, "sdwebui", job_seconds=2)
    for name in ("flow", "leaving", "busy", "upgrade", "other", "keda", "nodes")
)
_NAMES = ("agent", "simulator")


def unavailable(reason: Exception) -> NoReturn:
    """Skip, as a part is not to be had here; in CI fail, for there nobody reads what was skipped."""
    (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(str(reason))
    raise AssertionError  # both leave by an exception


@pytest.fixture(scope="session")
def archives(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The images of agent and simulator, as `docker save` writes them."""
    folder = tmp_path_factory.mktemp("images")
    try:
        with engine() as running:
            for name in _NAMES:
                build(running, name)
            return [images.save(name, folder, (running.client,), running.environ) for name in _NAMES]
    except Unavailable as reason:
        unavailable(reason)


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    """For the cluster's data and logs; short, as paths of sockets must be. It stays if a test failed."""
    with tempfile.TemporaryDirectory(prefix="darkroom-", ignore_cleanup_errors=True) as path:
        yield Path(path)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def rig(archives: list[Path], folder: Path) -> AsyncIterator[Rig]:
    """The cluster, its API, and an ear at the results topic."""
    async with AsyncExitStack() as stack:
        try:
            made = await stack.enter_async_context(cluster(folder, archives, print, (*SERVICES, "ec2", "iam")))
        except (ToolUnavailable, EmulatorUnavailable) as reason:
            unavailable(reason)
        topology = await make_topology(made.emulator.url, RUNTIMES)
        api_url = await stack.enter_async_context(front_door(topology, made.emulator, folder))
        heard = await stack.enter_async_context(inbox(topology, made.emulator.url))
        yield Rig(made, topology, api_url, heard)
