"""Traces and metrics by OpenTelemetry. Without an endpoint the API's own null objects stand in their place."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import structlog
from opentelemetry import metrics, trace
from opentelemetry.propagators.aws import AwsXRayPropagator

from darkroom_contract.job import State

from .ports import Delivery
from .settle import Outcome
from .story import Story

_NAME = "darkroom_agent"
# Seconds; from a tenth to half an hour, as image jobs take.
_BUCKETS = (0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120, 300, 600, 1200, 1800)


class Telemetry:
    """What is told to OpenTelemetry, by the words of the pipeline."""

    def __init__(self, tracer: trace.Tracer, meter: metrics.Meter) -> None:
        self._tracer = tracer
        self._propagator = AwsXRayPropagator()
        self._jobs = meter.create_counter("darkroom.jobs", unit="{job}", description="Attempts ended, by outcome")
        self._leases = meter.create_counter("darkroom.lease.losses", unit="{lease}", description="Leases lost")
        self._stages = meter.create_histogram(
            "darkroom.stage.duration",
            unit="s",
            description="Seconds of a job in each stage",
            explicit_bucket_boundaries_advisory=_BUCKETS,
        )

    @contextmanager
    def message(self, delivery: Delivery, queue: str) -> Iterator[None]:
        """The span of a whole message, in the trace that its X-Ray header names; logs carry the trace's id."""
        header = {"X-Amzn-Trace-Id": delivery.trace_header} if delivery.trace_header else {}
        context = self._propagator.extract(header)
        attributes = {"messaging.system": "aws_sqs", "messaging.destination.name": queue}
        with (
            self._tracer.start_as_current_span("process", context, kind=trace.SpanKind.CONSUMER, attributes=attributes),
            structlog.contextvars.bound_contextvars(trace_id=self.trace_id(), job_id=None, attempt=delivery.attempt),
        ):
            yield

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """The span of one stage of the current message."""
        with self._tracer.start_as_current_span(name):
            yield

    def trace_id(self) -> str | None:
        """The current trace's id in X-Ray's form, `1-<8 hex digits>-<24 hex digits>`; None outside of a trace."""
        context = trace.get_current_span().get_span_context()
        digits = f"{context.trace_id:032x}"
        return f"1-{digits[:8]}-{digits[8:]}" if context.is_valid else None

    def ended(self, outcome: Outcome, final: State | None, story: Story) -> None:
        """Count an attempt's end and its stages."""
        code = outcome.failure.code if outcome.failure else "ok"
        self._jobs.add(1, {"state": final.value if final else "retried", "error.type": code})
        for stage, seconds in (("queued", story.queued), ("prepare", story.prepare), ("runtime", story.runtime)):
            if seconds is not None:
                self._stages.record(seconds, {"stage": stage})

    def lease_lost(self) -> None:
        """Count a lease that was lost."""
        self._leases.add(1)


@contextmanager
def telemetry(environ: Mapping[str, str], runtime_name: str) -> Iterator[Telemetry]:
    """Start telemetry where OTEL_EXPORTER_OTLP_ENDPOINT is set; flush and stop it at the end.

    The exporters' own settings are OpenTelemetry's standard variables (OTEL_…).
    """
    if not environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
        yield Telemetry(trace.NoOpTracer(), metrics.NoOpMeter(_NAME))
        return
    # Imported here: they cost memory and start-up time that only those pay who use them.
    from .telemetry_otlp import providers  # noqa: PLC0415

    tracers, meters = providers(runtime_name)
    try:
        yield Telemetry(tracers.get_tracer(_NAME), meters.get_meter(_NAME))
    finally:
        tracers.shutdown()
        meters.shutdown()
