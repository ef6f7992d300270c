"""The sdwebui adapter against what AUTOMATIC1111 and sd.cpp's server were recorded to answer."""

import asyncio
from typing import Any

import pytest
from aiohttp import web

from darkroom_agent.errors import (
    Failure,
    OutOfMemory,
    RuntimeBroken,
    RuntimeBusy,
    RuntimeFailed,
    RuntimeGone,
    RuntimeRefused,
    RuntimeWedged,
)
from darkroom_agent.ports import InputImage, Result, RuntimeLimits, ignore_progress
from darkroom_agent.runtimes.sdwebui import SDWebUI
from darkroom_contract.job import Job, Task

from .recorded_server import PNG, Recorded, respond, serving
from .recordings import exchanges, recording

LIMITS = RuntimeLimits(poll_seconds=0.05, stall_seconds=0.5, interrupt_seconds=0.5)
TASKS = {
    "txt2img": Task.TEXT_TO_IMAGE,
    "img2img": Task.IMAGE_TO_IMAGE,
    "extra-single-image": Task.EXTRA_SINGLE_IMAGE,
    "extra-batch-images": Task.EXTRA_BATCH_IMAGES,
}


def job_of(recorded: dict[str, Any], **more: Any) -> Job:
    task = TASKS[recorded["request"]["path"].rsplit("/", 1)[1]]
    return Job(id="a", runtime="sd", task=task, input={**(recorded["request"]["json"] or {}), **more})


def server_of(recorded: dict[str, Any], *others: str) -> Recorded:
    """A server that knows this exchange, what the agent asks beside it, and others by name."""
    server = Recorded()
    for name in ("get_samplers", "get_schedulers", "get_options", "get_progress_skip_current_image_true", *others):
        also = recording("a1111", name)
        server.answer(also["request"]["method"], also["request"]["path"].partition("?")[0], also)
    server.answer("POST", "/sdapi/v1/options", recording("a1111", "options_post_ok"))
    server.answer(recorded["request"]["method"], recorded["request"]["path"], recorded)
    return server


async def run(server: Recorded, job: Job, *, dynamic: bool = False, limits: RuntimeLimits = LIMITS) -> Result:
    async with serving(server) as url:
        adapter = SDWebUI(url, limits, dynamic_model=dynamic)
        try:
            return await (await adapter.run(await adapter.prepare(job, 1, {}), ignore_progress))
        finally:
            await adapter.close()


GENERATIONS = [
    name
    for name in exchanges("a1111")
    if name.startswith(("txt2img_", "img2img_", "extra_")) and recording("a1111", name)["status"] == 200
]


@pytest.mark.parametrize("name", [name for name in GENERATIONS if name != "txt2img_override_unknown_ckpt"])
async def test_a_recorded_success_is_a_result(name: str) -> None:
    """As many files as there were images, in their order; the response without them, `info` parsed."""
    recorded = recording("a1111", name)
    result = await run(server_of(recorded), job_of(recorded))
    images = recorded["body"].get("images", [recorded["body"].get("image")])
    assert len(result.files) == len(images)
    assert all(file.data[:4] in (b"\x89PNG", b"\xff\xd8\xff\xe0", b"\xff\xd8\xff\xe1") for file in result.files)
    assert "images" not in result.response
    if "info" in recorded["body"]:
        assert result.response["info"]["all_seeds"]


REFUSED = {
    "err_alwayson": "Script 'nope' not found",
    "err_batch_0": "IndexError: list index out of range",
    "err_override_type": "body.override_settings: value is not a valid dict",
    "err_script": "Script 'nope' not found",
    "err_steps_0": "ZeroDivisionError: integer division or modulo by zero",
    "err_steps_type": "body.steps: value is not a valid integer",
    "err_width_0": "Kernel size can't be greater than actual input size",
    "err_width_neg": "negative dimension",
    "extra_batch_missing": "body.imageList: field required",
    "extra_single_bad_upscaler": "AssertionError: could not find upscaler named Nope",
    "extra_single_no_image": "Invalid encoded image",
    "img2img_bad_b64": "Invalid encoded image",
    "img2img_empty_init": "Expected 3D",
    "img2img_no_init": "Init image not found",
    "img2img_url": "Request to local resource not allowed",
    "txt2img_override_unknown_key": "KeyError: 'no_such_setting'",
}


