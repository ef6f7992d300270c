"""What all tests share: a cluster with our images on its node, runtimes' queues, an API in front.

It can be started by one process and used by others, which find its description in a file.
"""

import pickle
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from scripts import images

from darkroom_local.cluster.whole import SERVICES, Cluster, cluster
from darkroom_local.front import front_door
from darkroom_local.topology import RuntimeSpec, Topology, make_topology
from tests.images.built import build
from tests.images.engine import engine

RUNTIMES = tuple(
    RuntimeSpec(name, "sdwebui", job_seconds=2)
    for name in ("flow", "leaving", "busy", "unmarked", "drained", "upgrade", "other", "keda", "nodes")
)
_IMAGES = ("agent", "simulator")


@dataclass(frozen=True, slots=True)
class Started:
    """What runs, and how to reach it."""

    cluster: Cluster
    topology: Topology
    api_url: str

    def write(self, file: Path) -> None:
        """Write the description, for processes that come after; nobody else may change it."""
        file.touch(mode=0o600)
        file.write_bytes(pickle.dumps(self))


def described(file: Path) -> Started:
    """What another process has started."""
    found = pickle.loads(file.read_bytes())  # noqa: S301 (we wrote it, and nobody else may)
    assert isinstance(found, Started)
    return found


def archives(folder: Path) -> list[Path]:
    """Build the images, and write them into the folder as `docker save` does.

    Raises:
        Unavailable: there is no container engine to be had.
    """
    with engine() as running:
        for name in _IMAGES:
            build(running, name)
        return [images.save(name, folder, (running.client,), running.environ) for name in _IMAGES]


@asynccontextmanager
async def started(folder: Path, built: Iterable[Path]) -> AsyncIterator[Started]:
    """Run it all for as long as the context lasts.

    Args:
        folder: for data and logs; its path must be short.
        built: archives of the images.

    Raises:
        ToolUnavailable: a program cannot be had here.
        EmulatorUnavailable: there is no emulated AWS to be had.
        ClusterFailed: a part does not start.
    """
    async with cluster(folder, built, print, (*SERVICES, "ec2", "iam"), gpus=32) as made:
        topology = await make_topology(made.emulator.url, RUNTIMES)
        async with front_door(topology, made.emulator, folder) as api_url:
            yield Started(made, topology, api_url)
