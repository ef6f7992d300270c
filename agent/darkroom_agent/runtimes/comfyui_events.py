"""ComfyUI's websocket: progress and seconds per node. Events are for progress alone; `/history` decides."""

import asyncio
from typing import Any

import aiohttp
import msgspec

from darkroom_agent.ports import Report

_CONNECT_SECONDS = 5.0
_LONGEST_MESSAGE = 64 * 1024 * 1024  # previews come as binary messages
_ENDS = frozenset({"execution_success", "execution_error", "execution_interrupted"})


class Track:
    """What is known of one running prompt."""

    def __init__(self, node_count: int, report: Report) -> None:
        self.look = asyncio.Event()
        """Set when `/history` may have something to tell."""
        self.moved = asyncio.get_running_loop().time()
        self.nodes: dict[str, float] = {}
        self._node_count = max(node_count, 1)
        self._report = report
        self._cached = 0
        self._node: str | None = None
        self._since = self.moved

    def take(self, kind: str, data: dict[str, Any]) -> None:
        """Take one event."""
        now = asyncio.get_running_loop().time()
        self.moved = now
        if kind == "execution_cached":
            self._cached = len(data.get("nodes") or ())
        elif kind == "executing":
            self._enter(data.get("node"), now)
        elif kind == "progress_state":
            self._report(min(1.0, (self._cached + _done(data.get("nodes"))) / self._node_count))
        elif kind == "progress" and data.get("max"):
            self._report(min(1.0, (self._cached + len(self.nodes) + data["value"] / data["max"]) / self._node_count))
        if kind in _ENDS or (kind == "executing" and data.get("node") is None):
            self._enter(None, now)
            self.look.set()

    def _enter(self, node: Any, now: float) -> None:
        if self._node is not None:
            self.nodes[self._node] = self.nodes.get(self._node, 0.0) + now - self._since
        self._node, self._since = (str(node) if node is not None else None), now


def _done(nodes: Any) -> float:
    states = nodes.values() if isinstance(nodes, dict) else ()
    parts = [state["value"] / state["max"] for state in states if isinstance(state, dict) and state.get("max")]
    return float(sum(parts))


class Events:
    """One connection for the adapter's life. Nothing is replayed after a reconnect, and nothing depends on it."""

    def __init__(self, url: str, client_id: str) -> None:
        """`url` is the runtime's, with http."""
        self._url = f"{url}/ws"
        self._client_id = client_id
        self._tracks: dict[str, Track] = {}
        self._reading: asyncio.Task[None] | None = None
        self._connecting = asyncio.Lock()

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
            if self.connected:
                return
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
        except (msgspec.DecodeError, UnicodeError, RecursionError, KeyError, TypeError, AttributeError):
            return  # what is not understood tells no progress

    async def close(self) -> None:
        """Hang up."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