@pytest.mark.parametrize(("name", "said"), REFUSED.items())
async def test_a_recorded_refusal_is_permanent_and_readable(name: str, said: str) -> None:
    """Many of them come as 500: what the request made the server trip over would trip it again."""
    recorded = recording("a1111", name)
    with pytest.raises(RuntimeRefused, match=said.replace("(", r"\(")) as refused:
        await run(server_of(recorded), job_of(recorded))
    assert refused.value.response["status"] == recorded["status"]


def answering(status: int, body: Any) -> dict[str, Any]:
    request = {"method": "POST", "path": "/sdapi/v1/txt2img", "json": {"prompt": "x"}}
    return {"request": request, "status": status, "body": body}


OTHERS: list[tuple[dict[str, Any], type[Failure]]] = [
    (recording("a1111", "err_oom_cpu"), OutOfMemory),
    (answering(500, {"error": "OutOfMemoryError", "detail": "", "errors": "CUDA out of memory. Tried"}), OutOfMemory),
    (answering(500, {"error": "RuntimeError", "detail": "", "errors": "CUDA error: illegal access"}), RuntimeBroken),
    (answering(500, {"error": "RuntimeError", "detail": "", "errors": "something odd"}), RuntimeFailed),
    (answering(500, {"detail": "Internal Server Error"}), RuntimeFailed),
    (answering(401, {"detail": "Incorrect username or password"}), RuntimeRefused),
    (answering(404, {"detail": "Not Found"}), RuntimeRefused),
    (answering(429, {"detail": "rate limit", "code": 429}), RuntimeBusy),
    (answering(503, "busy"), RuntimeBusy),
    (answering(502, "bad gateway"), RuntimeGone),
    (answering(200, {"images": [], "parameters": {}, "info": "{}"}), RuntimeFailed),
    (answering(200, "<html>"), RuntimeFailed),
    (answering(200, {"images": ["!!!"], "info": ""}), RuntimeFailed),
    (answering(200, {"images": 3}), RuntimeFailed),
]


@pytest.mark.parametrize(("recorded", "failure"), OTHERS)
async def test_failures_are_classified(recorded: dict[str, Any], failure: type[Failure]) -> None:
    """By the table: which are worth another try."""
    with pytest.raises(failure):
        await run(server_of(recorded), job_of(recorded))


@pytest.mark.parametrize(("name", "field"), [("err_sampler", "sampler_name"), ("err_scheduler", "scheduler")])
async def test_what_the_server_would_replace_in_silence_is_refused(name: str, field: str) -> None:
    """An unknown sampler or scheduler is answered 200 with another one's images: refused before the GPU works."""
    recorded = recording("a1111", name)
    server = server_of(recorded)
    with pytest.raises(RuntimeRefused, match=rf"\$\.input\.{field}: .*'Nope'"):
        await run(server, job_of(recorded))
    assert not [path for _, path, _ in server.asked if path.endswith("txt2img")]


async def test_a_checkpoint_that_was_passed_over_in_silence_is_refused() -> None:
    """The answer's own account of its checkpoint decides."""
    recorded = recording("a1111", "txt2img_override_unknown_ckpt")
    with pytest.raises(RuntimeRefused, match=r"nope\.safetensors, the runtime used probe-sd15-random"):
        await run(server_of(recorded), job_of(recorded))


