"""What the agent counts and measures."""

import asyncio

import pytest
from opentelemetry.sdk.metrics.export import Metric

from darkroom_agent.gpu_time import GpuTime
from darkroom_agent.metrics import INSTRUMENTS, JOBS, STAGES, Kind
from darkroom_agent.prefetch import Prefetch
from darkroom_agent.story import Story
from darkroom_contract.job import State
from tests.measured import measured, metrics_of, points, reader_of

from .world import World, message


@pytest.fixture(scope="module")
def told() -> dict[str, Metric]:
    """What a flow in which everything happens tells, by name."""
    return asyncio.run(measured())


def test_every_instrument_of_the_table_tells_something_and_nothing_else_does(told: dict[str, Metric]) -> None:
    """With the table's unit, and no attribute that the table does not name."""
    assert told.keys() == {one.name for one in INSTRUMENTS}
    for one in INSTRUMENTS:
        assert told[one.name].unit == one.unit
        seen = {name for attributes in points(told[one.name]) for name, _ in attributes}
        assert seen == set(one.attributes), one.name


def test_what_happened_is_what_is_told(told: dict[str, Metric]) -> None:
    """Jobs by outcome, whose fault it was, attempts, leases, artifacts, bytes and cost."""
    jobs = {tuple(value for _, value in about): point.value for about, point in points(told["darkroom.jobs"]).items()}
    assert jobs == {
        ("completed", "text-to-image"): 2,
        ("runtime_failed", "retried", "text-to-image"): 2,
        ("runtime_failed", "service", "failed", "text-to-image"): 1,
        ("runtime_refused", "caller", "failed", "text-to-image"): 1,
    }
    assert {point.sum for point in points(told["darkroom.job.attempts"]).values()} == {3}  # 1 + 2 of either state
    assert [point.value for point in points(told["darkroom.artifacts"]).values()] == [4]
    assert [point.value for point in points(told["darkroom.model.switches"]).values()] == [1]
    assert {about[0][1] for about in points(told["darkroom.network.io"])} == {"receive", "transmit"}
    stages = {about[0][1] for about in points(told[STAGES.name])}
    assert stages == set(Story().stages())


def test_a_lost_lease_is_told_and_so_are_its_extensions(told: dict[str, Metric]) -> None:
    """One of each, by the queue that forgot."""
    assert [point.value for point in points(told["darkroom.lease.losses"]).values()] == [1]
    assert [point.value for point in points(told["darkroom.lease.extensions"]).values()] == [1]


async def test_a_job_that_was_final_already_is_not_counted_again() -> None:
    """A second delivery tells the first one's end once more, and is none of its own."""
    world = World()
    reader = reader_of(world)
    await world.settled(message(), message())
    assert [point.value for point in points(metrics_of(reader)[JOBS.name]).values()] == [1]
    assert world.states() == {"a": State.COMPLETED}


def test_histograms_have_boundaries_that_suit_jobs_of_a_tenth_of_a_second_to_half_an_hour() -> None:
    """Every duration has the same ones."""
    seconds = [one.boundaries for one in INSTRUMENTS if one.kind is Kind.HISTOGRAM and one.unit == "s"]
    assert all(one is not None and (one[0], one[-1]) == (0.1, 1800) for one in seconds)


def test_utilization_and_cost_are_read_when_they_are_exported() -> None:
    """The share since the last export; the cost of all time since the start, by what it went for."""
    world = World()
    reader = reader_of(world)
    now = 100.0
    gpu = GpuTime(now, price=3600)
    world.telemetry.metrics.watch(gpu, Prefetch(1, 1, 30), lambda: now)
    mark = gpu.begin(104)
    gpu.end(mark, 105)
    now = 110.0

    def now_told() -> tuple[float, dict[str, float]]:
        found = metrics_of(reader)
        (busy,) = points(found["darkroom.runtime.utilization"]).values()
        costs = {about[0][1]: point.value for about, point in points(found["darkroom.cost"]).items()}
        return busy.value, costs

    assert now_told() == (0.1, {"busy": 1, "idle": 9})
    gpu.begin(110)
    now = 112.0
    assert now_told() == (1, {"busy": 3, "idle": 9})
    gpu.price = None
    now = 113.0
    assert "darkroom.cost" not in metrics_of(reader) or not points(metrics_of(reader)["darkroom.cost"])
