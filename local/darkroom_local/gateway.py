"""Plays API Gateway: `python -m darkroom_local.gateway` serves the jobs Lambda over HTTP, for this machine alone.

Requests become REST API proxy events for the real handler. An `x-api-key` is taken for its own id, so that tenants can
be tried; without one, everything is seen, as with IAM. With `--keys` a request needs one of them. It plays
EventBridge's schedule for the sweep, too.
"""

import argparse
import base64
import re
import signal
import sys
import threading
import urllib.parse
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from darkroom_api.jobs import handler

_OPEN = re.compile(r"(/|/assets/.*|/v1/openapi\.json)(\?.*)?$")  # need no key, as in api/openapi.yaml
_SWEEP_SECONDS = 60.0
_MOST_BYTES = 10_000_000  # API Gateway's limit for a body


class Gateway(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    timeout = 60
    keys: frozenset[str] = frozenset()

    def _answer(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > _MOST_BYTES:
            self.close_connection = True
            self._send(413, {"Content-Type": "application/json"}, b'{"message":"Request Too Long"}')
            return
        if self.keys and not _OPEN.match(self.path) and self.headers.get("x-api-key") not in self.keys:
            self._send(403, {"Content-Type": "application/json"}, b'{"message":"Forbidden"}')
            return
        answer = handler(self._event(self.rfile.read(int(length))), None)
        self._send(answer["statusCode"], answer["headers"], answer["body"].encode())

    def __getattr__(self, name: str) -> Any:
        # The base class looks for `do_<method>`: whatever the method, the handler says what is allowed.
        if name.startswith("do_"):
            return self._answer
        raise AttributeError(name)

    def _event(self, body: bytes) -> dict[str, Any]:
        """The event as API Gateway makes it (AWS, "Input format of a Lambda function for proxy integration")."""
        path, _, query = self.path.partition("?")
        pairs = urllib.parse.parse_qsl(query, keep_blank_values=True)
        key = self.headers.get("x-api-key")
        text, encoded = _text(body)
        return {
            "resource": "/{proxy+}",
            "path": urllib.parse.urlsplit(path).path or "/",
            "httpMethod": self.command,
            "headers": dict(self.headers.items()),
            "queryStringParameters": dict(pairs) or None,
            "requestContext": {
                "path": path,
                "requestId": str(uuid.uuid4()),
                "identity": {"apiKeyId": key, "sourceIp": self.client_address[0]},
            },
            "body": text or None,
            "isBase64Encoded": encoded,
        }

    def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """The handler logs each request."""


def _text(body: bytes) -> tuple[str, bool]:
    try:
        return body.decode(), False
    except UnicodeDecodeError:
        return base64.b64encode(body).decode(), True


def _sweep_now_and_then(stopped: threading.Event) -> None:
    while not stopped.wait(_SWEEP_SECONDS):
        handler({"darkroom": "sweep"}, None)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


def main() -> int:
    """Serve until SIGTERM; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m darkroom_local.gateway", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one; the first line printed tells which")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--keys", type=lambda text: frozenset(text.split(",")), default=frozenset(), help="API keys")
    options = parser.parse_args()
    Gateway.keys = options.keys
    server = _Server((options.host, options.port), Gateway)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    print(f"http://{options.host}:{server.server_port}", flush=True)  # noqa: T201 (who starts it reads this line)
    stopped = threading.Event()
    threading.Thread(target=_sweep_now_and_then, args=(stopped,), daemon=True).start()
    server.serve_forever(poll_interval=0.1)
    stopped.set()
    return 0


if __name__ == "__main__":
    sys.exit(main())
