"""A flow in which everything that the agent measures happens, and what an exporter would be given of it."""

import asyncio
import base64
from typing import Any

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, Metric
from opentelemetry.trace import NoOpTracer

from darkroom_agent.errors import RuntimeFailed, RuntimeRefused
from darkroom_agent.fakes import MemoryQueue
from darkroom_agent.metrics import Metrics
from darkroom_agent.ports import InputImage, OutputFile, Prepared, Report, Result
from darkroom_agent.telemetry import Telemetry
from darkroom_agent.traces import Traces
from tests.unit.world import PNG, World, message

PRICE = 3.6
"""USD an hour: a tenth of a cent a second."""


class _Decoded:
    """Inputs that are base64 already."""

    async def fetch(self, fields: list[tuple[Any, str]]) -> dict[Any, InputImage]:
        return {path: InputImage(base64.b64decode(text), "image/png", "") for path, text in fields}


class _Forgetful(MemoryQueue):
    """A queue that forgets its message after the first extension."""

    async def extend(self, receipt: str, seconds: int) -> None:
        if self.extended:
            self.messages.clear()
            self._changed.set()
        await super().extend(receipt, seconds)


async def _work(prepared: Prepared, report: Report) -> Result:
    """As the job's id says."""
    if prepared.job.id.startswith("refused"):
        raise RuntimeRefused("no such sampler")
    if prepared.job.id.startswith("failed") or (prepared.job.id.startswith("again") and prepared.attempt == 1):
        raise RuntimeFailed("CUDA is not in the mood")
    await asyncio.sleep(0.01)
    return Result((OutputFile(PNG), OutputFile(PNG + b"2")), {})


def reader_of(world: World) -> InMemoryMetricReader:
    """Let a world tell its metrics."""
    reader = InMemoryMetricReader()
    world.telemetry = Telemetry(Traces(NoOpTracer()), Metrics(MeterProvider([reader]).get_meter("test")))
    return reader


def metrics_of(reader: InMemoryMetricReader) -> dict[str, Metric]:
    """What an exporter is given now, by name."""
    data = reader.get_metrics_data()
    assert data is not None
    return {one.name: one for each in data.resource_metrics for scope in each.scope_metrics for one in scope.metrics}


def points(metric: Metric) -> dict[tuple[tuple[str, Any], ...], Any]:
    """Data points of a metric by their attributes."""
    return {tuple(sorted((point.attributes or {}).items())): point for point in metric.data.data_points}


async def measured() -> dict[str, Metric]:
    """Jobs that complete, are tried again, fail by the service's fault and by the caller's; a lease that is lost."""
    world = World(MAX_ATTEMPTS="2", POD_PRICE=str(PRICE))
    reader = reader_of(world)
    world.runtime.work, world.inputs = _work, _Decoded()
    picture = base64.b64encode(PNG).decode()
    await world.settled(
        message("done", input={"images": [picture], "model": "another"}), *map(message, ("again", "failed", "refused"))
    )
    holding = World(_Forgetful(2), VISIBILITY_SECONDS="2", HEARTBEAT_SECONDS="0.5")
    held = reader_of(holding)

    async def endless(prepared: Prepared, report: Report) -> Result:
        await asyncio.Event().wait()
        raise AssertionError

    holding.runtime.work = endless
    await holding.settled(message("held"))
    return metrics_of(held) | metrics_of(reader)
