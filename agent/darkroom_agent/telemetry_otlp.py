"""The OpenTelemetry SDK with its OTLP exporters, for agents that have an endpoint."""

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.extension.aws.trace import AwsXRayIdGenerator
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor


def providers(runtime_name: str) -> tuple[TracerProvider, MeterProvider]:
    """Providers that export in threads of their own: the agent never waits for them."""
    resource = Resource.create({"service.name": "darkroom-agent", "darkroom.runtime": runtime_name})
    tracers = TracerProvider(resource=resource, id_generator=AwsXRayIdGenerator())
    tracers.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    meters = MeterProvider([PeriodicExportingMetricReader(OTLPMetricExporter())], resource=resource)
    return tracers, meters
