"""The simulator answers every recorded request of AUTOMATIC1111 as the real server did."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestServer

from darkroom_simulator.app import make_app
from darkroom_simulator.options import Options

from .recordings import differences, exchanges, recording

MODEL = "probe-sd15-random.safetensors"

# What the agent never asks for, and the simulator does not have.
ABSENT = {
    "get_cmd-flags",
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
# Options: the real one has 300, the simulator those that matter; their types are compared, not their number.
SUBSET = {"get_options"}
# Said in other words: how many bytes could not be had; which infotext was pasted; sizes of tensors.
WORDED = {"err_oom_cpu"}


@pytest.fixture
async def url(tmp_path: Path) -> AsyncIterator[str]:
    app = make_app(Options(type="sdwebui", latency=0, models=(MODEL,)), tmp_path)
    async with TestServer(app) as server:
        yield str(server.make_url("")).rstrip("/")


async def ask(url: str, request: dict[str, Any], raw: bytes | None = None) -> tuple[int, str, Any]:
    async with (
        aiohttp.ClientSession() as session,
        session.request(
            request["method"],
            url + request["path"],
            data=raw if raw is not None else None if request["json"] is None else json.dumps(request["json"]),
            headers={"Content-Type": "application/json"},
        ) as reply,
    ):
        return reply.status, reply.content_type, await reply.json()


@pytest.mark.parametrize("name", [name for name in exchanges("a1111") if name not in ABSENT])
async def test_it_answers_as_recorded(url: str, name: str) -> None:
    """Status, media type, and the shape of the body; refusals word for word."""
    recorded = recording("a1111", name)
    raw = b"{nope" if name == "err_not_json" else None
    status, content_type, body = await ask(url, recorded["request"], raw)
    assert (status, content_type) == (recorded["status"], recorded["content_type"])
    wanted = recorded["body"]
    if name in SUBSET:
        wanted = {key: value for key, value in wanted.items() if key in body}
        body = {key: value for key, value in body.items() if key in wanted}
    assert differences(wanted, body) == []
    if status != 200 and name not in WORDED:
        assert body == wanted
    if isinstance(wanted, dict) and isinstance(wanted.get("info"), str):
        # Which parameters it calls extra depends on settings that the simulator does not have.
        left_out = {"extra_generation_params": None}
        assert differences(json.loads(wanted["info"]) | left_out, json.loads(body["info"]) | left_out) == []


async def test_what_is_silently_wrong_stays_so(url: str) -> None:
    """An unknown sampler is replaced, an unknown checkpoint passed over, both with a 200."""
    request = {"prompt": "x", "steps": 1, "width": 64, "height": 64, "sampler_name": "Nope"}
    overrides = {"override_settings": {"sd_model_checkpoint": "nope"}}
    call = {"method": "POST", "path": "/sdapi/v1/txt2img", "json": {**request, **overrides}}
    status, _, body = await ask(url, call)
    info = json.loads(body["info"])
    assert status == 200
    assert info["sampler_name"] != "Nope"
    assert info["sd_model_name"] == "probe-sd15-random"
