"""Where a job stands in a trace: what X-Ray's header and W3C's `traceparent` say, and how it is said on. Pure.

Sources: AWS X-Ray, "Tracing header" (`Root=1-<8 hex digits>-<24>;Parent=<16>;Sampled=<0|1>`); W3C Trace Context,
"Traceparent header" (`00-<32 hex digits>-<16>-<2>`). Both name the same 128 bits.
"""

import re

from msgspec import Struct

XRAY_HEADER = "X-Amzn-Trace-Id"
"""HTTP header of X-Ray's; SNS and SQS carry its value with a message, as the attribute `AWSTraceHeader`."""

_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.ASCII)
_ROOT = re.compile(r"1-([0-9a-f]{8})-([0-9a-f]{24})", re.ASCII | re.IGNORECASE)
_SPAN = re.compile(r"[0-9a-f]{16}", re.ASCII | re.IGNORECASE)
_LONGEST = 1024  # characters of a header; Lambda adds its lineage to X-Ray's


class TraceContext(Struct, frozen=True, kw_only=True):
    """A place in a trace: the trace, the span that what comes next belongs to, and whether anybody records it.

    Ids are lower-case hex digits, 32 and 16. `span_id` is None where only the trace is known.
    """

    trace_id: str
    span_id: str | None = None
    sampled: bool = True

    @property
    def xray_id(self) -> str:
        """The trace's id as X-Ray writes it, and job documents, notifications and logs have it."""
        return f"1-{self.trace_id[:8]}-{self.trace_id[8:]}"

    @property
    def xray_header(self) -> str:
        """The value of `X-Amzn-Trace-Id`."""
        parent = f";Parent={self.span_id}" if self.span_id else ""
        return f"Root={self.xray_id}{parent};Sampled={int(self.sampled)}"


def of_traceparent(text: str | None) -> TraceContext | None:
    """The place that a `traceparent` names; None if it names none."""
    found = _TRACEPARENT.fullmatch(text.strip()) if text and len(text) <= _LONGEST else None
    if found is None:
        return None
    version, trace_id, span_id, flags, more = found.groups()
    if version == "ff" or (version == "00" and more) or not int(trace_id, 16) or not int(span_id, 16):
        return None
    return TraceContext(trace_id=trace_id, span_id=span_id, sampled=bool(int(flags, 16) & 1))


def of_xray(text: str | None) -> TraceContext | None:
    """The place that X-Ray's header names; None if it names none. Where it leaves sampling open, we sample."""
    if not text or len(text) > _LONGEST:
        return None
    said = dict(part.strip().split("=", 1) for part in text.split(";") if "=" in part)
    root = _ROOT.fullmatch(said.get("Root", ""))
    if root is None or not int(root[1] + root[2], 16):
        return None
    parent = said.get("Parent", "")
    known = _SPAN.fullmatch(parent) and int(parent, 16)
    return TraceContext(
        trace_id=(root[1] + root[2]).lower(),
        span_id=parent.lower() if known else None,
        sampled=said.get("Sampled") != "0",
    )
