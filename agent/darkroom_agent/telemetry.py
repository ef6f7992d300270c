"""Traces and metrics by OpenTelemetry. Without an endpoint the API's own null objects stand in their place."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import structlog
from opentelemetry.metrics import NoOpMeter
from opentelemetry.trace import NoOpTracer

from .metrics import Metrics
from .telemetry_trouble import told_once_per_minute
from .traces import Traces

log = structlog.get_logger()

_NAME = "darkroom_agent"
_FAREWELL_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Telemetry:
    """What is told to OpenTelemetry."""

    traces: Traces
    metrics: Metrics


@contextmanager
def telemetry(environ: Mapping[str, str], runtime_name: str) -> Iterator[Telemetry]:
    """Start telemetry where OTEL_EXPORTER_OTLP_ENDPOINT is set; flush and stop it at the end, within two seconds.

    The exporters' own settings are OpenTelemetry's standard variables (OTEL_…). They work in threads of their own, with
    a bounded queue: what finds no room, or cannot be exported, is dropped, and that is told once a minute.
    """
    if not environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
        yield Telemetry(Traces(NoOpTracer()), Metrics(NoOpMeter(_NAME)))
        return
    # Imported here: they cost memory and start-up time that only those pay who use them.
    from . import metrics_otlp, traces_otlp  # noqa: PLC0415

    tracers, meters = traces_otlp.provider(runtime_name), metrics_otlp.provider(runtime_name)
    with told_once_per_minute(runtime_name):
        try:
            yield Telemetry(Traces(tracers.get_tracer(_NAME)), Metrics(meters.get_meter(_NAME)))
        finally:
            _farewell(tracers.shutdown, meters.shutdown)


def _farewell(*shutdowns: Callable[[], None]) -> None:
    """Export what is left, for as long as a leaving pod can afford: the exporters' own limits are half a minute."""
    # Daemons, for at the process's end Python waits for all other threads, however long.
    threads = [threading.Thread(target=one, daemon=True, name="telemetry-farewell") for one in shutdowns]
    end = time.monotonic() + _FAREWELL_SECONDS
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    if any(thread.is_alive() for thread in threads):
        log.warning("telemetry.abandoned", seconds=_FAREWELL_SECONDS)
