"""The sdwebui adapter against what AUTOMATIC1111 and sd.cpp's server were recorded to answer."""

from typing import Any

import pytest

from darkroom_agent.errors import (
    Failure,
    OutOfMemory,
    RuntimeBroken,
    RuntimeBusy,
    RuntimeFailed,
    RuntimeGone,
    RuntimeRefused,
)
from darkroom_agent.ports import Result, RuntimeLimits, ignore_progress
from darkroom_agent.runtimes.sdwebui import SDWebUI
from darkroom_contract.job import Job, Task

from .recorded_server import PNG, Recorded, serving
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
    assert PNG not in str(result.response)
    if "info" in recorded["body"]:
        assert result.response["info"]["all_seeds"]
        # With include_init_images the request's own images are echoed there.
        echoed = {"init_images", "mask"} if name == "img2img_dataurl_mask" else set()
        told, was = result.response["parameters"], recorded["body"]["parameters"]
        assert {key for key in was if told[key] != was[key]} == echoed


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
    (answering(422, {"error": "HTTPException", "detail": "Script 'CUDA out of memory' not found"}), RuntimeRefused),
    (answering(500, {"error": "TypeError", "detail": "", "errors": "'NoneType' has no len()"}), RuntimeFailed),
    (recording("sdcpp", "sdapi_err_no_prompt"), RuntimeRefused),
    (recording("sdcpp", "sdapi_err_width_0"), RuntimeRefused),
    (recording("sdcpp", "sdapi_err_steps_type"), RuntimeRefused),
    (recording("sdcpp", "sdapi_err_not_json"), RuntimeRefused),
    (answering(429, {"detail": "rate limit", "code": 429}), RuntimeBusy),
    (answering(503, "busy"), RuntimeBusy),
    (answering(502, "bad gateway"), RuntimeGone),
    (answering(200, {"images": [], "parameters": {}, "info": "{}"}), RuntimeFailed),
    (answering(200, "<html>"), RuntimeFailed),
    (answering(200, {"images": ["!!!"], "info": ""}), RuntimeFailed),
    (answering(200, {"images": 3}), RuntimeFailed),
    (answering(200, {"images": [""], "info": ""}), RuntimeFailed),
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


async def test_a_sampler_that_was_replaced_all_the_same_is_refused() -> None:
    """A1111 takes names to the letter: what is spelt nearly right is replaced too, and the answer tells."""
    recorded = recording("a1111", "err_sampler")
    with pytest.raises(RuntimeRefused, match=r"took 'euler' for 'DPM\+\+ 2M'; write 'Euler'"):
        await run(server_of(recorded), job_of(recorded, sampler_name="euler"))


async def test_the_old_names_of_samplers_hold_a_scheduler() -> None:
    """`DPM++ 2M Karras` was a sampler's name before v1.9, and is still understood."""
    recorded = recording("a1111", "err_sampler")
    assert (await run(server_of(recorded), job_of(recorded, sampler_name="DPM++ 2M Karras"))).files


async def test_a_server_without_lists_of_choices_is_believed() -> None:
    """What cannot be checked is left to the server."""
    recorded = recording("a1111", "err_sampler")
    server = Recorded()
    server.answer("POST", recorded["request"]["path"], recorded)
    assert (await run(server, job_of(recorded))).files


async def test_a_checkpoint_that_was_passed_over_in_silence_is_refused() -> None:
    """The answer's own account of its checkpoint decides."""
    recorded = recording("a1111", "txt2img_override_unknown_ckpt")
    with pytest.raises(RuntimeRefused, match=r"nope\.safetensors, the runtime used probe-sd15-random"):
        await run(server_of(recorded), job_of(recorded))


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
    assert result.response["info"] == ""


async def test_images_of_the_request_are_not_echoed() -> None:
    """sd.cpp's server answers `init_images` back: the response holds no image bytes."""
    recorded = recording("sdcpp", "sdapi_img2img")
    result = await run(server_of(recorded), job_of(recorded))
    assert result.response["parameters"]["init_images"] == [None]
    assert result.response["parameters"]["denoising_strength"] == 0.9


def test_what_is_not_sent_is_as_wanted() -> None:
    """The server's own defaults: images come in the answer, and are not kept on its disk; options are restored."""
    schema = recording("a1111", "openapi_full")["components"]["schemas"]["StableDiffusionProcessingTxt2Img"]
    names = ("send_images", "save_images", "override_settings_restore_afterwards")
    assert [schema["properties"][name]["default"] for name in names] == [True, False, True]