async def test_a_dynamic_runtime_switches_and_verifies() -> None:
    """Known by title: options are posted; unknown: refused with what there is, after reading the folder again."""
    recorded = recording("a1111", "txt2img_ok")
    server = server_of(recorded, "get_sd-models", "post_idle_refresh-checkpoints")
    wanted = {"override_settings": {"sd_model_checkpoint": "probe-sd15-random"}}
    await run(server, job_of(recorded, **wanted), dynamic=True)
    sent = next(body for _, path, body in server.asked if path.endswith("txt2img"))
    assert "sd_model_checkpoint" not in sent["override_settings"]

    server = server_of(recorded, "get_sd-models", "post_idle_refresh-checkpoints")
    wanted = {"override_settings": {"sd_model_checkpoint": "nope"}}
    with pytest.raises(RuntimeRefused, match=r"no checkpoint 'nope' .it has: probe-sd15-random.safetensors"):
        await run(server, job_of(recorded, **wanted), dynamic=True)
    assert ("POST", "/sdapi/v1/refresh-checkpoints", {}) in server.asked


async def test_settings_do_not_leak_into_later_jobs() -> None:
    """The server restores only keys that had been set before: the adapter sets them back."""
    recorded = recording("a1111", "txt2img_override_settings")
    server = server_of(recorded)
    await run(server, job_of(recorded))
    before = recording("a1111", "get_options")["body"]
    restored = [body for method, path, body in server.asked if (method, path) == ("POST", "/sdapi/v1/options")]
    assert restored == [{key: before[key] for key in ("CLIP_stop_at_last_layers", "samples_format")}]


async def test_progress_is_reported_and_its_end_is_a_stall() -> None:
    """As recorded while a job ran; when nothing moves any more the job is interrupted, and the runtime wedged."""
    states = recording("a1111", "progress_during")
    server = server_of(recording("a1111", "txt2img_ok"), "interrupt_running")
    seen: list[float] = []

    def progress(_request: web.Request, _body: Any) -> web.Response:
        return web.json_response(states.pop(0) if len(states) > 1 else states[0])

    async def never(_request: web.Request, _body: Any) -> web.Response:
        await asyncio.Event().wait()
        raise AssertionError

    server.answer("GET", "/sdapi/v1/progress", progress)
    server.answer("POST", "/sdapi/v1/txt2img", never)
    async with serving(server) as url:
        adapter = SDWebUI(url, LIMITS)
        job = job_of(recording("a1111", "txt2img_ok"))
        with pytest.raises(RuntimeWedged, match="no progress"):
            await adapter.run(await adapter.prepare(job, 1, {}), seen.append)
        with pytest.raises(RuntimeWedged, match="did not stop"):
            await adapter.probe()
        await adapter.close()
    assert seen
    assert ("POST", "/sdapi/v1/interrupt", {}) in server.asked


async def test_cancelling_interrupts_and_throws_the_partial_answer_away() -> None:
    """An interrupted job answers 200 with a partial image and no mark (recorded): nothing of it comes out."""
    interrupted = recording("a1111", "txt2img_interrupted")
    server = server_of(interrupted)
    stopped, began = asyncio.Event(), asyncio.Event()

    async def until_interrupted(_request: web.Request, _body: Any) -> web.Response:
        began.set()
        await stopped.wait()
        return respond(interrupted)

    def interrupt(_request: web.Request, _body: Any) -> web.Response:
        stopped.set()
        return web.json_response({})

    server.answer("POST", "/sdapi/v1/txt2img", until_interrupted)
    server.answer("POST", "/sdapi/v1/interrupt", interrupt)
    async with serving(server) as url:
        adapter = SDWebUI(url, LIMITS)
        running = asyncio.create_task(adapter.run(await adapter.prepare(job_of(interrupted), 1, {}), ignore_progress))
        await began.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert stopped.is_set()
        await adapter.probe()
        await adapter.close()


