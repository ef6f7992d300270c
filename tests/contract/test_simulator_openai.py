"""The simulator answers every recorded request of the OpenAI images API as sd.cpp's server did."""

import asyncio
import base64
import io
import json
import time
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

from .recorded_server import PNG
from .recordings import differences, exchanges, recording

PLAIN = [name for name in exchanges("sdcpp") if recording("sdcpp", name)["request"]["path"].startswith("/v1/")]


@asynccontextmanager
async def server(folder: Path, **more: Any) -> AsyncIterator[tuple[str, aiohttp.ClientSession]]:
    app = make_app(Options(**{"type": "openai", "latency": 0, **more}), folder)
    async with TestServer(app) as running, aiohttp.ClientSession() as session:
        yield str(running.make_url("")).rstrip("/"), session


def form(*images: str, **fields: str) -> aiohttp.FormData:
    """An edit of 64 × 64 pixels."""
    made = aiohttp.FormData({"prompt": "a cat", "size": "64x64", **fields}, default_to_multipart=True)
    for image in images:
        made.add_field("image[]", base64.b64decode(image), filename="a.png", content_type="image/png")
    return made


@pytest.mark.parametrize("name", PLAIN)
async def test_it_answers_as_recorded(tmp_path: Path, name: str) -> None:
    """Status, media type and the shape of the body; refusals word for word."""
    recorded = recording("sdcpp", name)
    asked = recorded["request"]
    data: Any = form(PNG) if name == "openai_edits_ok" else b"{" if asked["json"] is None else json.dumps(asked["json"])
    headers = {} if isinstance(data, aiohttp.FormData) else {"Content-Type": "application/json"}
    async with server(tmp_path) as (url, session):
        sent = {} if asked["method"] == "GET" else {"data": data, "headers": headers}
        async with session.request(asked["method"], url + asked["path"], **sent) as reply:
            body = await reply.json()
            assert (reply.status, reply.content_type) == (recorded["status"], recorded["content_type"])
    assert differences(recorded["body"], body) == []
    if reply.status == 400:
        assert body == recorded["body"]
    if reply.status == 200 and "created" in body:
        assert len(body["data"]) == len(recorded["body"]["data"])


async def test_pictures_are_what_was_asked_for(tmp_path: Path) -> None:
    """Their number, size, format and seed; an edit begins with its source."""
    async with server(tmp_path) as (url, session):

        async def made(path: str, **sent: Any) -> list[Image.Image]:
            async with session.post(f"{url}/v1/images/{path}", **sent) as reply:
                data = (await reply.json())["data"]
            return [Image.open(io.BytesIO(base64.b64decode(one["b64_json"]))) for one in data]

        asked = {"prompt": "x", "size": "96x64", "n": 2, "seed": 1, "output_format": "webp"}
        two = await made("generations", json=asked)
        assert [(one.size, one.format) for one in two] == [((96, 64), "WEBP")] * 2
        (second,) = await made("generations", json={**asked, "n": 1, "seed": 2})
        assert two[1].tobytes() == second.tobytes() != two[0].tobytes()
        (kept,) = await made("edits", data=form(PNG, strength="0"))
        assert kept.convert("RGB").tobytes() == Image.open(io.BytesIO(base64.b64decode(PNG))).convert("RGB").tobytes()


async def test_an_edit_without_a_picture_is_refused(tmp_path: Path) -> None:
    """Also one of bytes that are none."""
    async with server(tmp_path) as (url, session):
        for images, said in (((), "at least one image[] required"), (("eA==",), "failed to decode image")):
            async with session.post(f"{url}/v1/images/edits", data=form(*images)) as reply:
                assert (reply.status, (await reply.json())["error"]) == (400, said)


@pytest.mark.parametrize(("lanes", "turns"), [(1, 4), (4, 1)])
async def test_it_works_on_as_many_jobs_at_once_as_it_has_lanes(tmp_path: Path, lanes: int, turns: int) -> None:
    """One after the other, or all together."""
    async with server(tmp_path, latency=0.1, concurrency=lanes) as (url, session):

        async def one() -> int:
            async with session.post(f"{url}/v1/images/generations", json={"prompt": "x", "size": "64x64"}) as reply:
                return reply.status

        began = time.monotonic()
        assert await asyncio.gather(*(one() for _ in range(4))) == [200] * 4
        assert 0.1 * turns <= time.monotonic() - began < 0.1 * turns + (0.25 if turns == 1 else 1)
