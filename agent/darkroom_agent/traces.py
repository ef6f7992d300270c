"""The spans of a message, by the words of the pipeline, in the trace that began at the client."""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from opentelemetry import trace
from opentelemetry.propagators.aws import AwsXRayPropagator

from .ports import Delivery


class Traces:
    """Where the pipeline says what it does now."""

    def __init__(self, tracer: trace.Tracer) -> None:
        self._tracer = tracer
        self._propagator = AwsXRayPropagator()

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
