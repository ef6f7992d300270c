"""A simulated ComfyUI in this process, and a client that compares what it hears with the recordings."""

import asyncio
import io
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp.test_utils import TestServer

from darkroom_simulator.app import make_app
from darkroom_simulator.options import Options

from .recordings import differences, recording

MODELS = ("probe-sd15-random.safetensors", "probe-sd15-tiny.safetensors")
EMPTY = {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 48, "batch_size": 1, "color": 16746496}}
# Their bodies hold lines of the server's source.
_TRACEBACKS = {"err_link_to_missing_node", "err_node_without_inputs"}

type Answer = tuple[int, str | None, Any]


@asynccontextmanager
async def server(folder: Path, latency: float = 0, models: tuple[str, ...] = MODELS) -> AsyncIterator[str]:
    """Run one with its files in `folder`; its URL."""
    app = make_app(Options(type="comfyui", latency=latency, models=models), folder)
    async with TestServer(app) as running:
        yield str(running.make_url("")).rstrip("/")


def sleeping(seconds: float, steps: int, nonce: int) -> dict[str, Any]:
    """A prompt that takes its time, as the recorder sent it."""
    inputs = {"image": ["1", 0], "seconds": seconds, "steps": steps, "interruptible": True, "nonce": nonce}
    save = {"class_type": "SaveImage", "inputs": {"images": ["5", 0], "filename_prefix": "sleep"}}
    return {"1": EMPTY, "5": {"class_type": "ProbeSleep", "inputs": inputs}, "2": save}


async def submit(url: str, graph: dict[str, Any], client_id: str | None = None, **more: Any) -> str:
    """Send a prompt; its id."""
    client = {} if client_id is None else {"client_id": client_id}
    status, _, body = await ask(url, "POST", "/prompt", {"prompt": graph, **client, **more})
    assert status == 200, body
    return str(body["prompt_id"])


async def ask(
    url: str,
    method: str,
    path: str,
    body: Any = None,
    headers: dict[str, str] | None = None,
    raw: bytes | None = None,
) -> Answer:
    """Status, media type and body of an answer."""
    sent = raw if raw is not None else b"" if body is None else json.dumps(body).encode()
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, url + path, data=io.BytesIO(sent) if sent else None, headers=headers) as reply,
    ):
        read = await reply.read()
        told = reply.headers.get("Content-Type")
        return reply.status, told, json.loads(read) if reply.content_type == "application/json" else read.decode()


def check(name: str, answer: Answer, *, exact: bool = False) -> Any:
    """Compare an answer with a recorded one: refusals word for word, others by their shape; the answer's body."""
    recorded = recording("comfyui", name)
    status, content_type, body = answer
    assert (status, content_type) == (recorded["status"], recorded["content_type"]), name
    assert differences(_nameless(recorded["body"]), _nameless(body)) == [], name
    if exact or (status != 200 and name not in _TRACEBACKS):
        assert body == recorded["body"], name
    return body


def _nameless(body: Any) -> Any:
    """A history's entries without their ids, which are never the same."""
    named = isinstance(body, dict) and body and all(len(key) == 36 for key in body)
    return list(body.values()) if named else body


class Listener:
    """A websocket of the server, and what was heard there."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self.heard: list[Any] = []

    async def until(self, wanted: Callable[[Any], bool]) -> None:
        """Listen up to an event."""
        async with asyncio.timeout(10):
            while True:
                self.heard.append(await self._next())
                if wanted(self.heard[-1]):
                    return

    async def _next(self) -> Any:
        message = await self._socket.receive()
        if message.type is aiohttp.WSMsgType.TEXT:
            return json.loads(message.data)
        if message.type is aiohttp.WSMsgType.BINARY:
            return {"binary_event": int.from_bytes(message.data[:4], "big")}
        return {"closed": True, "code": self._socket.close_code}

    async def until_closed(self) -> None:
        """Listen to the end."""
        await self.until(lambda event: "closed" in event)


@asynccontextmanager
async def listening(url: str, client_id: str, *, features: bool = False) -> AsyncIterator[Listener]:
    """Open a websocket; the first events are heard already. `features`: tell that previews with metadata are wanted."""
    async with aiohttp.ClientSession() as session, session.ws_connect(f"{url}/ws?clientId={client_id}") as socket:
        listener = Listener(socket)
        await listener.until(lambda event: event["type"] == "status")
        if features:
            await socket.send_json({"type": "feature_flags", "data": {"supports_preview_metadata": True}})
            await listener.until(lambda event: event["type"] == "feature_flags")
        yield listener


def is_over(event: Any) -> bool:
    """Whether a prompt has ended, and nothing more will be told of it."""
    return event.get("type") == "executing" and event["data"]["node"] is None


def told(event: Any) -> Any:
    """What an event tells, without ids and times."""
    if "type" not in event:
        return ("binary", event["binary_event"]) if "binary_event" in event else ("closed", event["code"])
    kind, data = event["type"], event["data"]
    if kind == "status":
        return kind, data["status"]["exec_info"]["queue_remaining"], "sid" in data
    if kind == "progress_state":
        return kind, {i: (node["value"], node["max"], node["state"]) for i, node in data["nodes"].items()}
    if kind == "executed":
        return kind, data["node"], data["output"].keys(), sorted(data)
    if kind in ("execution_error", "execution_interrupted"):
        more = [data.get(name) for name in ("node_id", "node_type", "executed", "exception_type")]
        return kind, more, sorted(data)
    steady = {name: value for name, value in data.items() if name not in ("prompt_id", "timestamp")}
    return kind, steady, sorted(data)
