"""The imagined ComfyUI's queue and history."""

import asyncio
import itertools
import time
from dataclasses import dataclass, field
from typing import Any

from .comfyui_clients import Clients
from .faults import Fault


def milliseconds() -> int:
    """The time as the server tells it."""
    return int(time.time() * 1000)


class Twice(Exception):
    """A prompt of that number and id waits already: the server's heap cannot compare them."""


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

    @property
    def client_id(self) -> str | None:
        """Whom to tell of it."""
        return self.extra_data.get("client_id")

    def as_queue_entry(self) -> list[Any]:
        """As `/queue` and `/history` tell it."""
        return [self.number, self.prompt_id, self.graph, {**self.extra_data, "create_time": self.created}, self.outputs]


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
        """Add a prompt.

        Raises:
            Twice: of the same number and id.
        """
        if any((one.number, one.prompt_id) == (item.number, item.prompt_id) for one in self.pending):
            raise Twice
        self.pending.append(item)
        self.pending.sort(key=lambda one: (one.number, one.prompt_id))
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

    async def done(self, item: Item, outputs: dict[str, Any], status: dict[str, Any]) -> None:
        """Write a prompt's history."""
        self.running = None
        meta = {i: {"node_id": i, "display_node": i, "parent_node": None, "real_node_id": i} for i in outputs}
        entry = {"prompt": item.as_queue_entry(), "outputs": outputs, "status": status, "meta": meta}
        self.history[item.prompt_id] = entry
        await self.tell()

    async def delete(self, prompt_ids: list[Any]) -> bool:
        """Remove waiting prompts, and say whether there were any; running ones are not touched (recorded)."""
        before = len(self.pending)
        self.pending = [item for item in self.pending if item.prompt_id not in prompt_ids]
        if len(self.pending) == before:
            return False
        await self.tell()
        return True

    def remaining(self) -> int:
        """How many wait or run."""
        return len(self.pending) + (self.running is not None)

    async def tell(self) -> None:
        """Tell everybody how long the queue is."""
        await self._clients.broadcast("status", {"status": {"exec_info": {"queue_remaining": self.remaining()}}})
