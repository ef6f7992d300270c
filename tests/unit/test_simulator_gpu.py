"""The imagined GPU of the simulator."""

import asyncio
import json
import time
from pathlib import Path

import pytest

from darkroom_simulator.gpu import Gpu, Interrupted


async def test_one_job_after_the_other() -> None:
    """Each takes the latency, and the log says when it worked."""
    gpu = Gpu(0.05)
    await asyncio.gather(gpu.work("a"), gpu.work("b"))
    first, second = gpu.calls
    assert [first["job"], second["job"]] == ["a", "b"]
    assert first["end"] <= second["start"]  # type: ignore[operator]
    assert first["end"] - first["start"] >= 0.05  # type: ignore[operator]


async def test_steps_are_told_at_their_time() -> None:
    """The last one at the end; many quick ones are told together."""
    told: list[int] = []

    async def on_step(step: int) -> None:
        told.append(step)

    await Gpu(0.09).work("a", steps=4, on_step=on_step)
    assert told == [1, 2, 3, 4]
    told.clear()
    await Gpu(0.045).work("a", steps=100, on_step=on_step)
    assert told == [50, 100]


async def test_an_interrupt_takes_effect_at_once_or_after_the_work() -> None:
    """The second where the job is not interruptible; both leave the next job alone."""
    gpu = Gpu(0.2)
    for interruptible, least in ((True, 0.0), (False, 0.2)):
        began = time.monotonic()
        work = asyncio.create_task(gpu.work("a", interruptible=interruptible))
        await asyncio.sleep(0)
        gpu.interrupt()
        assert gpu.interrupted
        with pytest.raises(Interrupted):
            await work
        assert least <= time.monotonic() - began < least + 0.15
        assert gpu.job is None
    await gpu.work("b")


async def test_an_interrupt_without_a_job_does_nothing() -> None:
    """The next job runs to its end."""
    gpu = Gpu(0)
    gpu.interrupt()
    await gpu.work("a")
    assert len(gpu.calls) == 1


async def test_a_wedged_gpu_cannot_be_interrupted() -> None:
    """And whoever comes next waits for ever."""
    gpu = Gpu(0)
    wedged = asyncio.create_task(gpu.hang("a", for_ever=True))
    await asyncio.sleep(0)
    gpu.interrupt()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await gpu.work("b")
    wedged.cancel()


async def test_the_log_is_appended_to_a_file(tmp_path: Path) -> None:
    """A line a job."""
    log = tmp_path / "calls.jsonl"
    gpu = Gpu(0, leak_bytes=5, log=str(log))
    before = gpu.used_bytes
    for name in ("a", "b"):
        await gpu.work(name)
    assert [json.loads(line)["job"] for line in log.read_text().splitlines()] == ["a", "b"]
    assert gpu.used_bytes == before + 10, "and every job leaks"
