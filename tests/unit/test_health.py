"""The runtime's life: waiting for it, warming it up, having it restarted, recycling it."""

import asyncio
from pathlib import Path

import pytest
import structlog

from darkroom_agent.errors import RuntimeBroken, RuntimeGone, RuntimeRefused, RuntimeWedged
from darkroom_agent.fakes import FakeRuntime, NoInputs
from darkroom_agent.ports import Prepared, Report, Result
from darkroom_agent.values import WarmUp
from darkroom_agent.warmup import warm_up
from darkroom_contract.job import State, Task

from .world import World, message


async def restarted(world: World) -> None:
    """Play the kubelet once: wait for the mark, take it."""
    while not world.mark.is_there():  # noqa: ASYNC110 (the file system tells nobody)
        await asyncio.sleep(0.005)
    world.mark.clear()


async def test_the_runtime_is_warmed_up_before_the_first_receive() -> None:
    """And only once while it stays up."""
    world = World()
    await world.settled(message("a"), message("b"))
    assert world.warmed == 1


async def test_the_warm_up_job_is_run() -> None:
    """Its images are thrown away."""
    runtime = FakeRuntime()
    await warm_up(runtime, NoInputs(), WarmUp(Task.TEXT_TO_IMAGE, {"prompt": "warm"}), "sd")
    assert runtime.ran == ["warm-up"]
    await warm_up(runtime, NoInputs(), None, "sd")
    assert runtime.ran == ["warm-up"]


async def test_a_warm_up_that_fails_is_told_and_no_more() -> None:
    """It costs a slow first job."""

    async def refuse(prepared: Prepared, report: Report) -> Result:
        raise RuntimeRefused("no such sampler")

    with structlog.testing.capture_logs() as lines:
        await warm_up(FakeRuntime(work=refuse), NoInputs(), WarmUp(Task.PIPELINE, {}), "sd")
    assert [line["event"] for line in lines] == ["runtime.warm_up_failed"]


async def test_a_broken_runtime_is_restarted_and_warmed_up_again(tmp_path: Path) -> None:
    """After a CUDA error every later job would fail too."""
    world = World(RUNTIME_MARK_FILE=str(tmp_path / "mark"))

    async def once(prepared: Prepared, report: Report) -> Result:
        if prepared.attempt == 1:
            raise RuntimeBroken("CUDA error: an illegal memory access")
        return Result((), {})

    world.runtime.work = once
    world.queue.send(message())
    async with world.running():
        async with asyncio.timeout(5):
            await restarted(world)
        await world.until_empty()
    assert world.warmed == 2
    assert world.store.document("a").state is State.COMPLETED


async def test_a_runtime_that_is_found_wedged_is_restarted(tmp_path: Path) -> None:
    """An interrupted job that did not stop: the next probe says so."""
    world = World(RUNTIME_MARK_FILE=str(tmp_path / "mark"))
    world.runtime.probes = [RuntimeWedged("an interrupted job did not stop")]
    world.queue.send(message())
    async with world.running():
        async with asyncio.timeout(5):
            await restarted(world)
        await world.until_empty()
    assert world.store.document("a").attempt == 1


async def test_the_mark_is_taken_back_when_the_runtime_has_gone(tmp_path: Path) -> None:
    """A restart that nobody acknowledged by taking the mark: the runtime does not answer, so it has begun."""
    world = World(RUNTIME_MARK_FILE=str(tmp_path / "mark"))

    async def once(prepared: Prepared, report: Report) -> Result:
        if prepared.attempt == 1:
            world.runtime.probes = [RuntimeGone("restarting"), RuntimeGone("restarting")]
            raise RuntimeWedged("nothing moves")
        return Result((), {})

    world.runtime.work = once
    await world.settled(message())
    assert not world.mark.is_there()
    assert world.store.document("a").attempt == 2


@pytest.mark.parametrize("environ", [{"RECYCLE_AFTER_JOBS": "2"}, {"RECYCLE_ABOVE_BYTES": "1000"}])
async def test_a_leaking_runtime_is_recycled_between_jobs(tmp_path: Path, environ: dict[str, str]) -> None:
    """After a number of jobs or above a memory limit; no job is broken by it."""
    world = World(None, RUNTIME_MARK_FILE=str(tmp_path / "mark"), **environ)

    async def leak(prepared: Prepared, report: Report) -> Result:
        assert not world.mark.is_there()
        world.runtime.memory = (world.runtime.memory or 0) + 600
        return Result((), {})

    async def kubelet() -> None:
        while True:
            await restarted(world)
            world.runtime.memory = 0

    world.runtime.work = leak
    playing = asyncio.create_task(kubelet())
    await world.settled(*(message(name) for name in "abcd"))
    playing.cancel()
    assert {world.store.document(name).attempt for name in "abcd"} == {1}
    assert world.warmed in (2, 3)  # the last restart may come after the last job


async def test_a_mark_left_by_an_agent_before_is_seen_through(tmp_path: Path) -> None:
    """An agent that died between mark and restart would leave a runtime that is killed every two seconds."""
    mark = tmp_path / "mark"
    mark.write_text("wedged\n")
    world = World(RUNTIME_MARK_FILE=str(mark))

    async def kubelet() -> None:
        while mark.read_text() == "wedged\n":  # noqa: ASYNC110 (the file system tells nobody)
            await asyncio.sleep(0.005)
        await restarted(world)

    playing = asyncio.create_task(kubelet())
    await world.settled(message("a"))
    await playing
    assert world.states() == {"a": State.COMPLETED}
