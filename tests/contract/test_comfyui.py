"""The comfyui adapter against what ComfyUI was recorded to answer and to send."""

import asyncio
from typing import Any

import pytest
from aiohttp import web

from darkroom_agent.errors import (
    Failure,
    InvalidRequest,
    OutOfMemory,
    RuntimeBroken,
    RuntimeFailed,
    RuntimeGone,
    RuntimeRefused,
    RuntimeWedged,
)
from darkroom_agent.ports import InputImage, Result, RuntimeLimits, ignore_progress
from darkroom_agent.runtimes.comfyui import ComfyUI
from darkroom_contract.job import Job, Task

from .recorded_server import PNG, Recorded, respond, serving
from .recordings import exchanges, recording

LIMITS = RuntimeLimits(poll_seconds=0.05, stall_seconds=0.5, interrupt_seconds=0.5)
EMPTY_QUEUE = recording("comfyui", "get_queue_empty")


def job_of(recorded: dict[str, Any]) -> Job:
    request = recorded.get("prompt_response", recorded)["request"]["json"]
    return Job(id="a", runtime="comfy", task=Task.PIPELINE, input={"prompt": request["prompt"]})


def server_of(name: str) -> Recorded:
    """A server on which one recorded run happens: the prompt is taken, events follow, the history tells."""
    recorded = recording("comfyui", name)
    entry = next(iter(recorded["history"]["body"].values()))
    errors = recorded["prompt_response"]["body"]["node_errors"]
    server = Recorded()
    names: list[str] = []

    def prompt(_request: web.Request, body: Any) -> web.Response:
        names.append(body["prompt_id"])
        server.answer("GET", f"/history/{names[0]}", lambda *_: web.json_response({names[0]: entry}))
        events = [event for event in recorded["ws_events"] if "type" in event]
        server.events([{**e, "data": {**e["data"], "prompt_id": names[0]}} for e in events])
        return web.json_response({"prompt_id": names[0], "number": 1, "node_errors": errors})

    server.answer("POST", "/prompt", prompt)
    server.answer("GET", "/queue", EMPTY_QUEUE)
    server.answer("POST", "/queue", recording("comfyui", "queue_delete_unknown"))
    server.answer("GET", "/view", lambda *_: web.Response(body=b"\x89PNG\r\n\x1a\n picture"))
    return server


async def run(server: Recorded, job: Job, limits: RuntimeLimits = LIMITS, report: Any = ignore_progress) -> Result:
    async with serving(server) as url:
        adapter = ComfyUI(url, limits)
        try:
            async with asyncio.timeout(10):
                return await (await adapter.run(await adapter.prepare(job, 1, {}), report))
        finally:
            await adapter.close()


SUCCESSES = [
    "run_success",
    "run_client_prompt_id",
    "run_extra_data",
    "run_partial_execution_targets",
    "run_loadimage_invert",
    "tiny_1",
    "txt2img_128_cold",
    "txt2img_512_1step",
    "txt2img_64_batch2",
    "run_success_cached_rerun",
]


@pytest.mark.parametrize("name", SUCCESSES)
async def test_a_recorded_success_is_a_result(name: str) -> None:
    """A file for each output of the history, progress up to the end, and the response without the graph."""
    recorded = recording("comfyui", name)
    entry = next(iter(recorded["history"]["body"].values()))
    images = [image for output in entry["outputs"].values() for image in output["images"]]
    seen: list[float] = []
    result = await run(server_of(name), job_of(recorded), report=seen.append)
    assert [file.name for file in result.files] == [image["filename"] for image in images]
    assert result.response["status"]["status_str"] == "success"
    assert "prompt" not in result.response
    assert seen == sorted(seen)
    if "cached" not in name:
        assert result.nodes


async def test_seconds_per_node_come_from_the_events() -> None:
    """The sampler's node is in them, under its id."""
    result = await run(server_of("tiny_1"), job_of(recording("comfyui", "tiny_1")))
    assert result.nodes is not None
    assert "3" in result.nodes


