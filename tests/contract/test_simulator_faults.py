"""The simulator fails as it is asked to, for as often as it is asked to."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestServer

from darkroom_simulator.app import make_app
from darkroom_simulator.options import Options

from .comfyui_client import is_over, listening

SDWEBUI = {"prompt": "x", "steps": 2, "width": 64, "height": 64}
GRAPH = {
    "1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 48, "batch_size": 1, "color": 0}},
    "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "x"}},
}


class Server:
    """A simulator in this process, and a client of it."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self.url = url
        self.session = session

    async def fault(self, kind: str, **more: Any) -> None:
        async with self.session.post(f"{self.url}/_simulator/faults", json={"fault": kind, **more}) as reply:
            assert reply.status == 200

    async def job(self, fault: dict[str, Any] | None = None) -> tuple[int, bytes]:
        body = {**SDWEBUI, **({"simulator": fault} if fault else {})}
        async with self.session.post(f"{self.url}/sdapi/v1/txt2img", json=body) as reply:
            return reply.status, await reply.read()

    async def prompt(self, fault: dict[str, Any]) -> tuple[list[Any], Any]:
        """Run a prompt; its events and its history."""
        body = {"prompt": GRAPH, "client_id": "me", "extra_data": {"simulator": fault}}
        async with listening(self.url, "me") as listener:
            async with self.session.post(f"{self.url}/prompt", json=body) as reply:
                prompt_id = (await reply.json())["prompt_id"]
            await listener.until(is_over)
        async with self.session.get(f"{self.url}/history/{prompt_id}") as reply:
            return listener.heard, (await reply.json())[prompt_id]


@asynccontextmanager
async def serving(kind: str, folder: Path) -> AsyncIterator[Server]:
    async with (
        TestServer(make_app(Options(type=kind, latency=0), folder)) as running,
        aiohttp.ClientSession() as session,
    ):
        yield Server(str(running.make_url("")).rstrip("/"), session)


@pytest.fixture
async def sdwebui(tmp_path: Path) -> AsyncIterator[Server]:
    async with serving("sdwebui", tmp_path) as running:
        yield running


@pytest.fixture
async def comfyui(tmp_path: Path) -> AsyncIterator[Server]:
    async with serving("comfyui", tmp_path) as running:
        yield running


RAISED = {
    "out-of-memory": ("OutOfMemoryError", "torch.OutOfMemoryError"),
    "cuda-error": ("RuntimeError", "torch.AcceleratorError"),
    "value-error": ("ValueError", "ValueError"),
    "runtime-error": ("RuntimeError", "RuntimeError"),
}


@pytest.mark.parametrize("kind", RAISED)
async def test_sdwebui_raises(sdwebui: Server, kind: str) -> None:
    """A 500 that names the exception, once."""
    await sdwebui.fault(kind)
    status, body = await sdwebui.job()
    assert (status, json.loads(body)["error"]) == (500, RAISED[kind][0])
    assert (await sdwebui.job())[0] == 200


@pytest.mark.parametrize("kind", RAISED)
async def test_comfyui_raises(comfyui: Server, kind: str) -> None:
    """An execution_error with its exception, and a history that says so."""
    _, entry = await comfyui.prompt({"fault": kind})
    assert entry["status"]["status_str"] == "error"
    assert dict(entry["status"]["messages"])["execution_error"]["exception_type"] == RAISED[kind][1]


async def test_a_job_fails_as_often_as_it_asks(sdwebui: Server) -> None:
    """The first `times` jobs of a key, then no more; another key counts for itself."""
    fault = {"fault": "runtime-error", "times": 2, "key": "a"}
    assert [(await sdwebui.job(fault))[0] for _ in range(3)] == [500, 500, 200]
    assert (await sdwebui.job({**fault, "key": "b"}))[0] == 500


async def test_comfyui_is_blocked(comfyui: Server) -> None:
    """Success without outputs, after an execution_error that is not the end."""
    events, entry = await comfyui.prompt({"fault": "blocked"})
    assert [event["data"]["exception_type"] for event in events if event["type"] == "execution_error"] == [
        "ExecutionBlocked"
    ]
    assert (entry["status"]["status_str"], entry["outputs"]) == ("success", {})


