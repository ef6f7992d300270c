"""The sdwebui adapter and checkpoints: a dynamic runtime loads what a job names, and believes only what it sees."""

import asyncio
from typing import Any

import pytest
from aiohttp import web

from darkroom_agent.errors import RuntimeFailed, RuntimeRefused
from darkroom_agent.ports import ignore_progress
from darkroom_contract.job import Job

from .recorded_server import respond
from .recordings import recording
from .test_sdwebui import job_of, run, server_of
from .test_sdwebui_process import adapter_of, finish

OK = recording("a1111", "txt2img_ok")
OPTIONS, TXT2IMG = "/sdapi/v1/options", "/sdapi/v1/txt2img"


def naming(checkpoint: str) -> Job:
    return job_of(OK, override_settings={"sd_model_checkpoint": checkpoint})


class Loading:
    """A server with several checkpoints, that loads what it is told (or says so, and does not)."""

    def __init__(self, *titles: str, deaf: bool = False) -> None:
        self.server = server_of(OK, "post_idle_refresh-checkpoints")
        self.loaded, self.posted, self._deaf = titles[0], list[str](), deaf
        entries = [{"title": title, "model_name": title.partition(".")[0].replace("/", "_")} for title in titles]
        self.server.answer("GET", "/sdapi/v1/sd-models", lambda *_: web.json_response(entries))
        self.server.answer("GET", OPTIONS, lambda *_: web.json_response({"sd_model_checkpoint": self.loaded}))
        self.server.answer("POST", OPTIONS, self._load)
        self.server.answer("POST", TXT2IMG, self.generate)

    def _load(self, _request: web.Request, body: Any) -> web.Response:
        self.posted.append(body["sd_model_checkpoint"])
        # As A1111 does when it has read the file: the title becomes one with a hash.
        self.loaded = self.loaded if self._deaf else body["sd_model_checkpoint"].partition(" [")[0] + " [0123abcdef]"
        return web.json_response(None)

    def generate(self, _request: web.Request, _body: Any) -> web.Response:
        """Answer as the checkpoint that is loaded."""
        stem = self.loaded.partition(".")[0].rpartition("/")[2]
        whole = {**OK, "body": {**OK["body"], "info": f'{{"sd_model_name": "{stem}"}}'}}
        return respond(whole)


async def test_a_dynamic_runtime_loads_what_a_job_names() -> None:
    """Once, and not again while it is loaded, however the next job spells it; the override itself is not sent."""
    loading = Loading("one.safetensors", "two.safetensors")
    async with adapter_of(loading.server, dynamic=True) as adapter:
        for name in ("two", "two.safetensors", "two.safetensors [0123abcdef]"):
            await finish(adapter, naming(name))
            assert (await adapter.prepare(naming(name), 1, {})).model == adapter.loaded_model == "two"
    assert loading.posted == ["two.safetensors"]
    assert all(body["override_settings"] == {} for _, path, body in loading.server.asked if path == TXT2IMG)


async def test_checkpoints_of_one_name_in_two_folders_are_two() -> None:
    """The title decides."""
    loading = Loading("a/one.safetensors", "b/one.safetensors")
    async with adapter_of(loading.server, dynamic=True) as adapter:
        await finish(adapter, naming("b/one.safetensors"))
        assert loading.loaded.startswith("b/one")
        await finish(adapter, naming("a/one.safetensors"))
        assert loading.loaded.startswith("a/one")


async def test_a_checkpoint_that_somebody_else_switched_is_loaded_again() -> None:
    """The answer tells: this attempt fails, and the next one looks at what is loaded."""
    loading = Loading("one.safetensors", "two.safetensors")
    async with adapter_of(loading.server, dynamic=True) as adapter:
        await finish(adapter, naming("two"))
        loading.loaded = "one.safetensors"
        with pytest.raises(RuntimeFailed, match="asks for the checkpoint two, the runtime used one"):
            await finish(adapter, naming("two"))
        await finish(adapter, naming("two"))


async def test_a_switch_that_did_nothing_is_a_failure() -> None:
    """It was answered 200, but the options name the old one."""
    loading = Loading("one.safetensors", "two.safetensors", deaf=True)
    async with adapter_of(loading.server, dynamic=True) as adapter:
        with pytest.raises(RuntimeFailed, match=r"was to load the checkpoint two\.safetensors, but has one"):
            await finish(adapter, naming("two"))
    assert TXT2IMG not in [path for _, path, _ in loading.server.asked]


async def test_an_unknown_checkpoint_is_refused_with_what_there_is() -> None:
    """After the models folder was read again."""
    server = server_of(OK, "get_sd-models", "post_idle_refresh-checkpoints")
    with pytest.raises(RuntimeRefused, match=r"no checkpoint 'nope' .it has: probe-sd15-random.safetensors"):
        await run(server, naming("nope"), dynamic=True)
    assert ("POST", "/sdapi/v1/refresh-checkpoints", {}) in server.asked


async def test_a_result_that_travels_says_nothing_of_what_is_loaded_now() -> None:
    """Its bytes come while the next job, of another checkpoint, runs already."""
    loading = Loading("one.safetensors", "two.safetensors")
    arrived = asyncio.Event()

    async def slow_body(request: web.Request, _body: Any) -> web.StreamResponse:
        whole = respond({**OK, "body": {**OK["body"], "info": '{"sd_model_name": "two"}'}})
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        await arrived.wait()
        assert isinstance(whole.body, bytes)
        await response.write(whole.body)
        return response

    async with adapter_of(loading.server, dynamic=True) as adapter:
        loading.server.answer("POST", TXT2IMG, slow_body)
        travelling = await adapter.run(await adapter.prepare(naming("two"), 1, {}), ignore_progress)
        loading.server.answer("POST", TXT2IMG, loading.generate)
        await finish(adapter, naming("one"))
        arrived.set()
        assert (await travelling).files
        await finish(adapter, naming("two"))
    assert loading.posted == ["two.safetensors", "one.safetensors", "two.safetensors"]
