"""Traces and metrics by OpenTelemetry. Without an endpoint the API's own null objects stand in their place."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from opentelemetry.metrics import NoOpMeter
from opentelemetry.trace import NoOpTracer

from .metrics import Metrics
from .traces import Traces

_NAME = "darkroom_agent"


@dataclass(frozen=True, slots=True)
class Telemetry:
    """What is told to OpenTelemetry."""

    traces: Traces
    metrics: Metrics


@contextmanager
def telemetry(environ: Mapping[str, str], runtime_name: str) -> Iterator[Telemetry]:
    """Start telemetry where OTEL_EXPORTER_OTLP_ENDPOINT is set; flush and stop it at the end.

    The exporters' own settings are OpenTelemetry's standard variables (OTEL_…).
    """
    if not environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
        yield Telemetry(Traces(NoOpTracer()), Metrics(NoOpMeter(_NAME)))
        return
    # Imported here: they cost memory and start-up time that only those pay who use them.
    from . import metrics_otlp, traces_otlp  # noqa: PLC0415

    tracers, meters = traces_otlp.provider(runtime_name), metrics_otlp.provider(runtime_name)
    try:
        yield Telemetry(Traces(tracers.get_tracer(_NAME)), Metrics(meters.get_meter(_NAME)))
    finally:
        tracers.shutdown()
        meters.shutdown()
