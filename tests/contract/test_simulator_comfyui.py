"""The simulator answers every recorded request of ComfyUI as the real server did, and sends the same events."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestServer

from darkroom_simulator.app import make_app
from darkroom_simulator.draw import draw, encode_png
from darkroom_simulator.options import Options

from .recordings import differences, exchanges, recording

MODEL = "probe-sd15-random.safetensors"

# Exchanges whose answer depends on what was done before; the tests below do it.
STATEFUL = {
    name for name in exchanges("comfyui") if name.startswith(("history_", "job", "upload_", "wedged", "queue_with"))
}
STATEFUL |= {"get_view_ok", "txt2img_interrupted_job", "err_same_number_same_id"}
# Headers that make the difference there are not in the recording.
HEADERS = {"origin_mismatch": {"Origin": "http://evil.example"}}
# The simulator tells less: it has no plug-ins, packages and few nodes.
LESS = {"get_features", "get_system_stats", "get_object_info_KSampler", "get_object_info_CheckpointLoaderSimple"}
TRACEBACKS = {"err_link_to_missing_node", "err_node_without_inputs"}


@pytest.fixture
async def url(tmp_path: Path) -> AsyncIterator[str]:
    app = make_app(Options(type="comfyui", latency=0, models=(MODEL,)), tmp_path)
    async with TestServer(app) as server:
        yield str(server.make_url("")).rstrip("/")


async def ask(url: str, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, url + path, json=body, headers=headers) as reply,
    ):
        data = await reply.read()
        parsed = json.loads(data) if reply.content_type == "application/json" else data.decode("utf-8", "replace")
        return reply.status, reply.content_type, parsed


@pytest.mark.parametrize("name", [name for name in exchanges("comfyui") if name not in STATEFUL])
async def test_it_answers_as_recorded(url: str, name: str) -> None:
    """Status, and the shape of the body; refusals word for word."""
    recorded = recording("comfyui", name)
    request = recorded["request"]
    status, _, body = await ask(url, request["method"], request["path"], request["json"], HEADERS.get(name))
    assert status == recorded["status"]
    wanted = recorded["body"]
    if name in LESS:
        assert not [d for d in differences(wanted, body) if "missing" not in d and "unknown" not in d]
    else:
        assert differences(wanted, body) == []
    if status != 200 and name not in TRACEBACKS:
        assert body == wanted


async def events_of(url: str, graph: dict[str, Any], **more: Any) -> tuple[list[str], dict[str, Any]]:
    """Run a prompt; the kinds of the events up to its end, and its history entry."""
    kinds: list[str] = []
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{url}/ws", params={"clientId": "me"}) as socket,
    ):
        kinds.append((await socket.receive_json())["type"])
        async with session.post(f"{url}/prompt", json={"prompt": graph, "client_id": "me", **more}) as reply:
            prompt_id = (await reply.json())["prompt_id"]
        async with asyncio.timeout(10):
            while True:
                event = await socket.receive_json()
                kinds.append(event["type"])
                if event["type"] == "executing" and event["data"]["node"] is None:
                    break
        async with session.get(f"{url}/history/{prompt_id}") as reply:
            return kinds, (await reply.json())[prompt_id]


RUNS = [
    "run_success",
    "run_fail_OOM",
    "run_fail_ValueError",
    "run_fail_MemoryError",
    "run_fail_RuntimeError_cuda",
    "run_fail_block_msg",
    "run_fail_block_silent",
    "run_partially_valid",
]


@pytest.mark.parametrize("name", RUNS)
async def test_a_run_sends_the_recorded_events_and_writes_the_recorded_history(url: str, name: str) -> None:
    """The order of events without repetitions, the history's shape, and the type of the exception."""
    recorded = recording("comfyui", name)
    graph = recorded["prompt_response"]["request"]["json"]["prompt"]
    if name.startswith("run_fail"):
        # The recorder's server had node 1 in its cache from the run before; so must this one.
        await events_of(
            url,
            {"1": graph["1"], "9": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "x"}}},
        )
    kinds, entry = await events_of(url, graph)
    wanted = next(iter(recorded["history"]["body"].values()))
    assert _steps(kinds) == _steps([event["type"] for event in recorded["ws_events"] if "type" in event])
    assert entry["status"]["status_str"] == wanted["status"]["status_str"]
    assert [kind for kind, _ in entry["status"]["messages"]] == [kind for kind, _ in wanted["status"]["messages"]]
    assert differences(wanted["outputs"], entry["outputs"]) == []
    ours, theirs = dict(entry["status"]["messages"]), dict(wanted["status"]["messages"])
    if "execution_error" in theirs:
        assert ours["execution_error"]["exception_type"] == theirs["execution_error"]["exception_type"]
        assert ours["execution_error"].keys() == theirs["execution_error"].keys()


