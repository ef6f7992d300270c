"""The spans of a message, in the trace that began at the client. `spans.py` says what each of them is.

Ids of an attempt are made of its message: so the next attempt, in whatever pod, knows which span to link to, and both
are of one trace even where nobody had begun one.
"""

import hashlib
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import structlog
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from darkroom_contract.document import JobDocument
from darkroom_contract.trace import TraceContext, of_xray

from .errors import Failure
from .logs import masked
from .ports import Delivery
from .spans import Stage

type Attributes = Mapping[str, str | int | None]
"""By the names of `spans.py`; what is None is not told."""

_TENTHS = 10  # of the progress; a run of many steps is no reason for a span of many events


@dataclass(frozen=True, slots=True)
class Ids:
    """The ids that the next span gets."""

    trace_id: int
    span_id: int


NEXT_IDS: ContextVar[Ids | None] = ContextVar("NEXT_IDS", default=None)
"""Read by the id generator of `traces_otlp.py`: OpenTelemetry has no other way to name a span oneself."""

_CAME_FROM: ContextVar[TraceContext | None] = ContextVar("_CAME_FROM", default=None)


def here() -> TraceContext | None:
    """The place in the trace that what is sent now belongs to; without telemetry, where the message came from."""
    context = trace.get_current_span().get_span_context()
    if not context.is_valid:
        return _CAME_FROM.get()
    return TraceContext(
        trace_id=f"{context.trace_id:032x}", span_id=f"{context.span_id:016x}", sampled=context.trace_flags.sampled
    )


def trace_id() -> str | None:
    """The current trace's id in X-Ray's form, `1-<8 hex digits>-<24 hex digits>`; None outside of a trace."""
    place = here()
    return place.xray_id if place else None


def about(job: JobDocument) -> Attributes:
    """What an attempt's span tells of its job."""
    return {"darkroom.job.id": job.id, "darkroom.job.task": job.task, "darkroom.job.tenant": job.tenant}


class Traces:
    """Where the pipeline says what it does now."""

    def __init__(self, tracer: trace.Tracer) -> None:
        self._tracer = tracer

    @contextmanager
    def message(self, delivery: Delivery, queue: str) -> Iterator[None]:
        """The span of one attempt, in the trace that the message's X-Ray header names; logs carry the trace's id."""
        place = of_xray(delivery.trace_header)
        came_from = _CAME_FROM.set(place)
        span = self._attempt(delivery, queue, place)
        try:
            with trace.use_span(span, end_on_exit=True, record_exception=False, set_status_on_exception=False):
                self._received(delivery)
                with structlog.contextvars.bound_contextvars(
                    trace_id=trace_id(), job_id=None, attempt=delivery.attempt
                ):
                    yield
        finally:
            _CAME_FROM.reset(came_from)

    def _attempt(self, delivery: Delivery, queue: str, place: TraceContext | None) -> Span:
        trace_number = int(place.trace_id, 16) if place else _trace_of(delivery)
        ids = [_span_of(trace_number, delivery, attempt) for attempt in (delivery.attempt - 1, delivery.attempt)]
        flags = TraceFlags(TraceFlags.SAMPLED)
        before = SpanContext(trace_number, ids[0], is_remote=True, trace_flags=flags)
        token = NEXT_IDS.set(Ids(trace_number, ids[1]))
        try:
            return self._tracer.start_span(
                f"process {queue}",
                _parent(place, delivery),
                kind=SpanKind.CONSUMER,
                attributes={
                    "messaging.system": "aws_sqs",
                    "messaging.operation.type": "process",
                    "messaging.destination.name": queue,
                    "messaging.message.id": delivery.message_id,
                    "darkroom.attempt": delivery.attempt,
                },
                links=[trace.Link(before)] if delivery.attempt > 1 else [],
            )
        finally:
            NEXT_IDS.reset(token)

    def _received(self, delivery: Delivery) -> None:
        """The wait in the queue. That of a later attempt is a backoff, which nobody knows the beginning of."""
        if delivery.attempt == 1:
            sent, received = int(delivery.sent_at.timestamp() * 1e9), time.time_ns()
            attributes = {"messaging.system": "aws_sqs", "messaging.operation.type": "receive"}
            span = self._tracer.start_span("receive", attributes=attributes, start_time=min(sent, received))
            span.end(received)

    @contextmanager
    def stage(self, name: Stage, attributes: Attributes | None = None) -> Iterator[Span]:
        """The span of one stage of the current message; its failure is told."""
        with self._tracer.start_as_current_span(
            name, attributes=_known(attributes or {}), record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                yield span
            except Exception as error:
                _fail(span, error)
                raise

    def note(self, attributes: Attributes) -> None:
        """Add to what the current span tells."""
        trace.get_current_span().set_attributes(_known(attributes))

    def ended(self, state: str, failure: Failure | None) -> None:
        """Tell how the attempt of the current span ended."""
        self.note({"darkroom.state": state})
        if failure is not None:
            _fail(trace.get_current_span(), failure)


class Steps:
    """The steps of a run, as events of the span that is current when this is made."""

    def __init__(self) -> None:
        self._span = trace.get_current_span()
        self._told = 0

    def begin(self, step: str) -> None:
        """Tell what the runtime begins to do."""
        self._span.add_event("step", {"darkroom.step": step})

    def report(self, progress: float) -> None:
        """Tell a further tenth of the progress (0 … 1)."""
        if (tenths := int(progress * _TENTHS)) > self._told:
            self._told = tenths
            self._span.add_event("progress", {"darkroom.progress": tenths / _TENTHS})


def _fail(span: Span, error: Exception) -> None:
    code, message = (error.code, error.message) if isinstance(error, Failure) else (type(error).__name__, str(error))
    span.set_attribute("error.type", code)
    span.set_status(Status(StatusCode.ERROR, masked(message)))


def _known(attributes: Attributes) -> dict[str, str | int]:
    return {name: value for name, value in attributes.items() if value is not None}


def _parent(place: TraceContext | None, delivery: Delivery) -> Context:
    """The context that an attempt's span begins in: none where the trace begins with it."""
    if place is None or (place.span_id is None and place.sampled):
        return Context()
    # Whoever did not record a trace need not have named a span in it; but that it is not recorded must go on.
    span_id = int(place.span_id, 16) if place.span_id else _span_of(int(place.trace_id, 16), delivery, 0)
    flags = TraceFlags(TraceFlags.SAMPLED if place.sampled else TraceFlags.DEFAULT)
    context = SpanContext(int(place.trace_id, 16), span_id, is_remote=True, trace_flags=flags)
    return trace.set_span_in_context(trace.NonRecordingSpan(context), Context())


def _trace_of(delivery: Delivery) -> int:
    """The trace of a message that came without one: its first 32 bits are the time, as X-Ray's are."""
    digest = hashlib.sha256(delivery.message_id.encode()).digest()
    return int(delivery.sent_at.timestamp()) << 96 | int.from_bytes(digest[:12])


def _span_of(trace_number: int, delivery: Delivery, attempt: int) -> int:
    name = f"{trace_number:032x}/{delivery.message_id}/{attempt}"
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8])
