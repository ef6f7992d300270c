"""OpenTelemetry's SDK with its OTLP exporter of spans, for agents that have an endpoint."""

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.extension.aws.trace import AwsXRayIdGenerator
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from .telemetry_resource import resource
from .traces import NEXT_IDS


class AttemptIds(AwsXRayIdGenerator):
    """Ids as X-Ray wants them, and for attempts those that `traces.py` has set."""

    def generate_span_id(self) -> int:
        """The id of the next span."""
        ids = NEXT_IDS.get()
        return ids.span_id if ids else super().generate_span_id()

    def generate_trace_id(self) -> int:
        """The id of the next trace, where a span begins one."""
        ids = NEXT_IDS.get()
        return ids.trace_id if ids else super().generate_trace_id()


def provider(runtime_name: str) -> TracerProvider:
    """A provider that exports in a thread of its own: the agent never waits for it."""
    tracers = TracerProvider(resource=resource(runtime_name), id_generator=AttemptIds(), shutdown_on_exit=False)
    tracers.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return tracers
