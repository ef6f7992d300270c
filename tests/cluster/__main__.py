"""`python -m tests.cluster`: start one cluster, and walk the product through it in several lanes side by side.

Most of a test here is waiting, and each has a runtime, queues and a namespace of its own. What is measured goes first,
alone; what a lane says comes out when it has ended. Where there is no cluster to be had, the tests say so themselves.
"""

import asyncio
import os
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from scripts.go_tools import ToolUnavailable

from darkroom_local.emulator import EmulatorUnavailable
from darkroom_local.processes import start
from tests.images.unavailable import Unavailable

from .started import archives, started

FOLDER = Path(__file__).parent
MEASURED = ("test_zero_to_work",)
# Of about the same length each. A lane's tests have the node to themselves but for those of other lanes: what cordons
# the node and what measures a gap are in the same.
LANES: tuple[tuple[str, ...], ...] = (
    ("test_keda", "test_uninstall"),
    ("test_nodes", "test_command"),
    ("test_leaving",),
    ("test_upgrade", "test_drain", "test_busy"),
)


async def walk(folder: Path, built: Sequence[Path]) -> int:
    """Run all tests on one cluster; the worst of the lanes' statuses."""
    begun = time.monotonic()
    async with started(folder, built) as running:
        description = folder / "started"
        running.write(description)
        _say(f"the cluster is up after {time.monotonic() - begun:.0f} s")
        first = await _lane("measured", MEASURED, description)
        async with asyncio.TaskGroup() as group:
            lanes = [group.create_task(_lane(f"lane-{n}", files, description)) for n, files in enumerate(LANES)]
    _say(f"the whole walk took {time.monotonic() - begun:.0f} s")
    return max(first, *(lane.result() for lane in lanes))


async def _lane(name: str, files: Sequence[str], description: Path) -> int:
    """Run some files' tests; pytest's status, once all that they said is printed."""
    log = description.parent / f"{name}.pytest.log"
    command = [sys.executable, "-m", "pytest", "--durations=0", "--durations-min=1", "-p", "no:cacheprovider"]
    environ = {**os.environ, "CLUSTER": str(description), "NAMESPACE": name}
    child = await start([*command, *(str(FOLDER / f"{file}.py") for file in files)], environ, log)
    try:
        return await child.process.wait()
    finally:
        await child.stop()
        _say(f"== {', '.join(files)}\n{log.read_text(errors='replace')}")


async def _until_signal(folder: Path) -> int:
    built = archives(folder)  # from this very thread: an engine ends with the thread that started it
    task = asyncio.get_running_loop().create_task(walk(folder, built))
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    return await task


def main() -> int:
    """Do it; the exit status."""
    try:
        with tempfile.TemporaryDirectory(prefix="darkroom-", ignore_cleanup_errors=True) as folder:
            return asyncio.run(_until_signal(Path(folder)))
    except (Unavailable, ToolUnavailable, EmulatorUnavailable):
        return pytest.main([str(FOLDER)])  # each says why it is skipped
    except (asyncio.CancelledError, KeyboardInterrupt):
        _say("stopped; nothing is left running")
        return 130


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
