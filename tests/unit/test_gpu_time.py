"""Whose seconds the GPU's are, and what they cost."""

import pytest

from darkroom_agent.gpu_time import GpuTime

from .world import World, message


def test_a_job_that_runs_alone_has_all_seconds() -> None:
    """And none is busy in between."""
    gpu = GpuTime(0)
    assert gpu.end(gpu.begin(1), 4) == 3
    assert gpu.end(gpu.begin(10), 11) == 1
    assert (gpu.busy(20), gpu.idle(20)) == (4, 16)


def test_jobs_that_run_at_once_share_their_seconds() -> None:
    """However they overlap, all of them together have just the busy seconds."""
    gpu = GpuTime(0)
    long = gpu.begin(0)
    short = gpu.begin(2)
    third = gpu.begin(3)
    spent = [gpu.end(short, 6), gpu.end(long, 8), gpu.end(third, 9)]
    assert spent == pytest.approx([0.5 + 1, 2 + 0.5 + 1 + 1, 1 + 1 + 1])
    assert sum(spent) == pytest.approx(gpu.busy(9)) == 9


def test_a_running_job_is_busy_already() -> None:
    """An export in the middle of a long one sees it."""
    gpu = GpuTime(0)
    gpu.begin(5)
    assert (gpu.busy(8), gpu.idle(8)) == (3, 5)


def test_cost_is_seconds_at_the_price_and_never_invented() -> None:
    """USD; nothing where either is not known."""
    assert GpuTime(0, price=1.8).cost(2) == pytest.approx(0.001)
    assert GpuTime(0).cost(2) is None
    assert GpuTime(0, price=1.8).cost(None) is None


async def test_document_and_notification_tell_the_cost() -> None:
    """Of the attempt that ended the job; where the price is not known there is none."""
    world = World(POD_PRICE="3600")
    await world.settled(message())
    document = world.store.document("a")
    assert document.cost is not None
    assert document.timings.runtime is not None
    assert document.cost == pytest.approx(document.timings.runtime, abs=0.01)
    assert world.topic.published[0].cost == document.cost
    free = World()
    await free.settled(message())
    assert free.store.document("a").cost is None
