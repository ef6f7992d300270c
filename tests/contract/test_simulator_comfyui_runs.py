"""The simulator runs prompts as ComfyUI was recorded to: the same events in the same order, history and jobs."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from darkroom_simulator.draw import draw, encode_png

from .comfyui_client import ask, is_over, listening, server, sleeping, submit, told
from .recordings import differences, recording, recordings

RUNS = [
    name for name in recordings("comfyui") if isinstance(found := recording("comfyui", name), dict) and "job" in found
]


def warming(graph: dict[str, Any], cached: list[str]) -> dict[str, Any]:
    """A prompt after which exactly these nodes of another are in the cache."""
    other = deepcopy(graph)
    for node_id, node in other.items():
        if node_id in cached:
            continue
        if node["class_type"] == "ProbeRaise":
            other[node_id] = {"class_type": "ImageInvert", "inputs": {"image": node["inputs"]["image"]}}
        elif node["class_type"] == "KSampler":
            node["inputs"]["seed"] += 1000
        elif node["class_type"] == "EmptyLatentImage":
            node["inputs"]["width"] += 64
    return other


async def prepare(url: str, recorded: dict[str, Any]) -> None:
    """Upload what a run loads, and fill the cache as it was."""
    graph = recorded["prompt_response"]["request"]["json"]["prompt"]
    for node in graph.values():
        if node["class_type"] == "LoadImage":
            folder, _, name = node["inputs"]["image"].rpartition("/")
            form = aiohttp.FormData({"subfolder": folder})
            data = b"not an image" if name == "notimage.png" else encode_png(draw("x", 1, 32, 32), {})
            form.add_field("image", data, filename=name.replace("%20", " "), content_type="image/png")
            async with aiohttp.ClientSession() as session, session.post(f"{url}/upload/image", data=form) as reply:
                assert reply.status == 200
    cached = next(e["data"]["nodes"] for e in recorded["ws_events"] if e.get("type") == "execution_cached")
    if cached:
        async with listening(url, "warming") as listener:
            await submit(url, warming(graph, cached), "warming")
            await listener.until(is_over)


@pytest.mark.parametrize("name", RUNS)
async def test_a_run_goes_as_recorded(tmp_path: Path, name: str) -> None:
    """Every event in its order, previews too; then answer, history and job of the same shape, and the same failure."""
    recorded = recording("comfyui", name)
    request = recorded["prompt_response"]["request"]["json"]
    steps = max(node["inputs"].get("steps", 1) for node in request["prompt"].values())
    wanted = [event for event in recorded["ws_events"] if "closed" not in event]
    flags = any(event.get("type") == "feature_flags" for event in wanted)
    async with server(tmp_path, latency=0.021 * steps) as url:
        await prepare(url, recorded)
        async with listening(url, request["client_id"], features=flags) as listener:
            answer = await ask(url, "POST", "/prompt", request)
            await listener.until(is_over)
        assert [told(event) for event in listener.heard] == [told(event) for event in wanted]
        assert answer[0] == recorded["prompt_response"]["status"]
        assert differences(recorded["prompt_response"]["body"], answer[2]) == []
        prompt_id = answer[2]["prompt_id"]
        (entry,) = (await ask(url, "GET", f"/history/{prompt_id}"))[2].values()
        (kept,) = recorded["history"]["body"].values()
        assert differences(kept, entry) == []
        assert entry["status"]["status_str"] == kept["status"]["status_str"]
        ours, theirs = dict(entry["status"]["messages"]), dict(kept["status"]["messages"])
        assert list(ours) == list(theirs)
        if "execution_error" in theirs and name != "run_loadimage_corrupt":  # that one names the server's folder
            assert ours["execution_error"]["exception_message"] == theirs["execution_error"]["exception_message"]
        job = (await ask(url, "GET", f"/api/jobs/{prompt_id}"))[2]
        assert differences(recorded["job"]["body"], job) == []
        assert job["status"] == recorded["job"]["body"]["status"]


async def test_an_identical_prompt_is_answered_with_the_old_file_name(tmp_path: Path) -> None:
    """And if that file has gone, /view is 404 (run_cached_output_removed)."""
    graph = recording("comfyui", "run_before_output_removed")["prompt_response"]["request"]["json"]["prompt"]
    async with server(tmp_path) as url, listening(url, "me") as listener:
        for _ in range(2):
            await submit(url, graph, "me")
            await listener.until(is_over)
        outputs = [event["data"]["output"] for event in listener.heard if event.get("type") == "executed"]
        assert outputs[0] == outputs[1]
        name = outputs[0]["images"][0]["filename"]
        (tmp_path / "output" / name).unlink()
        assert (await ask(url, "GET", f"/view?filename={name}&type=output"))[0] == 404


async def test_the_cache_holds_the_last_prompt_alone(tmp_path: Path) -> None:
    """Of two prompts in turn each is executed again."""
    async with server(tmp_path) as url, listening(url, "me") as listener:
        for nonce in (1, 2, 1):
            await submit(url, sleeping(0, 1, nonce), "me")
            await listener.until(is_over)
    cached = [event["data"]["nodes"] for event in listener.heard if event.get("type") == "execution_cached"]
    assert cached == [[], ["1"], ["1"]]
