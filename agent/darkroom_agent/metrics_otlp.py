"""OpenTelemetry's SDK with its OTLP exporter of metrics, for agents that have an endpoint."""

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader

from .telemetry_resource import resource


def provider(runtime_name: str) -> MeterProvider:
    """A provider that exports in a thread of its own: the agent never waits for it."""
    reader = PeriodicExportingMetricReader(OTLPMetricExporter())
    return MeterProvider([reader], resource=resource(runtime_name), shutdown_on_exit=False)
