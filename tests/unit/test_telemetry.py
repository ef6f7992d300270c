"""One trace from the queue to the notification, metrics per stage, logs without secrets."""

import asyncio
import json

import pytest
import structlog
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from darkroom_agent.errors import RuntimeFailed
from darkroom_agent.logs import mask, masked, start_logs
from darkroom_agent.ports import Prepared, Report, Result
from darkroom_agent.telemetry import Telemetry, telemetry

from .world import World, message

HEADER = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"


def traced(world: World) -> tuple[InMemorySpanExporter, InMemoryMetricReader]:
    """Let a world tell its spans and metrics."""
    spans, reader = InMemorySpanExporter(), InMemoryMetricReader()
    tracers = TracerProvider()
    tracers.add_span_processor(SimpleSpanProcessor(spans))
    meters = MeterProvider([reader])
    world.telemetry = Telemetry(tracers.get_tracer("test"), meters.get_meter("test"))
    return spans, reader


async def test_the_trace_of_the_x_ray_header_goes_on_to_the_notification() -> None:
    """Every stage is a span of it; document and notification carry its id."""
    world = World()
    spans, _ = traced(world)
    world.queue.send(message(), trace_header=HEADER)
    async with world.running():
        await world.until_empty()
    document, told = world.store.document("a"), world.topic.published[0]
    assert document.trace_id == told.trace_id == "1-5759e988-bd862e3fe1be46a994272793"
    finished = {span.name: span for span in spans.get_finished_spans()}
    assert finished.keys() == {"process", "prepare", "run", "collect", "store", "notify"}
    assert {span.context.trace_id for span in finished.values() if span.context} == {0x5759E988BD862E3FE1BE46A994272793}
    assert finished["process"].parent is not None
    assert finished["process"].parent.span_id == 0x53995C3F42CD8AD8


async def test_without_an_endpoint_the_trace_id_still_goes_on() -> None:
    """The null objects keep the context that came with the message."""
    world = World()
    world.queue.send(message(), trace_header=HEADER)
    async with world.running():
        await world.until_empty()
    assert world.store.document("a").trace_id == "1-5759e988-bd862e3fe1be46a994272793"


async def test_stages_and_outcomes_are_counted() -> None:
    """Jobs by state and code, seconds by stage."""
    world = World(MAX_ATTEMPTS="1")
    _, reader = traced(world)

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


def test_telemetry_is_off_without_an_endpoint() -> None:
    """A null object, and nothing of the SDK is imported."""
    with telemetry({}, "sd") as off:
        assert off.trace_id() is None


def test_telemetry_is_on_with_an_endpoint() -> None:
    """And an endpoint that is not there holds nothing up for long."""
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", environ["OTEL_EXPORTER_OTLP_ENDPOINT"])
        patch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
        with telemetry(environ, "sd") as on:
            assert isinstance(on, Telemetry)


def test_secrets_are_masked() -> None:
    """Signatures, credentials, user names in URLs, whatever is called a token; and no image gets into a log."""
    url = "https://b.s3.amazonaws.com/k?X-Amz-Credential=AKIA%2F&X-Amz-Signature=abc&x=1"
    assert masked(url) == "https://b.s3.amazonaws.com/k?X-Amz-Credential=***&X-Amz-Signature=***&x=1"
    assert masked("http://me:secret@host/") == "http://***@host/"
    assert len(masked("A" * 100_000)) < 2100
    event = mask(None, "info", {"event": "x", "authorization": "Bearer abc", "webhook_token": "t", "none": None})
    assert event == {"event": "x", "authorization": "***", "webhook_token": "***"}


def test_logs_are_json_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """With severity, time and what was bound."""
    start_logs("info")
    try:
        with structlog.contextvars.bound_contextvars(job_id="a"):
            structlog.get_logger().info("job.started", url="http://u:p@h/")
            structlog.get_logger().debug("not.told")
        (line,) = capsys.readouterr().err.splitlines()
        told = json.loads(line)
        assert (told["event"], told["level"], told["job_id"], told["url"]) == (
            "job.started",
            "info",
            "a",
            "http://***@h/",
        )
    finally:
        structlog.reset_defaults()


async def test_every_line_of_a_job_carries_its_id() -> None:
    """And one line is written for each change of its state."""
    world = World()
    with structlog.testing.capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
        await world.settled(message())
    told = [line for line in lines if line["event"].startswith("job.")]
    assert [line["event"] for line in told] == ["job.started", "job.completed"]
    assert {line["job_id"] for line in told} == {"a"}
    await asyncio.sleep(0)
    assert isinstance(trace.get_tracer("x"), trace.Tracer)
    assert metrics.get_meter("x")
