"""ComfyUI's websocket: progress and seconds per node. Events are for progress alone; `/history` decides."""

import asyncio
from collections.abc import Mapping
from typing import Any

import aiohttp
import msgspec

from darkroom_agent.ports import Report
from darkroom_agent.traces import Steps

from .comfyui_answers import said, where

_CONNECT_SECONDS = 5.0
_RECONNECT_SECONDS = 1.0  # between two attempts, lest a server that hangs up at once be called without end
_LONGEST_MESSAGE = 64 * 1024 * 1024  # previews come as binary messages

_NOT_UNDERSTOOD = (
    msgspec.MsgspecError,
    ValueError,
    RecursionError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
)


class Track:
    """What is known of one running prompt."""

    def __init__(self, classes: Mapping[str, str], report: Report) -> None:
        """`classes` has every node of the workflow, and its class."""
        self.look = asyncio.Event()
        """Set when `/history` may have something to tell."""
        self.moved = asyncio.get_running_loop().time()
        """When it last gave a sign of life, by the loop's clock."""
        self.nodes: dict[str, float] = {}
        """Seconds by node of the workflow."""
        self.error = ""
        """What was last raised; not the end, if execution was only blocked."""
        self._classes = classes
        self._report = report
        self._steps = Steps()
        self._cached = 0
        self._done = 0.0
        self._node: str | None = None
        self._since = self.moved

    def ran(self) -> dict[str, str]:
        """What each node is that has run."""
        return {node: self._classes[node] for node in self.nodes if node in self._classes}

    def excuse(self) -> None:
        """Nothing can be expected of it now: it stands in the queue, or cannot be seen."""
        self.moved = asyncio.get_running_loop().time()

    def take(self, kind: str, data: dict[str, Any]) -> None:
        """Take one event."""
        self.moved = asyncio.get_running_loop().time()
        match kind:
            case "execution_cached":
                self._cached = len(data.get("nodes") or ())
            case "executing":
                # Nodes that expand (loops, subgraphs) name the workflow's own node that they are part of.
                self._enter(data.get("display_node") or data.get("node"))
                if data.get("node") is None:  # the last event, sent when the history is written
                    self.look.set()
            case "progress_state":
                self._tell(self._cached + _sum(data.get("nodes")))
            case "progress" if data.get("max"):
                self._tell(self._cached + len(self.nodes) + data["value"] / data["max"])
            case "execution_error":
                self.error = f"{where(data)}: {said(data)}"

    def _enter(self, node: Any) -> None:
        if self._node is not None:
            self.nodes[self._node] = self.nodes.get(self._node, 0.0) + self.moved - self._since
        self._node, self._since = (str(node) if node is not None else None), self.moved
        if self._node is not None:
            self._steps.begin(f"{self._node} {self._classes.get(self._node, '')}".rstrip())

    def _tell(self, nodes_done: float) -> None:
        # The two kinds of events count differently: what has been told is not taken back.
        self._done = max(self._done, min(1.0, nodes_done / max(len(self._classes), 1)))
        self._report(self._done)


def _sum(nodes: Any) -> float:
    """How many nodes are done, from `{node_id: {value, max, …}}`."""
    states = nodes.values() if isinstance(nodes, dict) else ()
    return float(sum(state["value"] / state["max"] for state in states if isinstance(state, dict) and state.get("max")))


class Events:
    """One connection for the adapter's life. Nothing is replayed after a reconnect, and nothing depends on it."""

    def __init__(self, url: str, client_id: str) -> None:
        """`url` is the runtime's, with http."""
        self._url = f"{url}/ws"
        self._client_id = client_id
        self._tracks: dict[str, Track] = {}
        self._reading: asyncio.Task[None] | None = None
        self._connecting = asyncio.Lock()
        self._not_before = 0.0

    @property
    def connected(self) -> bool:
        """Whether events arrive."""
        return self._reading is not None and not self._reading.done()

    def track(self, prompt_id: str, track: Track) -> None:
        """Give a prompt's events to a track."""
        self._tracks[prompt_id] = track

    def forget(self, prompt_id: str) -> None:
        """Stop that."""
        self._tracks.pop(prompt_id, None)

    async def connect(self, session: aiohttp.ClientSession) -> None:
        """Connect if there is no connection; without one, progress is not seen, and that is all."""
        async with self._connecting:
            now = asyncio.get_running_loop().time()
            if self.connected or now < self._not_before:
                return
            self._not_before = now + _RECONNECT_SECONDS
            try:
                async with asyncio.timeout(_CONNECT_SECONDS):
                    socket = await session.ws_connect(
                        self._url, params={"clientId": self._client_id}, max_msg_size=_LONGEST_MESSAGE
                    )
            except (aiohttp.ClientError, OSError, TimeoutError):
                return
            self._reading = asyncio.create_task(self._read(socket))

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        try:
            async for message in socket:
                if message.type is aiohttp.WSMsgType.TEXT:
                    self._take(message.data)
        finally:
            await socket.close()
            # Whoever waits must look for himself: the runtime may have died.
            for track in self._tracks.values():
                track.look.set()

    def _take(self, text: str) -> None:
        try:
            event = msgspec.json.decode(text)
            kind, data = event["type"], event["data"]
            track = self._tracks.get(data.get("prompt_id"))
            if track is not None:
                track.take(kind, data)
        except _NOT_UNDERSTOOD:
            return  # it tells no progress

    async def close(self) -> None:
        """Hang up."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