FAILURES: dict[str, tuple[type[Failure], str]] = {
    "run_fail_OOM": (OutOfMemory, r"node 5 ProbeRaise: OutOfMemoryError: CUDA out of memory"),
    "run_fail_MemoryError": (OutOfMemory, r"node 5 ProbeRaise: MemoryError"),
    "run_fail_RuntimeError_cuda": (RuntimeBroken, "CUDA error"),
    "run_fail_ValueError": (RuntimeRefused, "node 5 ProbeRaise: ValueError"),
    "run_loadimage_corrupt": (RuntimeRefused, "UnidentifiedImageError"),
    "run_fail_block_msg": (RuntimeRefused, "without any output"),
    "run_fail_block_silent": (RuntimeRefused, "without any output"),
    "run_partially_valid": (RuntimeRefused, r"node 7 SaveImage: Required input is missing \(images\)"),
}


@pytest.mark.parametrize(("name", "failure"), FAILURES.items())
async def test_a_recorded_failure_is_classified(name: str, failure: tuple[type[Failure], str]) -> None:
    """By the history alone; the message names node, class and exception."""
    with pytest.raises(failure[0], match=failure[1]) as raised:
        await run(server_of(name), job_of(recording("comfyui", name)))
    assert "current_inputs" not in str(raised.value.response)


# The prompt itself is malformed there: the adapter refuses it before it is sent.
MALFORMED = {"err_body_list", "err_body_not_json", "err_prompt_is_list", "err_prompt_is_string", "err_prompt_missing"}
MALFORMED |= {"err_empty_prompt", "err_no_class_type"}
# What the adapter sends itself and never gets wrong: prompt_id and number.
OURS = {"err_number_string", "err_prompt_id_int", "err_prompt_id_not_uuid", "err_prompt_id_uppercase"}
OURS |= {"err_same_number_same_id"}
REFUSED = [name for name in exchanges("comfyui") if name.startswith("err_") and name not in MALFORMED | OURS]


@pytest.mark.parametrize("name", REFUSED)
async def test_a_refused_prompt_is_permanent_and_readable(name: str) -> None:
    """With the node, its class, the reason and the field."""
    recorded = recording("comfyui", name)
    server = Recorded()
    server.answer("POST", "/prompt", recorded)
    with pytest.raises(RuntimeRefused) as refused:
        await run(server, job_of(recorded))
    for node_id, node in recorded["body"]["node_errors"].items():
        assert f"node {node_id} {node['class_type']}: {node['errors'][0]['message']}" in refused.value.message
    assert recorded["body"]["error"]["message"] in refused.value.message


@pytest.mark.parametrize(
    ("request_body", "said"),
    [
        ({}, "without nodes"),
        ({"prompt": {}}, "without nodes"),
        ({"1": {"inputs": {}}}, r"\$\.input\.1: expected a node"),
        ({"1": [1]}, r"\$\.input\.1: expected a node"),
        ({"prompt": {"1": {"class_type": "A", "inputs": []}}}, r"\$\.input\.prompt\.1\.inputs"),
        ({"nodes": [{"id": 1}], "links": []}, r"Export \(API\)"),
        ({"prompt": "x"}, "expected a node"),
    ],
)
async def test_what_is_no_workflow_is_refused_before_it_is_sent(request_body: dict[str, Any], said: str) -> None:
    """ComfyUI would answer some of it with a 500."""
    adapter = ComfyUI("http://unused", LIMITS)
    with pytest.raises(InvalidRequest, match=said):
        adapter.image_fields(Job(id="a", runtime="c", task=Task.PIPELINE, input=request_body))


async def test_a_server_error_is_worth_another_try() -> None:
    """What we send is well formed, so a 500 is the server's own."""
    recorded = recording("comfyui", "err_number_string")
    server = Recorded()
    server.answer("POST", "/prompt", recorded)
    with pytest.raises(RuntimeFailed, match="500"):
        await run(server, job_of(recorded))


