"""The simulator answers every recorded request of AUTOMATIC1111 as the real server did."""

import asyncio
import base64
import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestServer
from PIL import Image

from darkroom_simulator.app import make_app
from darkroom_simulator.options import Options
from tests.simulators import simulator

from .recordings import differences, exchanges, recording, recordings

MODELS = ("probe-sd15-random.safetensors", "other.safetensors")

# What no agent asks for, and the simulator does not have.
ABSENT = {
    "get_face-restorers",
    "get_latent-upscale-modes",
    "get_script-info",
    "get_scripts",
    "interrogate_bad_model",
    "openapi_full",
    "png_info",
    "png_info_bad",
    "png_info_no_meta",
}
# The real one has 300 options and 150 flags, the simulator those that matter; their types are compared.
SUBSET = {"get_options", "get_cmd-flags"}
# Tests below do what was done when these were recorded; a request alone would be answered with every image.
STORIES = {"txt2img_interrupted_niter3", "progress_with_image"}
# Lists of progress, and what `txt2img_ok` has in its `info`.
NO_EXCHANGES = {"progress_during", "progress_after_client_disconnect", "txt2img_ok_info_parsed"}
# Says how many bytes could not be had.
WORDED = {"err_oom_cpu"}
# Settings that an earlier one had overridden were still in force (recorded so).
LEAKED = {"txt2img_override_unknown_ckpt": "txt2img_override_settings"}
PLAIN = [name for name in exchanges("a1111") if name not in ABSENT | STORIES]


@asynccontextmanager
async def server(folder: Path, **more: Any) -> AsyncIterator[str]:
    app = make_app(Options(**{"type": "sdwebui", "latency": 0, "models": MODELS, **more}), folder)
    async with TestServer(app) as running:
        yield str(running.make_url("")).rstrip("/")


async def ask(url: str, request: dict[str, Any], raw: bytes | None = None) -> tuple[int, str, Any]:
    sent = raw if raw is not None else None if request.get("json") is None else json.dumps(request["json"]).encode()
    headers = {"Content-Type": "application/json", **request.get("headers", {})}
    async with (
        aiohttp.ClientSession() as session,
        session.request(request["method"], url + request["path"], data=sent, headers=headers) as reply,
    ):
        return reply.status, reply.content_type, await reply.json()


async def post(url: str, path: str, body: Any = None) -> Any:
    status, _, answer = await ask(url, {"method": "POST", "path": f"/sdapi/v1/{path}", "json": body})
    assert status == 200, answer
    return answer


async def get(url: str, path: str) -> Any:
    return (await ask(url, {"method": "GET", "path": f"/sdapi/v1/{path}"}))[2]


@pytest.mark.parametrize("name", PLAIN)
async def test_it_answers_as_recorded(tmp_path: Path, name: str) -> None:
    """Status, media type, and the shape of the body; refusals word for word."""
    recorded = recording("a1111", name)
    async with server(tmp_path) as url:
        if name in LEAKED:
            await post(url, "txt2img", recording("a1111", LEAKED[name])["request"]["json"])
        raw = b"{nope" if name == "err_not_json" else None
        status, content_type, body = await ask(url, recorded["request"], raw)
    assert (status, content_type) == (recorded["status"], recorded["content_type"])
    wanted = recorded["body"]
    if name in SUBSET:
        wanted = {key: value for key, value in wanted.items() if key in body}
    assert differences(wanted, body) == []
    if status != 200 and name not in WORDED:
        assert body == wanted
    if isinstance(wanted, dict) and isinstance(wanted.get("info"), str):
        check_info(wanted, body)


def check_info(wanted: dict[str, Any], body: dict[str, Any]) -> None:
    """The same number of images, and an `info` of the same shape."""
    ours, theirs = json.loads(body["info"]), json.loads(wanted["info"])
    assert differences(theirs, ours) == []
    assert len(body["images"]) == len(wanted["images"])
    for name in ("all_seeds", "infotexts", "all_prompts"):
        assert len(ours[name]) == len(theirs[name])
    if theirs["seed"] == json.loads(body["info"])["seed"]:
        assert ours["infotexts"] == theirs["infotexts"]


def test_every_recording_is_replayed() -> None:
    """A new recording is tested, or somebody says why not."""
    assert set(recordings("a1111")) == {*PLAIN, *ABSENT, *STORIES, *NO_EXCHANGES}


REQUEST = {"prompt": "a cat", "steps": 10, "width": 64, "height": 64, "seed": 1}


async def _until_it_works(url: str) -> Any:
    while not (progress := await get(url, "progress"))["state"]["job"]:
        pass
    return progress


async def test_an_interrupted_job_answers_with_what_there_is(tmp_path: Path) -> None:
    """200 and no mark; later iterations are missing, and infotexts with them; progress is told as it was recorded."""
    recorded = recording("a1111", "txt2img_interrupted_niter3")
    async with server(tmp_path, latency=30) as url:
        running = asyncio.create_task(post(url, "txt2img", recorded["request"]["json"]))
        progress = await _until_it_works(url)
        assert differences(recording("a1111", "progress_with_image")["body"], progress) == []
        assert progress["state"]["sampling_steps"] == recorded["request"]["json"]["steps"]
        await post(url, "interrupt")
        check_info(recorded["body"], await running)