def _steps(kinds: list[str]) -> list[str]:
    """Events that tell a step, each once in a row: how often progress is told depends on the machine."""
    told = [kind for kind in kinds if kind not in ("status", "progress_state", "progress")]
    return [kind for i, kind in enumerate(told) if i == 0 or kind != told[i - 1]]


async def test_an_identical_prompt_is_answered_with_the_old_file_name(url: str, tmp_path: Path) -> None:
    """And if that file has gone, /view is 404 (recorded: run_cached_output_removed)."""
    graph = recording("comfyui", "run_success")["prompt_response"]["request"]["json"]["prompt"]
    _, first = await events_of(url, graph)
    _, second = await events_of(url, graph)
    assert first["outputs"] == second["outputs"]
    name = first["outputs"]["2"]["images"][0]["filename"]
    assert (await ask(url, "GET", f"/view?filename={name}&type=output"))[0] == 200
    (tmp_path / "output" / name).unlink()
    assert (await ask(url, "GET", f"/view?filename={name}&type=output"))[0] == 404


async def test_interrupting_is_targeted(url: str) -> None:
    """Another prompt's id stops nothing; the running one's does, and its history tells so."""
    graph = recording("comfyui", "run_success")["prompt_response"]["request"]["json"]["prompt"]
    inputs = {"image": ["1", 0], "seconds": 30.0, "steps": 10, "interruptible": True, "nonce": 1}
    sleep = {"class_type": "ProbeSleep", "inputs": inputs}
    graph = {**graph, "5": sleep, "2": {**graph["2"], "inputs": {"images": ["5", 0], "filename_prefix": "x"}}}
    running = asyncio.create_task(events_of(url, graph))
    prompt_id = None
    async with asyncio.timeout(10):
        while prompt_id is None:
            queue = (await ask(url, "GET", "/queue"))[2]
            prompt_id = queue["queue_running"][0][1] if queue["queue_running"] else None
    await ask(url, "POST", "/interrupt", {"prompt_id": "another"})
    assert (await ask(url, "GET", f"/api/jobs/{prompt_id}"))[2]["status"] == "in_progress"
    await ask(url, "POST", "/interrupt", {"prompt_id": prompt_id})
    kinds, entry = await running
    assert "execution_interrupted" in kinds
    assert entry["status"]["status_str"] == "error"
    assert (await ask(url, "GET", f"/api/jobs/{prompt_id}"))[2]["status"] == "cancelled"


async def test_uploads_are_named_as_recorded(url: str) -> None:
    """The name is the client's quoted one; a clash gets a number, the same image does not, traversal is refused."""
    png = encode_png(draw("x", 1, 32, 32), {})

    async def upload(name: str, data: bytes, **fields: str) -> tuple[int, Any]:
        form = aiohttp.FormData(fields)
        form.add_field("image", data, filename=name, content_type="image/png")
        async with aiohttp.ClientSession() as session, session.post(f"{url}/upload/image", data=form) as reply:
            return reply.status, await reply.json() if reply.status == 200 else None

    assert await upload("probe in.png", png) == (200, {"name": "probe%20in.png", "subfolder": "", "type": "input"})
    assert (await upload("probe in.png", png))[1]["name"] == "probe%20in.png"
    assert (await upload("probe in.png", png + b"x"))[1]["name"] == "probe%20in (1).png"
    assert (await upload("probe in.png", png, subfolder="agent/x", overwrite="true"))[1]["subfolder"] == "agent/x"
    assert (await upload("probe in.png", png, subfolder="../../etc"))[0] == 400
