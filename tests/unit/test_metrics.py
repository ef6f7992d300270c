"""What the agent counts and measures."""

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from darkroom_agent.errors import RuntimeFailed
from darkroom_agent.metrics import Metrics
from darkroom_agent.ports import Prepared, Report, Result
from darkroom_agent.telemetry import Telemetry

from .world import World, message


def measured(world: World) -> InMemoryMetricReader:
    """Let a world tell its metrics."""
    reader = InMemoryMetricReader()
    world.telemetry = Telemetry(world.telemetry.traces, Metrics(MeterProvider([reader]).get_meter("test")))
    return reader


async def test_stages_and_outcomes_are_counted() -> None:
    """Jobs by state and code, seconds by stage."""
    world = World(MAX_ATTEMPTS="1")
    reader = measured(world)

    async def fail(prepared: Prepared, report: Report) -> Result:
        raise RuntimeFailed("no")

    world.runtime.work = fail
    await world.settled(message())
    data = reader.get_metrics_data()
    assert data is not None
    found = {metric.name: metric for scope in data.resource_metrics[0].scope_metrics for metric in scope.metrics}
    (point,) = found["darkroom.jobs"].data.data_points
    assert dict(point.attributes or {}) == {"state": "failed", "error.type": "runtime_failed"}
    stages = {dict(point.attributes or {})["stage"] for point in found["darkroom.stage.duration"].data.data_points}
    assert stages == {"queued", "prepare", "runtime"}
