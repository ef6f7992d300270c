"""`python -m tests.cluster`: start one cluster, and walk the product through it in several lanes side by side.

Most of a test here is waiting, and each has a runtime, queues and a namespace of its own. What is measured goes first,
alone, and what takes the node away from others goes last. What a lane says comes out when it has ended. Where there is
no cluster to be had, the tests say so themselves.
"""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest
from scripts.go_tools import RECIPES, ToolUnavailable, building

from darkroom_local.cluster.folder import cluster_folder
from darkroom_local.cluster.machine import prepare
from darkroom_local.cluster.programs import ClusterFailed
from darkroom_local.emulator import EmulatorUnavailable
from darkroom_local.processes import start
from tests.images.unavailable import Unavailable

from .conftest import NO_CLUSTER
from .logs import forget_logs, keep_logs
from .started import archives, started

FOLDER = Path(__file__).parent
MEASURED = ("test_zero_to_work",)
# Of about the same length each.
LANES: tuple[tuple[str, ...], ...] = (
    ("test_upgrade", "test_keda", "test_uninstall", "test_command"),
    ("test_nodes",),
    ("test_leaving",),
    ("test_busy",),
)
_LANE_SECONDS = 1800
"""Several times what the longest takes: one that hangs must not hang the walk."""
_HUNG = 124  # as timeout(1) has it
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
CORDONS = ("test_drain",)
_TOOLS = (("kubernetes", "helm", "etcd"), ("keda", "karpenter", "kwok"))
PROGRAMS = tuple(tuple(name for tool in tools for name in RECIPES[tool].programs) for tools in _TOOLS)
"""All that the cluster and its tests run, in groups that take about as long as each other to build."""


async def walk(folder: Path, built: Sequence[Path]) -> int:
    """Run all tests on one cluster; 0 if every lane was green."""
    begun = time.monotonic()
    try:
        async with started(folder, built) as running:
            description = folder / "started"
            running.write(description)
            _say(f"the cluster is up after {time.monotonic() - begun:.0f} s")
            first = await _lane("measured", MEASURED, description)
            async with asyncio.TaskGroup() as group:
                lanes = [group.create_task(_lane(f"lane-{n}", files, description)) for n, files in enumerate(LANES)]
            last = await _lane("cordons", CORDONS, description)
            if status := worst([first, *(lane.result() for lane in lanes), last]):
                _say(f"logs are kept in {keep_logs(folder)}")  # now, for the emulator takes its own with it
    except ClusterFailed:
        _say(f"logs are kept in {keep_logs(folder)}")
        raise
    _say(f"the whole walk took {time.monotonic() - begun:.0f} s")
    return status


def worst(statuses: Iterable[int]) -> int:
    """The status of several lanes: 0 if all have 0. A lane that was killed has a negative one."""
    return max(map(abs, statuses))


async def _lane(name: str, files: Sequence[str], description: Path) -> int:
    """Run some files' tests; pytest's status, once all that they said is printed."""
    log = description.parent / f"{name}.pytest.log"
    command = [sys.executable, "-m", "pytest", "-v", "--durations=0", "--durations-min=1", "-p", "no:cacheprovider"]
    environ = {**os.environ, "CLUSTER": str(description), "NAMESPACE": name}
    child = await start([*command, *(str(FOLDER / f"{file}.py") for file in files)], environ, log)
    try:
        async with asyncio.timeout(_LANE_SECONDS):
            return await child.process.wait()
    except TimeoutError:
        _say(f"{name} was ended, for it took more than {_LANE_SECONDS} s")
        return _HUNG
    finally:
        await child.stop()
        _say(f"== {', '.join(files)}\n{log.read_text(errors='replace')}")


def build(folder: Path) -> list[Path]:
    """Build all that is run, and archives of the images into the folder."""
    prepare()  # or one hears of what is missing here after many minutes
    begun = time.monotonic()
    _say("building programs and images, where the cache has not got them (many minutes the first time)")
    with building(*PROGRAMS):  # now, or one is compiled in the midst of what is measured
        built = archives(folder)  # from this very thread: an engine ends with the thread that started it
    _say(f"programs and images are there after {time.monotonic() - begun:.0f} s")
    return built


async def _until_told(folder: Path, built: Sequence[Path], told: list[int]) -> int:
    task = asyncio.get_running_loop().create_task(walk(folder, built))

    def stop(number: int) -> None:
        told.append(number)
        task.cancel()

    for number in _SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, stop, number)
    return await task


def main() -> int:
    """Do it; the exit status."""
    told: list[int] = []

    def stop(number: int, _: object) -> None:
        told.append(number)
        raise KeyboardInterrupt

    for number in _SIGNALS:
        signal.signal(number, stop)
    try:
        forget_logs()
        with cluster_folder() as folder:
            return asyncio.run(_until_told(folder, build(folder), told))
    except (Unavailable, ToolUnavailable, EmulatorUnavailable) as reason:
        if not told:  # or it failed as its programs were told, too
            os.environ[NO_CLUSTER] = str(reason)
            return pytest.main([str(FOLDER)])  # each says why it is skipped
    except (asyncio.CancelledError, KeyboardInterrupt):
        pass
    _say("stopped; nothing is left running")
    return 130


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