async def test_file_names_differ_by_attempt_and_prompt_ids_are_never_used_twice() -> None:
    """A cached rerun would answer with the old file's name; a used prompt_id would be executed twice."""
    adapter = ComfyUI("http://unused", LIMITS)
    job = job_of(recording("comfyui", "run_success"))
    one, two = await adapter.prepare(job, 1, {}), await adapter.prepare(job, 1, {})
    assert one.handle != two.handle
    assert one.payload != two.payload
    assert f"probe-{one.handle[:8]}".encode() in one.payload


async def test_images_are_uploaded_and_named_as_the_server_answers() -> None:
    """URLs, s3:// and base64 in image loaders; file names and prompts are left alone."""
    graph = {
        "1": {"class_type": "LoadImage", "inputs": {"image": "https://example.com/a.png"}},
        "2": {"class_type": "LoadImage", "inputs": {"image": "already-there.png"}},
        "3": {"class_type": "LoadImageMask", "inputs": {"image": PNG * 3}},
        "4": {"class_type": "CLIPTextEncode", "inputs": {"text": "https://example.com/no.png"}},
    }
    server = Recorded()
    server.answer("POST", "/upload/image", recording("comfyui", "upload_image_subfolder_overwrite"))
    job = Job(id="a", runtime="c", task=Task.PIPELINE, input=graph)
    async with serving(server) as url:
        adapter = ComfyUI(url, LIMITS)
        fields = adapter.image_fields(job)
        assert [path for path, _ in fields] == [("1", "inputs", "image"), ("3", "inputs", "image")]
        images = {path: InputImage(b"png", "image/png", "a.png") for path, _ in fields}
        prepared = await adapter.prepare(job, 1, images)
        await adapter.close()
    assert prepared.payload.count(b'"agent/x/probe%20in.png"') == 2
    assert b"already-there.png" in prepared.payload
    assert b"https://example.com/no.png" in prepared.payload


@pytest.mark.parametrize(
    ("name", "failure"), [("upload_too_large", RuntimeRefused), ("upload_image_missing", RuntimeFailed)]
)
async def test_uploads_can_fail(name: str, failure: type[Failure]) -> None:
    """What is too large will not get smaller."""
    graph = {"1": {"class_type": "LoadImage", "inputs": {"image": "https://example.com/a.png"}}}
    server = Recorded()
    server.answer("POST", "/upload/image", recording("comfyui", name))
    job = Job(id="a", runtime="c", task=Task.PIPELINE, input=graph)
    async with serving(server) as url:
        adapter = ComfyUI(url, LIMITS)
        with pytest.raises(failure):
            await adapter.prepare(job, 1, {("1", "inputs", "image"): InputImage(b"p", "image/png", "a.png")})
        await adapter.close()


def running_server() -> Recorded:
    """A server whose job runs and never ends by itself: in the queue, absent from the history."""
    server = server_of("run_success")
    taken = server._answers["POST", "/prompt"]
    state: dict[str, Any] = {"running": None, "asked": asyncio.Event()}
    server.state = state  # type: ignore[attr-defined]

    def prompt(request: web.Request, body: Any) -> web.Response:
        response: web.Response = taken(request, body)
        state["running"] = body["prompt_id"]
        server.answer("GET", f"/history/{body['prompt_id']}", recording("comfyui", "history_while_running"))
        server.events([])
        state["asked"].set()
        return response

    def queue(_request: web.Request, _body: Any) -> web.Response:
        running = [[1, state["running"], {}, {}, []]] if state["running"] else []
        return web.json_response({"queue_running": running, "queue_pending": []})

    server.answer("POST", "/prompt", prompt)
    server.answer("GET", "/queue", queue)
    return server


async def test_a_wedged_worker_is_found_by_its_standstill() -> None:
    """HTTP is healthy, the job stays in progress, interrupt does nothing: only a watchdog helps."""
    server = running_server()
    server.answer("POST", "/interrupt", recording("comfyui", "interrupt_right_id"))
    async with serving(server) as url:
        adapter = ComfyUI(url, LIMITS)
        with pytest.raises(RuntimeWedged, match="no progress"):
            await adapter.run(
                await adapter.prepare(job_of(recording("comfyui", "run_success")), 1, {}), ignore_progress
            )
        with pytest.raises(RuntimeWedged, match="did not stop"):
            await adapter.probe()
        await adapter.probe()
        await adapter.close()


