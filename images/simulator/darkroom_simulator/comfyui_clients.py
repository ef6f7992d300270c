"""The websockets of the imagined ComfyUI, and who is told what."""

import functools
import json
from dataclasses import dataclass
from typing import Any

from aiohttp import WSMessage, WSMsgType, web

from .draw import draw, encode_jpeg
from .faulty import cut

FEATURES = {
    "supports_preview_metadata": True,
    "supports_model_type_tags": True,
    "max_upload_size": 104_857_600,
    "extension": {"manager": {"supports_v4": True}},
    "node_replacements": True,
    "assets": False,
}
_OBSERVED = ("progress_state", "progress")  # of prompts without a client everybody is told these, and no more
_PREVIEW, _PREVIEW_WITH_METADATA = 1, 4  # binary events


@dataclass
class _Client:
    socket: web.WebSocketResponse
    request: web.Request
    wants_metadata: bool = False


class Clients:
    """Websocket connections by client id. Events of a prompt go to the client that sent it."""

    def __init__(self) -> None:
        self._clients: dict[str, _Client] = {}

    def add(self, client_id: str, socket: web.WebSocketResponse, request: web.Request) -> None:
        """Take a connection; a reconnect replaces the old one, and nothing is replayed."""
        self._clients[client_id] = _Client(socket, request)

    def remove(self, client_id: str, socket: web.WebSocketResponse) -> None:
        """Forget a connection."""
        if client_id in self._clients and self._clients[client_id].socket is socket:
            del self._clients[client_id]

    async def hear(self, client_id: str, message: WSMessage) -> None:
        """Answer a client that tells its features with those of the server."""
        if message.type is not WSMsgType.TEXT:
            return
        told = json.loads(message.data)
        if told.get("type") == "feature_flags" and client_id in self._clients:
            self._clients[client_id].wants_metadata = bool(told["data"].get("supports_preview_metadata"))
            await self._send(client_id, json.dumps({"type": "feature_flags", "data": FEATURES}))

    async def broadcast(self, kind: str, data: dict[str, Any]) -> None:
        """Send an event to all."""
        for name in list(self._clients):
            await self._send(name, json.dumps({"type": kind, "data": data}))

    async def send(self, kind: str, data: dict[str, Any], client_id: str | None) -> None:
        """Send an event of a prompt to its client; of a prompt without one, to observers."""
        if client_id:
            await self._send(client_id, json.dumps({"type": kind, "data": data}))
        elif kind in _OBSERVED:
            await self.broadcast(kind, data)

    async def step(self, client_id: str | None, progress: dict[str, Any], metadata: dict[str, Any]) -> None:
        """Tell a sampler's step, with its preview behind it, or before it for a client that takes metadata."""
        client = self._clients.get(client_id or "")
        if client is None or not client.wants_metadata:
            await self.send("progress", progress, client_id)
            if client_id:
                await self._send(client_id, _header(_PREVIEW) + _header(1) + _preview())
            return
        told = json.dumps({**metadata, "image_type": "image/jpeg"}).encode()
        await self._send(client_id or "", _header(_PREVIEW_WITH_METADATA) + _header(len(told)) + told + _preview())
        await self.send("progress", progress, client_id)

    async def _send(self, name: str, message: str | bytes) -> None:
        client = self._clients.get(name)
        if client is None or client.socket.closed:
            return
        try:
            await (client.socket.send_str(message) if isinstance(message, str) else client.socket.send_bytes(message))
        except (ConnectionError, RuntimeError):
            self.remove(name, client.socket)

    def drop(self) -> None:
        """Cut every connection."""
        for client in self._clients.values():
            cut(client.request)
        self._clients.clear()


def _header(number: int) -> bytes:
    return number.to_bytes(4, "big")


@functools.lru_cache(maxsize=1)
def _preview() -> bytes:
    return encode_jpeg(draw("preview", 1, 64, 64), "")