async def test_skipping_loses_no_image(tmp_path: Path) -> None:
    """It shortens an iteration."""
    recorded = recording("a1111", "txt2img_skipped")
    async with server(tmp_path, latency=30) as url:
        running = asyncio.create_task(post(url, "txt2img", recorded["request"]["json"]))
        await _until_it_works(url)
        await post(url, "skip")
        check_info(recorded["body"], await running)


async def test_one_job_runs_at_a_time_and_a_left_one_goes_on() -> None:
    """The second blocks until the first ends, though its client has gone (progress_after_client_disconnect)."""
    async with simulator("sdwebui", latency=0.5) as running:
        async with aiohttp.ClientSession() as session:
            with pytest.raises(TimeoutError):
                await session.post(f"{running.url}/sdapi/v1/txt2img", json=REQUEST, timeout=aiohttp.ClientTimeout(0.2))
        assert (await get(running.url, "progress"))["state"]["job"], "the server goes on"
        await post(running.url, "txt2img", REQUEST)
        first, second = await running.calls()
    assert first["end"] <= second["start"]
    assert first["end"] - first["start"] >= 0.5


async def test_what_is_silently_wrong_stays_so(tmp_path: Path) -> None:
    """An unknown sampler is replaced, an unknown checkpoint passed over, both with a 200."""
    overrides = {"override_settings": {"sd_model_checkpoint": "nope"}}
    async with server(tmp_path) as url:
        info = json.loads((await post(url, "txt2img", {**REQUEST, "sampler_name": "Nope", **overrides}))["info"])
    assert info["sampler_name"] != "Nope"
    assert info["sd_model_name"] == "probe-sd15-random"


async def test_overridden_settings_leak_unless_they_had_been_set(tmp_path: Path) -> None:
    """The format of one job becomes that of the next (txt2img_override_unknown_ckpt was answered with a JPEG)."""
    override = {"override_settings": {"samples_format": "webp"}}

    async def formats(url: str, *bodies: dict[str, Any]) -> list[str | None]:
        answers = [await post(url, "txt2img", body) for body in bodies]
        return [Image.open(io.BytesIO(base64.b64decode(answer["images"][0]))).format for answer in answers]

    async with server(tmp_path) as url:
        assert await formats(url, REQUEST, {**REQUEST, **override}, REQUEST) == ["PNG", "WEBP", "WEBP"]
    async with server(tmp_path) as url:
        await post(url, "options", {"samples_format": "jpg"})
        assert await formats(url, REQUEST, {**REQUEST, **override}, REQUEST) == ["JPEG", "WEBP", "JPEG"]


async def test_loading_a_checkpoint_takes_its_time(tmp_path: Path) -> None:
    """Another one, and the same again after it was unloaded; what is loaded already takes none."""
    async with server(tmp_path, load_seconds=0.1) as url:
        for options in ({"sd_model_checkpoint": "other"}, {"sd_model_checkpoint": "other.safetensors"}):
            await post(url, "options", options)
        assert (await get(url, "options"))["sd_model_checkpoint"] == "other.safetensors"
        await post(url, "unload-checkpoint")
        info = json.loads((await post(url, "txt2img", REQUEST))["info"])
        assert info["sd_model_name"] == "other"
        async with aiohttp.ClientSession() as session, session.get(f"{url}/_simulator/calls") as reply:
            loads = [call for call in (await reply.json())["calls"] if call["job"] == "load"]
    assert [load["end"] - load["start"] >= 0.1 for load in loads] == [True, True]


async def test_a_grid_comes_first(tmp_path: Path) -> None:
    """Before index_of_first_image, and larger than the images."""
    async with server(tmp_path) as url:
        body = {**REQUEST, "batch_size": 2, "n_iter": 2, "override_settings": {"return_grid": True}}
        answer = await post(url, "txt2img", body)
    sizes = [Image.open(io.BytesIO(base64.b64decode(image))).size for image in answer["images"]]
    assert json.loads(answer["info"])["index_of_first_image"] == 1
    assert sizes == [(128, 128), *[(64, 64)] * 4]


async def test_every_job_leaks(tmp_path: Path) -> None:
    """By the runtime's own account."""
    async with server(tmp_path, leak_bytes=1000) as url:
        before = (await get(url, "memory"))["ram"]["used"]
        await post(url, "txt2img", REQUEST)
        assert (await get(url, "memory"))["ram"]["used"] == before + 1000


async def test_a_password_is_asked_for(tmp_path: Path) -> None:
    """401 without it."""
    request = {"method": "GET", "path": "/sdapi/v1/options"}
    good = {"Authorization": f"Basic {base64.b64encode(b'me:secret').decode()}"}
    async with server(tmp_path, auth="me:secret") as url:
        status, _, body = await ask(url, request)
        assert (status, body["error"]) == (401, "HTTPException")
        assert (await ask(url, {**request, "headers": good}))[0] == 200
