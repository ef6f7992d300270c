"""One trace from the client to the notification: what spans of the agent there are, and whose."""

from datetime import UTC, datetime

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import NoOpTracer, StatusCode

from darkroom_agent.errors import RuntimeFailed, RuntimeRefused
from darkroom_agent.ports import Delivery, Prepared, Report, Result
from darkroom_agent.spans import ATTRIBUTES, EVENTS, SPANS
from darkroom_agent.telemetry import Telemetry
from darkroom_agent.traces import Traces, here, trace_id
from darkroom_agent.traces_otlp import AttemptIds
from darkroom_contract.job import State

from .world import World, message, two_files

TRACE = 0x5759E988BD862E3FE1BE46A994272793
PARENT = 0x53995C3F42CD8AD8
HEADER = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"


def traced(world: World) -> InMemorySpanExporter:
    """Let a world tell its spans."""
    spans = InMemorySpanExporter()
    tracers = TracerProvider(id_generator=AttemptIds())
    tracers.add_span_processor(SimpleSpanProcessor(spans))
    world.telemetry = Telemetry(Traces(tracers.get_tracer("test")), world.telemetry.metrics)
    return spans


def attempts(spans: InMemorySpanExporter) -> list[ReadableSpan]:
    """The spans of attempts, the first one first."""
    return [span for span in spans.get_finished_spans() if span.name.startswith("process ")]


def number_of(span: ReadableSpan) -> tuple[int, int]:
    """Its trace and itself."""
    assert span.context is not None
    return span.context.trace_id, span.context.span_id


def parents(spans: InMemorySpanExporter) -> set[tuple[str, str | None]]:
    """Every span by name, with its parent's; None is a parent elsewhere."""
    finished = spans.get_finished_spans()
    names = {number_of(span)[1]: span.name for span in finished}
    return {(span.name, names.get(span.parent.span_id) if span.parent else None) for span in finished}


async def test_the_trace_of_the_x_ray_header_goes_on_to_the_notification() -> None:
    """Every stage is a span of it; document and notification carry its id."""
    world = World()
    world.runtime.work = two_files
    spans = traced(world)
    world.queue.send(message(), trace_header=HEADER)
    async with world.running():
        await world.until_empty()
    document, told = world.store.document("a"), world.topic.published[0]
    assert document.trace_id == told.trace_id == "1-5759e988-bd862e3fe1be46a994272793"
    (attempt,) = attempts(spans)
    stages = {"receive", "admit", "prepare", "wait", "run", "collect", "store", "notify", "settle"}
    assert parents(spans) == {
        (attempt.name, None),
        ("artifact", "store"),
        *((stage, attempt.name) for stage in stages),
    }
    assert {number_of(span)[0] for span in spans.get_finished_spans()} == {TRACE}
    assert attempt.parent is not None
    assert attempt.parent.span_id == PARENT
    assert {**(attempt.attributes or {})}.items() >= {
        ("darkroom.job.id", "a"),
        ("darkroom.job.task", "text-to-image"),
        ("darkroom.attempt", 1),
        ("darkroom.state", "completed"),
        ("messaging.system", "aws_sqs"),
    }


async def test_nothing_is_told_that_the_reference_does_not_name() -> None:
    """Neither spans nor attributes nor events."""
    world = World(MAX_ATTEMPTS="1")
    world.runtime.work = two_files
    spans = traced(world)
    await world.settled(message(tenant="ann"), "nonsense")
    finished = spans.get_finished_spans()
    assert {span.name.replace(f" {world.queue.name}", " <queue>") for span in finished} <= SPANS.keys()
    assert {name for span in finished for name in span.attributes or {}} <= ATTRIBUTES.keys()
    events = [event for span in finished for event in span.events]
    assert {event.name for event in events} == {"progress"} <= EVENTS.keys()
    assert {name for event in events for name in event.attributes or {}} <= ATTRIBUTES.keys()