async def test_a_ghost_of_a_client_that_left_is_interrupted_by_the_probe() -> None:
    """The server goes on working for it (recorded): the next job must not wait behind it."""
    states = recording("a1111", "progress_after_client_disconnect")
    server = server_of(recording("a1111", "txt2img_ok"), "interrupt_running")
    idle = recording("a1111", "get_progress")["body"]

    def progress(_request: web.Request, _body: Any) -> web.Response:
        asked = [path for _, path, _ in server.asked]
        return web.json_response(idle if "/sdapi/v1/interrupt" in asked else states[0])

    server.answer("GET", "/sdapi/v1/progress", progress)
    async with serving(server) as url:
        adapter = SDWebUI(url, LIMITS)
        await adapter.probe()
        await adapter.close()
    assert ("POST", "/sdapi/v1/interrupt", {}) in server.asked


async def test_sd_cpp_has_no_progress_and_no_interrupt() -> None:
    """And its `info` is an empty string: a job works all the same."""
    recorded = recording("sdcpp", "sdapi_txt2img_ok")
    server = Recorded()
    for name in ("get_sdapi_v1_options", "get_sdapi_v1_progress", "get_sdapi_v1_samplers", "sdapi_interrupt"):
        also = recording("sdcpp", name)
        server.answer(also["request"]["method"], also["request"]["path"], also)
    server.answer("POST", "/sdapi/v1/txt2img", recorded)
    job = Job(id="a", runtime="sd", task=Task.TEXT_TO_IMAGE, input=recorded["request"]["json"])
    result = await run(server, job)
    assert len(result.files) == 1


async def test_only_fields_that_hold_images_are_fetched() -> None:
    """A prompt that is a URL stays a prompt; ControlNet's units are found in all their forms."""
    inner = {"image": "d", "mask": "e"}
    body = {
        "prompt": "http://example.com/not-fetched",
        "init_images": ["s3://b/a.png", "http://h/b.png"],
        "mask": "http://h/mask.png",
        "alwayson_scripts": {
            "ControlNet": {"args": [{"image": "http://h/c.png", "module": "http://h/no"}, {"image": inner}]},
            "other": {"args": [{"image": "http://h/no"}]},
        },
    }
    adapter = SDWebUI("http://unused", LIMITS)
    fields = dict(adapter.image_fields(Job(id="a", runtime="sd", task=Task.IMAGE_TO_IMAGE, input=body)))
    assert sorted(fields.values()) == [
        "d",
        "e",
        "http://h/b.png",
        "http://h/c.png",
        "http://h/mask.png",
        "s3://b/a.png",
    ]
    images = {path: InputImage(b"png", "image/png", "x") for path in fields}
    prepared = await adapter.prepare(Job(id="a", runtime="sd", task=Task.IMAGE_TO_IMAGE, input=body), 1, images)
    assert prepared.payload.count(b'"cG5n"') == 6
    assert b"http://example.com/not-fetched" in prepared.payload
    batch = {"imageList": [{"data": PNG, "name": "a"}, {"data": "http://h/a"}]}
    fields = dict(adapter.image_fields(Job(id="a", runtime="sd", task=Task.EXTRA_BATCH_IMAGES, input=batch)))
    assert set(fields) == {("imageList", 0, "data"), ("imageList", 1, "data")}


async def test_a_server_that_is_not_there_is_gone() -> None:
    """Refused connections are worth another try."""
    adapter = SDWebUI("http://127.0.0.1:9", LIMITS)
    with pytest.raises(RuntimeGone):
        await adapter.probe()
    await adapter.close()


async def test_memory_is_the_servers_own() -> None:
    """For recycling."""
    server = server_of(recording("a1111", "txt2img_ok"), "get_memory")
    async with serving(server) as url:
        adapter = SDWebUI(url, LIMITS)
        assert await adapter.memory_bytes() == recording("a1111", "get_memory")["body"]["ram"]["used"]
        await adapter.close()
