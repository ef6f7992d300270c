"""The simulator answers every recorded request of ComfyUI as the real server did."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from darkroom_simulator.comfyui import MAX_UPLOAD
from darkroom_simulator.draw import draw, encode_png

from .comfyui_client import MODELS, ask, check, server
from .recordings import differences, exchanges, recording, recordings
from .test_simulator_comfyui_runs import RUNS
from .test_simulator_comfyui_stories import STORIES

UPLOADS = {name for name in exchanges("comfyui") if name.startswith("upload_")}
# Headers that make the difference there are not in the recording.
HEADERS = {"origin_mismatch": {"Origin": "http://evil.example"}}
# The simulator tells less: it has no plug-ins and packages, and fewer choices.
LESS = {"get_system_stats", "get_object_info_KSampler", "get_object_info_CheckpointLoaderSimple"}
# Tests below and in the other two files do what was done before these were recorded.
ELSEWHERE = {*UPLOADS, *STORIES, *RUNS, "get_view_ok"}
PLAIN = [name for name in exchanges("comfyui") if name not in ELSEWHERE]


@pytest.fixture
async def url(tmp_path: Path) -> AsyncIterator[str]:
    async with server(tmp_path, models=MODELS[:1]) as running:
        yield running


@pytest.mark.parametrize("name", PLAIN)
async def test_it_answers_as_recorded(url: str, name: str) -> None:
    """Status, media type, and the shape of the body; refusals word for word."""
    recorded = recording("comfyui", name)
    request = recorded["request"]
    answer = await ask(url, request["method"], request["path"], request["json"], HEADERS.get(name))
    if name in LESS:
        assert not [d for d in differences(recorded["body"], answer[2]) if "missing" not in d]
    else:
        check(name, answer)


async def test_files_are_told_with_their_type(url: str) -> None:
    """And with their name, as `get_view_ok` was recorded."""
    recorded = recording("comfyui", "get_view_ok")
    graph = recording("comfyui", "run_success")["prompt_response"]["request"]["json"]["prompt"]
    async with aiohttp.ClientSession() as session, session.ws_connect(f"{url}/ws?clientId=me") as socket:
        async with session.post(f"{url}/prompt", json={"prompt": graph, "client_id": "me"}) as reply:
            assert reply.status == 200
        while (await socket.receive_json())["type"] != "execution_success":
            pass
        async with session.get(f"{url}/view", params=recorded["params"]) as reply:
            assert reply.status == recorded["status"]
            for name in ("Content-Type", "Content-Disposition", "X-Content-Type-Options"):
                assert reply.headers[name] == recorded["headers"][name]
            assert (await reply.read()).hex().startswith(recorded["magic"])


async def _upload(url: str, name: str | None, data: bytes, **fields: str) -> tuple[int, str | None, Any]:
    form = aiohttp.FormData({"x": "y", **fields}, default_to_multipart=True)
    if name is not None:
        form.add_field("image", data, filename=name, content_type="image/png")
    async with aiohttp.ClientSession() as session, session.post(f"{url}/upload/image", data=form) as reply:
        is_json = reply.content_type == "application/json"
        return reply.status, reply.headers.get("Content-Type"), await (reply.json() if is_json else reply.text())


async def test_uploads_are_named_as_recorded(url: str) -> None:
    """The name is the client's quoted one; a clash gets a number, the same image does not, traversal is refused."""
    png = encode_png(draw("x", 1, 32, 32), {})
    check("upload_image", await _upload(url, "probe in.png", png), exact=True)
    check("upload_image_same_again", await _upload(url, "probe in.png", png), exact=True)
    check("upload_image_name_clash", await _upload(url, "probe in.png", png + b"x"), exact=True)
    there = {"subfolder": "agent/x", "overwrite": "true"}
    check("upload_image_subfolder_overwrite", await _upload(url, "probe in.png", png, **there), exact=True)
    check("upload_image_traversal", await _upload(url, "a.png", png, subfolder="../../etc"), exact=True)
    check("upload_image_missing", await _upload(url, None, b""), exact=True)


async def test_what_is_too_large_is_refused(url: str) -> None:
    """With 413 and the limit."""
    form = b'--b\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n\r\n' + bytes(MAX_UPLOAD)
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    check("upload_too_large", await ask(url, "POST", "/upload/image", headers=headers, raw=form + b"\r\n--b--\r\n"))


def test_every_recording_is_replayed() -> None:
    """A new recording is tested, or somebody says why not."""
    assert set(recordings("comfyui")) == {*PLAIN, *ELSEWHERE}
