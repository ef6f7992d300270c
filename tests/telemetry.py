"""Those who are told of traces: an OTLP/HTTP receiver like a collector's, and X-Ray's daemon."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue


@dataclass(frozen=True, slots=True)
class Told:
    """One span or segment, in hex digits and seconds since the epoch; a segment's annotations are its attributes."""

    name: str
    trace_id: str
    span_id: str
    parent_id: str | None
    began: float
    ended: float
    attributes: dict[str, Any]
    resource: dict[str, Any] = field(default_factory=dict)
    links: tuple[str, ...] = ()
    events: tuple[tuple[str, dict[str, Any]], ...] = ()
    error: str | None = None


class Collector:
    """What an OTLP receiver was sent. `status` is what it answers, after `gate` is open."""

    def __init__(self) -> None:
        self.spans: list[Told] = []
        self.metrics: set[str] = set()
        self.posts = 0
        self.status = 200
        self.gate = threading.Event()
        self.gate.set()
        self.url = ""
        self._news = threading.Condition()

    def take(self, path: str, body: bytes) -> None:
        """Take one export."""
        with self._news:
            self.posts += 1
            if self.status == 200 and path == "/v1/traces":
                self.spans += _spans(body)
            elif self.status == 200:
                self.metrics |= _metrics(body)
            self._news.notify_all()

    def wait(self, enough: Callable[["Collector"], bool], seconds: float = 30) -> None:
        """Wait until enough has arrived."""
        with self._news:
            assert self._news.wait_for(lambda: enough(self), seconds), [span.name for span in self.spans]


@contextmanager
def collector() -> Iterator[Collector]:
    """A receiver on a free port of loopback, for as long as the context lasts."""
    told = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            told.take(self.path, body)
            told.gate.wait()
            self.send_response(told.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    told.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield told
    finally:
        told.gate.set()
        server.shutdown()
        thread.join()
        server.server_close()


class Daemon:
    """X-Ray's daemon: takes segments by UDP."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"

    def segments(self, count: int, seconds: float = 20) -> list[Told]:
        """The next segments, waiting until there are so many; with 0, those that are there."""
        found: list[Told] = []
        end = time.monotonic() + seconds
        while len(found) < count or not count:
            self._socket.settimeout(max(end - time.monotonic(), 0.001) if count else 0.0)
            try:
                head, _, body = self._socket.recvfrom(65_536)[0].partition(b"\n")
            except BlockingIOError:
                break
            assert json.loads(head) == {"format": "json", "version": 1}
            found.append(_segment(json.loads(body)))
        return found

    def close(self) -> None:
        """Hear nothing more."""
        self._socket.close()


@contextmanager
def daemon() -> Iterator[Daemon]:
    """A daemon on a free port of loopback, for as long as the context lasts."""
    made = Daemon()
    try:
        yield made
    finally:
        made.close()


def _spans(body: bytes) -> Iterator[Told]:
    for of_resource in ExportTraceServiceRequest.FromString(body).resource_spans:
        resource = _attributes(of_resource.resource.attributes)
        for span in (one for scope in of_resource.scope_spans for one in scope.spans):
            yield Told(
                name=span.name,
                trace_id=span.trace_id.hex(),
                span_id=span.span_id.hex(),
                parent_id=span.parent_span_id.hex() or None,
                began=span.start_time_unix_nano / 1e9,
                ended=span.end_time_unix_nano / 1e9,
                attributes=_attributes(span.attributes),
                resource=resource,
                links=tuple(link.span_id.hex() for link in span.links),
                events=tuple((event.name, _attributes(event.attributes)) for event in span.events),
                error=span.status.message if span.status.code == 2 else None,
            )


def _metrics(body: bytes) -> set[str]:
    told = ExportMetricsServiceRequest.FromString(body)
    return {metric.name for one in told.resource_metrics for scope in one.scope_metrics for metric in scope.metrics}


def _attributes(pairs: Iterable[KeyValue]) -> dict[str, Any]:
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    return None if kind is None else getattr(value, kind)


def _segment(document: dict[str, Any]) -> Told:
    version, seconds, rest = document["trace_id"].split("-")
    assert version == "1"
    return Told(
        name=document["name"],
        trace_id=seconds + rest,
        span_id=document["id"],
        parent_id=document.get("parent_id"),
        began=document["start_time"],
        ended=document["end_time"],
        attributes=document["annotations"],
        error="fault" if document.get("fault") else None,
    )
