"""What the Lambdas tell X-Ray of a job: segments in the job's own trace, found by the job's id.

Lambda records each invocation itself. But an invocation carries several jobs' webhooks, and a caller's `traceparent`
names another trace than API Gateway's: so these are whole segments, not parts of Lambda's. They go to the daemon beside
the function by UDP, which nobody waits for (AWS X-Ray, "Sending trace data", "Segment documents").
"""

import contextlib
import json
import os
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from darkroom_contract.trace import TraceContext

SEGMENTS: Mapping[str, str] = {
    "submit": "The jobs API takes a job: its document is stored, its message published.",
    "webhook": "One attempt to deliver a job's webhook.",
}
"""Their names, and what each is."""

NOTES: Mapping[str, str] = {
    "job_id": "The job",
    "runtime": "Its runtime",
    "state": "Of `webhook`: the final state that is told",
    "attempt": "Of `webhook`: which attempt it is, from 1",
    "verdict": "Of `webhook`: `delivered`, `dropped` or `failed`",
}
"""Their annotations, which X-Ray finds traces by."""

type Notes = dict[str, str | int]
"""Annotations of one segment, by the names of NOTES."""

_HEAD = b'{"format": "json", "version": 1}\n'


class Segments:
    """A way to X-Ray's daemon; without an address, nothing is sent and contexts go on as they came."""

    def __init__(self, address: str | None) -> None:
        """`address` is `host:port` of the daemon, in Lambda the variable AWS_XRAY_DAEMON_ADDRESS."""
        self._to: tuple[str, int] | None = None
        host, _, port = (address or "").rpartition(":")
        if host and port.isdigit():
            self._to = host, int(port)

    @contextmanager
    def segment(self, name: str, parent: TraceContext, notes: Notes) -> Iterator[TraceContext]:
        """Time what happens inside; what it sends on belongs to the context that is given.

        `notes` may be added to until the end.
        """
        if self._to is None or not parent.sampled:
            yield parent
            return
        own = TraceContext(trace_id=parent.trace_id, span_id=os.urandom(8).hex())
        began, fault = time.time(), True
        try:
            yield own
            fault = False
        finally:
            self._send(
                {
                    "name": f"darkroom-{name}",
                    "id": own.span_id,
                    "trace_id": own.xray_id,
                    **({"parent_id": parent.span_id} if parent.span_id else {}),
                    "start_time": began,
                    "end_time": time.time(),
                    "annotations": {f"darkroom_{note}": value for note, value in notes.items()},
                    **({"fault": True} if fault else {}),
                }
            )

    def _send(self, segment: dict[str, object]) -> None:
        assert self._to is not None
        # A trace is never worth a job: what cannot be sent now is not sent.
        with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as way:
            way.setblocking(False)
            way.sendto(_HEAD + json.dumps(segment).encode(), self._to)


def new_trace() -> TraceContext:
    """A trace that begins here, its first eight digits the time as X-Ray wants them."""
    return TraceContext(trace_id=f"{int(time.time()):08x}{os.urandom(12).hex()}")