async def test_cancelling_interrupts_this_very_prompt_and_waits_for_it() -> None:
    """Targeted, for an untargeted interrupt would stop whichever job runs."""
    server = running_server()

    def interrupt(_request: web.Request, body: Any) -> web.Response:
        assert body == {"prompt_id": server.state["running"]}  # type: ignore[attr-defined]
        server.state["running"] = None  # type: ignore[attr-defined]
        return respond(recording("comfyui", "interrupt_right_id"))

    server.answer("POST", "/interrupt", interrupt)
    async with serving(server) as url:
        adapter = ComfyUI(url, LIMITS)
        prepared = await adapter.prepare(job_of(recording("comfyui", "run_success")), 1, {})
        running = asyncio.create_task(adapter.run(prepared, ignore_progress))
        await server.state["asked"].wait()  # type: ignore[attr-defined]
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert server.state["running"] is None  # type: ignore[attr-defined]
        await adapter.probe()
        await adapter.close()


async def test_a_restarted_server_has_lost_the_job() -> None:
    """Empty history, empty queue (recorded: history_after_restart): worth another attempt."""
    server = server_of("run_success")
    taken = server._answers["POST", "/prompt"]

    def prompt(request: web.Request, body: Any) -> web.Response:
        response: web.Response = taken(request, body)
        server.answer("GET", f"/history/{body['prompt_id']}", recording("comfyui", "history_after_restart"))
        return response

    server.answer("POST", "/prompt", prompt)
    with pytest.raises(RuntimeGone, match="lost"):
        await run(server, job_of(recording("comfyui", "run_success")))


async def test_after_an_ambiguous_answer_the_server_is_asked_before_sending_again() -> None:
    """The connection was cut after the prompt had arrived: it is found, and not sent twice."""
    server = server_of("run_success")
    taken = server._answers["POST", "/prompt"]

    def cut(request: web.Request, body: Any) -> web.Response:
        response: web.Response = taken(request, body)
        assert request.transport is not None
        request.transport.close()
        return response

    server.answer("POST", "/prompt", cut)
    result = await run(server, job_of(recording("comfyui", "run_success")))
    assert len(result.files) == 1
    assert len([path for _, path, _ in server.asked if path == "/prompt"]) == 1


async def test_an_output_that_is_not_there_is_worth_another_try() -> None:
    """/view is 404 (recorded)."""
    server = server_of("run_success")
    server.answer("GET", "/view", recording("comfyui", "get_view_missing"))
    with pytest.raises(RuntimeFailed, match="404"):
        await run(server, job_of(recording("comfyui", "run_success")))


async def test_without_a_websocket_the_history_is_enough() -> None:
    """Events are for progress alone."""
    server = server_of("run_success")
    async with serving(server) as url:
        adapter = ComfyUI(url, LIMITS)
        adapter._events._url = f"{url}/nothing-here"
        prepared = await adapter.prepare(job_of(recording("comfyui", "run_success")), 1, {})
        result = await (await adapter.run(prepared, ignore_progress))
        await adapter.close()
    assert len(result.files) == 1


async def test_interrupted_by_somebody_else_is_worth_another_try() -> None:
    """The history tells it (recorded)."""
    server = server_of("run_success")
    taken = server._answers["POST", "/prompt"]
    entry = next(iter(recording("comfyui", "history_interrupted")["body"].values()))

    def prompt(request: web.Request, body: Any) -> web.Response:
        response: web.Response = taken(request, body)
        name = body["prompt_id"]
        server.answer("GET", f"/history/{name}", lambda *_: web.json_response({name: entry}))
        return response

    server.answer("POST", "/prompt", prompt)
    with pytest.raises(RuntimeFailed, match="somebody else"):
        await run(server, job_of(recording("comfyui", "run_success")))
