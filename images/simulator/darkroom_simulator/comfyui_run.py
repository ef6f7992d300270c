"""The story of one running prompt: what its client is told, and what the history will say."""

from typing import Any

from .comfyui_clients import Clients
from .comfyui_queue import Item, milliseconds


class Run:
    """Tells everything in the order and the shape that ComfyUI 0.33.0 was recorded to tell it."""

    def __init__(self, item: Item, clients: Clients) -> None:
        self.item = item
        self.node_id: str | None = None
        self.made: dict[str, tuple[Any, ...]] = {}
        self.blocked: dict[str, str] = {}
        self.executed: list[str] = []
        self.outputs: dict[str, Any] = {}
        self.messages: list[list[Any]] = []
        self._clients = clients
        self._states: dict[str, dict[str, Any]] = {}

    def class_of(self, node_id: str | None) -> str:
        """A node's class."""
        return str(self.item.graph[node_id]["class_type"]) if node_id is not None else ""

    async def message(self, kind: str, **data: Any) -> None:
        """Tell the client, and remember it for the history."""
        told = {"prompt_id": self.item.prompt_id, **data, "timestamp": milliseconds()}
        self.messages.append([kind, told])
        await self._clients.send(kind, told, self.item.client_id)

    async def begin(self, node_id: str) -> None:
        """A node begins."""
        self.node_id = node_id
        await self._tell_state(node_id, 0.0, 1.0, "running")
        await self._send("executing", node=node_id, display_node=node_id)

    async def step(self, value: int, most: int, *, preview: bool) -> None:
        """The running node has made a step."""
        assert self.node_id is not None
        await self._tell_state(self.node_id, value, most, "running")
        progress = {"value": value, "max": most, "prompt_id": self.item.prompt_id, "node": self.node_id}
        if preview:
            await self._clients.step(self.item.client_id, progress, self._names(self.node_id))
        else:
            await self._clients.send("progress", progress, self.item.client_id)

    async def end(self, node_id: str, output: dict[str, Any] | None, *, was_cached: bool = False) -> None:
        """A node has ended, with an output or without."""
        if output is not None:
            self.outputs[node_id] = output
            await self._send("executed", node=node_id, display_node=node_id, output=output)
        if not was_cached:
            self.executed.append(node_id)
        most = self._states.get(node_id, {"max": 1})["max"]
        await self._tell_state(node_id, most, most, "finished")

    async def failed(self, kind: str, said: str, inputs: dict[str, Any]) -> None:
        """The running node raised."""
        await self.message(
            "execution_error",
            node_id=self.node_id,
            node_type=self.class_of(self.node_id),
            executed=self.executed,
            exception_message=said,
            exception_type=kind,
            traceback=['  File "execution.py", in execute\n'],
            current_inputs={name: [_shown(value)] for name, value in inputs.items()},
            current_outputs=list(self.item.graph),
        )

    async def tell_blocked(self, said: str) -> None:
        """The running node is blocked: told as an error though success follows, and kept out of the history."""
        told = {
            "prompt_id": self.item.prompt_id,
            "node_id": self.node_id,
            "node_type": self.class_of(self.node_id),
            "executed": self.executed,
            "exception_message": f"Execution Blocked: {said}",
            "exception_type": "ExecutionBlocked",
            "traceback": [],
            "current_inputs": [],
            "current_outputs": [],
        }
        await self._clients.send("execution_error", told, self.item.client_id)

    async def over(self) -> None:
        """Nothing more will come."""
        self.node_id = None
        await self._send("executing", node=None)

    def _names(self, node_id: str) -> dict[str, Any]:
        return {
            "node_id": node_id,
            "prompt_id": self.item.prompt_id,
            "display_node_id": node_id,
            "parent_node_id": None,
            "real_node_id": node_id,
        }

    async def _tell_state(self, node_id: str, value: float, most: float, state: str) -> None:
        self._states[node_id] = {"value": value, "max": most, "state": state, **self._names(node_id)}
        await self._send("progress_state", nodes=self._states)

    async def _send(self, kind: str, **data: Any) -> None:
        await self._clients.send(kind, {**data, "prompt_id": self.item.prompt_id}, self.item.client_id)


def _shown(value: Any) -> Any:
    return value if isinstance(value, str | int | float) else str(value)