async def test_there_are_no_outputs(comfyui: Server, tmp_path: Path) -> None:
    """Success all the same; and the next prompt, which is identical, has some."""
    _, entry = await comfyui.prompt({"fault": "no-outputs"})
    assert (entry["status"]["status_str"], entry["outputs"]) == ("success", {})
    _, entry = await comfyui.prompt({})
    assert list(entry["outputs"]) == ["2"]
    async with serving("sdwebui", tmp_path) as sdwebui:
        assert json.loads((await sdwebui.job({"fault": "no-outputs"}))[1])["images"] == []


async def test_statuses_are_answered(sdwebui: Server) -> None:
    """Any that is asked for."""
    for status in (429, 502, 503):
        assert (await sdwebui.job({"fault": "status", "status": status, "key": str(status)}))[0] == status


async def test_answers_are_spoilt(sdwebui: Server) -> None:
    """Cut, no JSON, or much too long."""
    with pytest.raises(aiohttp.ClientPayloadError):
        await sdwebui.job({"fault": "truncated"})
    with pytest.raises(json.JSONDecodeError):
        json.loads((await sdwebui.job({"fault": "garbage"}))[1])
    _, body = await sdwebui.job({"fault": "huge", "bytes": 5_000_000})
    assert len(body) > 5_000_000
    assert json.loads(body)["images"]


async def test_an_answer_drips(sdwebui: Server) -> None:
    """The head is there, the rest comes byte by byte."""
    body = {**SDWEBUI, "simulator": {"fault": "slow-drip"}}
    async with sdwebui.session.post(f"{sdwebui.url}/sdapi/v1/txt2img", json=body) as reply:
        assert await reply.content.readexactly(1) == b"{"
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await reply.content.readexactly(10)


async def test_a_lost_answer_has_queued_the_prompt(comfyui: Server) -> None:
    """ComfyUI has the job though its client could not read that."""
    await comfyui.fault("truncated")
    async with listening(comfyui.url, "me") as listener:
        with pytest.raises(aiohttp.ClientPayloadError):
            async with comfyui.session.post(
                f"{comfyui.url}/prompt", json={"prompt": GRAPH, "client_id": "me"}
            ) as reply:
                await reply.read()
        await listener.until(is_over)


async def test_a_fault_meets_one_path(comfyui: Server) -> None:
    """The first request whose path begins so, and no other."""
    await comfyui.fault("status", path="/history", status=502)
    async with comfyui.session.get(f"{comfyui.url}/queue") as reply:
        assert reply.status == 200
    statuses = []
    for _ in range(2):
        async with comfyui.session.get(f"{comfyui.url}/history/x") as reply:
            statuses.append(reply.status)
    assert statuses == [502, 200]


@pytest.mark.parametrize(("kind", "ends"), [("hang", True), ("wedge", False)])
async def test_hanging_ends_by_an_interrupt_and_a_wedge_does_not(sdwebui: Server, kind: str, ends: bool) -> None:
    """HTTP stays healthy in both."""
    job = asyncio.create_task(sdwebui.job({"fault": kind}))
    busy = False
    while not busy:
        async with sdwebui.session.get(f"{sdwebui.url}/sdapi/v1/progress") as reply:
            busy = bool((await reply.json())["state"]["job"])
    async with sdwebui.session.post(f"{sdwebui.url}/sdapi/v1/interrupt") as reply:
        assert reply.status == 200
    done, _ = await asyncio.wait([job], timeout=5 if ends else 0.2)
    assert bool(done) is ends
    job.cancel()


async def test_unknown_faults_are_refused(sdwebui: Server) -> None:
    """With those that there are; and what waits can be seen and cleared."""
    url = f"{sdwebui.url}/_simulator/faults"
    async with sdwebui.session.post(url, json={"fault": "nope"}) as reply:
        assert reply.status == 400
        assert "wedge" in (await reply.json())["error"]
    await sdwebui.fault("value-error", times=2)
    async with sdwebui.session.get(url) as reply:
        assert [fault["fault"] for fault in (await reply.json())["waiting"]] == ["value-error"] * 2
    async with sdwebui.session.delete(url) as reply:
        assert reply.status == 200
    assert (await sdwebui.job())[0] == 200
