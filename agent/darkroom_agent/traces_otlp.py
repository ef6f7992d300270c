"""OpenTelemetry's SDK with its OTLP exporter of spans, for agents that have an endpoint."""

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.extension.aws.trace import AwsXRayIdGenerator
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from .telemetry_resource import resource


def provider(runtime_name: str) -> TracerProvider:
    """A provider that exports in a thread of its own: the agent never waits for it."""
    tracers = TracerProvider(resource=resource(runtime_name), id_generator=AwsXRayIdGenerator())
    tracers.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return tracers
