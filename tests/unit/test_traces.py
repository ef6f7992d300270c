"""One trace from the client to the notification."""

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from darkroom_agent.telemetry import Telemetry
from darkroom_agent.traces import Traces

from .world import World, message

HEADER = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"


def traced(world: World) -> InMemorySpanExporter:
    """Let a world tell its spans."""
    spans = InMemorySpanExporter()
    tracers = TracerProvider()
    tracers.add_span_processor(SimpleSpanProcessor(spans))
    world.telemetry = Telemetry(Traces(tracers.get_tracer("test")), world.telemetry.metrics)
    return spans


async def test_the_trace_of_the_x_ray_header_goes_on_to_the_notification() -> None:
    """Every stage is a span of it; document and notification carry its id."""
    world = World()
    spans = traced(world)
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
