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
        self.sockets: list[web.WebSocketResponse] = []

    def answer(self, method: str, path: str, recorded: dict[str, Any] | Callable[[web.Request, Any], Any]) -> None:
        """Answer with a recording, or with what a function makes of the request."""
        make = recorded if callable(recorded) else (lambda _request, _body: respond(recorded))
        self._answers[method, path] = make

    def events(self, events: list[dict[str, Any]]) -> None:
        """Send these websocket events after a prompt was posted, as quickly as they can be sent."""
        self._events = events

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
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
        self.sockets.append(socket)
        await self._prompted.wait()
        for event in self._events:
            if event.get("closed"):
                break
            await socket.send_json({"type": event["type"], "data": event["data"]})
        async for _ in socket:
            pass
        return socket


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
    async with TestServer(app) as server:
        yield str(server.make_url("")).rstrip("/")
