"""Serve recordings back to an adapter: whatever it asks, it gets what the real server said to that."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from darkroom_simulator.draw import draw, encode_jpeg, encode_png

PNG = base64.b64encode(encode_png(draw("recorded", 1, 64, 64), {"parameters": "recorded"})).decode()
JPEG = base64.b64encode(encode_jpeg(draw("recorded", 1, 64, 64), "recorded")).decode()


def whole(value: Any) -> Any:
    """A recorded body with its cut base64 made whole: a small image of the same format."""
    if isinstance(value, dict):
        return {key: whole(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [whole(inner) for inner in value]
    if isinstance(value, str) and value.endswith(" chars>"):
        return JPEG if value.startswith("/9j/") else PNG
    return value


class Recorded:
    """Answers by method and path; what was asked is kept in `asked`."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, Any]] = []
        self._answers: dict[tuple[str, str], Callable[[web.Request, Any], Any]] = {}
        self._events: list[dict[str, Any]] = []
        self._prompted = asyncio.Event()
        self._crashed = False
        self.sockets: list[web.Request] = []

    def answer(self, method: str, path: str, recorded: dict[str, Any] | Callable[[web.Request, Any], Any]) -> None:
        """Answer with a recording, or with what a function makes of the request."""
        make = recorded if callable(recorded) else (lambda _request, _body: respond(recorded))
        self._answers[method, path] = make

    def events(self, events: list[dict[str, Any]]) -> None:
        """Send these websocket events after a prompt was posted, as quickly as they can be sent.

        A recorded close with code 1006 is a crash: from then on every connection is cut.
        """
        self._events = events

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        if self._crashed:
            cut(request)
        if request.path == "/ws":
            return await self._socket(request)
        data = await request.read()
        try:
            body = json.loads(data) if data else None
        except (json.JSONDecodeError, UnicodeDecodeError):
            body = data
        self.asked.append((request.method, request.path, body))
        make = self._answers.get((request.method, request.path))
        if make is None:
            return web.json_response({"detail": "Not Found"}, status=404)
        response = make(request, body)
        if asyncio.iscoroutine(response):
            response = await response
        if request.path == "/prompt" and response.status == 200:
            self._prompted.set()
        assert isinstance(response, web.StreamResponse)
        return response

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.sockets.append(request)
        sending = asyncio.create_task(self._send_events(request, socket))
        async for _ in socket:
            pass
        sending.cancel()
        return socket

    async def _send_events(self, request: web.Request, socket: web.WebSocketResponse) -> None:
        await self._prompted.wait()
        for event in self._events:
            if event.get("code") == 1006:
                self._crashed = True
                cut(request)
            elif "binary_event" in event:
                await socket.send_bytes(bytes.fromhex(event["head_hex"]))
            elif "type" in event:
                await socket.send_json({"type": event["type"], "data": event["data"]})


def cut(request: web.Request) -> None:
    """Break a connection, as a server that dies does."""
    assert request.transport is not None
    request.transport.abort()


def respond(recorded: dict[str, Any]) -> web.Response:
    """The recorded answer."""
    body = whole(recorded["body"])
    if isinstance(body, str):
        return web.Response(status=recorded["status"], text=body)
    return web.json_response(body, status=recorded["status"])


@asynccontextmanager
async def serving(recorded: Recorded) -> AsyncIterator[str]:
    """Serve on a free port; the URL."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", recorded.handle)
    server = TestServer(app)
    await server.start_server(shutdown_timeout=0.1)
    try:
        yield str(server.make_url("")).rstrip("/")
    finally:
        await server.close()
