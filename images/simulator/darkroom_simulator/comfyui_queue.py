"""The imagined ComfyUI's worker: its queue, its history, its cache, and the events that it sends."""

import asyncio
import itertools
import time
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from .faults import Fault


def milliseconds() -> int:
    """The time as the server tells it."""
    return int(time.time() * 1000)


@dataclass
class Item:
    """One prompt in the queue."""

    number: float
    prompt_id: str
    graph: dict[str, Any]
    extra_data: dict[str, Any]
    outputs: list[str]
    fault: Fault
    created: int = field(default_factory=milliseconds)

    def as_queue_entry(self) -> list[Any]:
        """As `/queue` and `/history` tell it."""
        extra = {**self.extra_data, "create_time": self.created}
        return [self.number, self.prompt_id, self.graph, extra, self.outputs]


class Clients:
    """Websocket connections by client id. Events of a prompt go to the client that sent it."""

    def __init__(self) -> None:
        self._sockets: dict[str, web.WebSocketResponse] = {}

    def add(self, client_id: str, socket: web.WebSocketResponse) -> None:
        """Take a connection; a reconnect replaces the old one."""
        self._sockets[client_id] = socket

    def remove(self, client_id: str, socket: web.WebSocketResponse) -> None:
        """Forget a connection."""
        if self._sockets.get(client_id) is socket:
            del self._sockets[client_id]

    async def send(self, kind: str, data: dict[str, Any], client_id: str | None = None) -> None:
        """Send an event to one client, or to all."""
        for name, socket in list(self._sockets.items()):
            if client_id in (None, name) and not socket.closed:
                try:
                    await socket.send_json({"type": kind, "data": data})
                except (ConnectionError, RuntimeError):
                    self.remove(name, socket)

    async def drop(self) -> None:
        """Close every connection."""
        for socket in list(self._sockets.values()):
            await socket.close(code=1006)
        self._sockets.clear()


class PromptQueue:
    """Waiting, running and finished prompts."""

    def __init__(self, clients: Clients) -> None:
        self.pending: list[Item] = []
        self.running: Item | None = None
        self.history: dict[str, dict[str, Any]] = {}
        self._clients = clients
        self._numbers = itertools.count()
        self._added = asyncio.Event()

    def next_number(self, *, front: bool) -> int:
        """The number of the next prompt; in front of all others it is negative."""
        number = next(self._numbers)
        return -number if front else number

    async def put(self, item: Item) -> None:
        """Add a prompt."""
        self.pending.append(item)
        self.pending.sort(key=lambda one: one.number)
        self._added.set()
        await self.tell()

    async def take(self) -> Item:
        """Wait for the next prompt and make it the running one."""
        while not self.pending:
            self._added.clear()
            await self._added.wait()
        self.running = self.pending.pop(0)
        await self.tell()
        return self.running

    async def done(self, item: Item, outputs: dict[str, Any], status: dict[str, Any], meta: dict[str, Any]) -> None:
        """Write a prompt's history."""
        self.running = None
        entry = {"prompt": item.as_queue_entry(), "outputs": outputs, "status": status, "meta": meta}
        self.history[item.prompt_id] = entry
        await self.tell()

    async def delete(self, prompt_ids: list[Any]) -> None:
        """Remove waiting prompts; running ones are not touched (recorded)."""
        self.pending = [item for item in self.pending if item.prompt_id not in prompt_ids]
        await self.tell()

    def remaining(self) -> int:
        """How many wait or run."""
        return len(self.pending) + (self.running is not None)

    async def tell(self) -> None:
        """Tell everybody how long the queue is."""
        await self._clients.send("status", {"status": {"exec_info": {"queue_remaining": self.remaining()}}})