@pytest.mark.parametrize("header", [HEADER, "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1", None])
async def test_attempts_are_of_one_trace_and_linked(header: str | None) -> None:
    """The second knows the first's span without having met it, even if nobody had begun a trace."""
    world = World()
    spans = traced(world)
    work = world.runtime.work

    async def fail_once(prepared: Prepared, report: Report) -> Result:
        if prepared.attempt == 1:
            raise RuntimeFailed("no")
        return await work(prepared, report)

    world.runtime.work = fail_once
    world.queue.send(message(), trace_header=header)
    async with world.running():
        await world.until_empty()
    first, second = attempts(spans)
    assert number_of(first)[0] == number_of(second)[0] == (TRACE if header else number_of(first)[0])
    assert [link.context.span_id for link in second.links] == [number_of(first)[1]]
    assert not first.links
    assert [dict(one.attributes or {})["darkroom.state"] for one in (first, second)] == ["retried", "completed"]
    document = world.store.document("a")
    assert document.trace_id == f"1-{number_of(first)[0]:032x}"[:10] + "-" + f"{number_of(first)[0]:032x}"[8:]


async def test_a_failure_is_told_by_its_code_and_without_secrets() -> None:
    """By the stage that it arose in, and by the attempt."""
    world = World()
    spans = traced(world)

    async def refuse(prepared: Prepared, report: Report) -> Result:
        raise RuntimeRefused("cannot read https://b/k?X-Amz-Signature=abc")

    world.runtime.work = refuse
    await world.settled(message())
    assert world.states() == {"a": State.FAILED}
    failed = {span.name.partition(" ")[0]: span for span in spans.get_finished_spans() if not span.status.is_unset}
    assert failed.keys() == {"process", "run"}
    for span in failed.values():
        assert span.status.status_code is StatusCode.ERROR
        assert dict(span.attributes or {})["error.type"] == "runtime_refused"
        assert "abc" not in (span.status.description or "")
        assert not span.events


async def test_what_is_not_sampled_is_not_recorded_and_goes_on() -> None:
    """Sampling is decided once, by whoever began."""
    for header in (HEADER.replace("Sampled=1", "Sampled=0"), "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0"):
        world = World()
        spans = traced(world)
        world.queue.send(message(), trace_header=header)
        async with world.running():
            await world.until_empty()
        assert spans.get_finished_spans() == ()
        assert world.store.document("a").trace_id == "1-5759e988-bd862e3fe1be46a994272793"


def _delivery(header: str | None) -> Delivery:
    return Delivery("", "r", 1, datetime.now(UTC), 0.0, header, "m")


def test_what_is_sent_belongs_to_the_stage_that_sends_it() -> None:
    """The notification's parent is `notify`; without telemetry, whatever the message's was."""
    spans = InMemorySpanExporter()
    tracers = TracerProvider(id_generator=AttemptIds())
    tracers.add_span_processor(SimpleSpanProcessor(spans))
    traces = Traces(tracers.get_tracer("test"))
    with traces.message(_delivery(HEADER), "q"), traces.stage("notify"):
        place = here()
    notify = next(span for span in spans.get_finished_spans() if span.name == "notify")
    assert place is not None
    assert (place.trace_id, place.span_id, place.sampled) == (f"{TRACE:032x}", f"{number_of(notify)[1]:016x}", True)
    with Traces(NoOpTracer()).message(_delivery(HEADER), "q"):
        place = here()
    assert place is not None
    assert place.xray_header == HEADER
    assert here() is None


@pytest.mark.parametrize("header", [HEADER, "Root=1-5759e988-bd862e3fe1be46a994272793"])
def test_without_an_endpoint_the_trace_id_still_goes_on(header: str) -> None:
    """The null objects keep the context that came with the message."""
    with Traces(NoOpTracer()).message(_delivery(header), "q"):
        assert trace_id() == "1-5759e988-bd862e3fe1be46a994272793"
    with Traces(NoOpTracer()).message(_delivery(None), "q"):
        assert trace_id() is None
