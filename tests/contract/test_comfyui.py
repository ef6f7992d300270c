"""The comfyui adapter against what ComfyUI was recorded to answer: requests, refusals, results, failures."""

import asyncio
import json
from typing import Any

import pytest
from aiohttp import web

from darkroom_agent.errors import (
    Failure,
    OutOfMemory,
    ResultTooLarge,
    RuntimeBroken,
    RuntimeBusy,
    RuntimeFailed,
    RuntimeGone,
    RuntimeRefused,
)
from darkroom_agent.ports import InputImage, RuntimeLimits
from darkroom_agent.runtimes.comfyui import ComfyUI
from darkroom_contract.job import Job, Task

from .comfyui_server import ANY_JOB, LIMITS, comfy_of, job_of, read, run
from .recorded_server import PNG, Recorded, respond, serving
from .recordings import FOLDER, exchanges

RUNS = sorted(file.stem for file in (FOLDER / "comfyui").glob("*.json") if "prompt_response" in file.read_text())

FAILURES: dict[str, tuple[type[Failure], str]] = {
    "run_fail_OOM": (OutOfMemory, r"node 5 ProbeRaise: OutOfMemoryError: CUDA out of memory"),
    "run_fail_MemoryError": (OutOfMemory, r"node 5 ProbeRaise: MemoryError"),
    "run_fail_RuntimeError_cuda": (RuntimeBroken, "node 5 ProbeRaise: RuntimeError: CUDA error"),
    "run_fail_ValueError": (RuntimeRefused, "node 5 ProbeRaise: ValueError"),
    "run_loadimage_corrupt": (RuntimeRefused, "node 1 LoadImage: UnidentifiedImageError"),
    "run_fail_block_msg": (
        RuntimeRefused,
        "without any output: node 2 SaveImage: ExecutionBlocked: Execution Blocked: probe blocked with message",
    ),
    "run_fail_block_silent": (RuntimeRefused, "without any output$"),
    "run_partially_valid": (RuntimeRefused, r"node 7 SaveImage: Required input is missing \(images\)"),
}
SUCCESSES = [name for name in RUNS if name not in FAILURES]


def test_every_recorded_run_is_here() -> None:
    """None is forgotten."""
    assert len(SUCCESSES) >= 15
    assert set(FAILURES) <= set(RUNS)


@pytest.mark.parametrize("name", SUCCESSES)
async def test_a_recorded_success_is_a_result(name: str) -> None:
    """A file for each saved output of the history, progress up to the end, and the response without the graph."""
    recorded = read(name)
    entry = next(iter(recorded["history"]["body"].values()))
    cached = set(next(data["nodes"] for kind, data in entry["status"]["messages"] if kind == "execution_cached"))
    images = [image for output in entry["outputs"].values() for image in output["images"]]
    seen: list[float] = []
    result = await run(comfy_of(name).server, job_of(recorded), report=seen.append)
    assert [file.name for file in result.files] == [image["filename"] for image in images]
    assert result.response["status"]["status_str"] == "success"
    assert "prompt" not in result.response
    assert seen == sorted(seen)
    assert seen[-1] <= 1
    assert result.nodes is not None
    assert set(result.nodes) == {
        event["data"]["node"]
        for event in recorded["ws_events"]
        if event.get("type") == "executing" and event["data"]["node"] is not None
    }
    assert not cached & set(result.nodes)


@pytest.mark.parametrize(("name", "failure"), FAILURES.items())
async def test_a_recorded_failure_is_classified(name: str, failure: tuple[type[Failure], str]) -> None:
    """By the history; the message names node, class and exception, and no tensor comes along."""
    with pytest.raises(failure[0], match=failure[1]) as raised:
        await run(comfy_of(name).server, job_of(read(name)))
    assert type(raised.value) is failure[0]
    assert "tensor(" not in str(raised.value.response)


# Malformed graphs: the adapter refuses them before they are sent.
MALFORMED = {"err_body_list", "err_body_not_json", "err_prompt_is_list", "err_prompt_is_string", "err_prompt_missing"}
MALFORMED |= {"err_empty_prompt", "err_no_class_type"}
# What the adapter sends itself and never gets wrong: prompt_id and number.
OURS = {"err_number_string", "err_prompt_id_int", "err_prompt_id_not_uuid", "err_prompt_id_uppercase"}
OURS |= {"err_same_number_same_id"}
REFUSED = [name for name in exchanges("comfyui") if name.startswith("err_") and name not in MALFORMED | OURS]


@pytest.mark.parametrize("name", REFUSED)
async def test_a_refused_prompt_is_permanent_and_readable(name: str) -> None:
    """With the node, its class, the reason and the field; the response lists neither models nor tracebacks."""
    recorded = read(name)
    server = Recorded()
    server.answer("POST", "/prompt", recorded)
    with pytest.raises(RuntimeRefused) as refused:
        await run(server, job_of(recorded))
    for node_id, node in recorded["body"]["node_errors"].items():
        first = node["errors"][0]
        assert f"node {node_id} {node['class_type']}: {first['message']} ({first['details']})" in refused.value.message
    assert recorded["body"]["error"]["message"] in refused.value.message
    assert "traceback" not in str(refused.value.response)
    assert "input_config" not in str(refused.value.response)


@pytest.mark.parametrize("name", sorted(MALFORMED - {"err_body_not_json", "err_body_list"}))
async def test_a_malformed_graph_is_never_sent(name: str) -> None:
    """ComfyUI would answer some of them with a 500, which is otherwise worth another try."""
    server = Recorded()
    with pytest.raises(Failure) as refused:
        await run(server, Job(id="a", runtime="c", task=Task.PIPELINE, input=read(name)["request"]["json"]))
    assert not refused.value.retryable
    assert not server.asked


STATUSES: list[tuple[int, type[Failure]]] = [
    (413, RuntimeRefused),
    (429, RuntimeBusy),
    (500, RuntimeFailed),
    (502, RuntimeGone),
    (503, RuntimeBusy),
]


@pytest.mark.parametrize(("status", "failure"), STATUSES)
async def test_other_statuses_have_their_class(status: int, failure: type[Failure]) -> None:
    """What we send is well formed, so a 500 is the server's own."""
    server = Recorded()
    server.answer("POST", "/prompt", {**read("err_number_string"), "status": status})
    with pytest.raises(failure, match=str(status)):
        await run(server, ANY_JOB)


async def test_dropped_outputs_stop_the_whole_job() -> None:
    """A 200 with node_errors runs the rest (recorded: run_partially_valid): it is taken back at once."""
    comfy = comfy_of("run_partially_valid")
    comfy.place = "queue_running"

    def stop(_request: web.Request, _body: Any) -> web.Response:
        comfy.place = None
        return respond(read("interrupt_right_id"))

    comfy.server.answer("POST", "/interrupt", stop)
    with pytest.raises(RuntimeRefused, match="node 7"):
        await run(comfy.server, job_of(read("run_partially_valid")))
    assert comfy.place is None


async def test_file_names_differ_by_attempt_and_prompt_ids_are_never_used_twice() -> None:
    """A cached rerun would answer with the old file's name; a used prompt_id would be executed twice."""
    adapter = ComfyUI("http://unused", LIMITS)
    one, two = await adapter.prepare(ANY_JOB, 1, {}), await adapter.prepare(ANY_JOB, 1, {})
    assert one.handle != two.handle
    for prepared in (one, two):
        body = json.loads(prepared.payload)
        assert body["prompt_id"] == prepared.handle == prepared.handle.lower()
        assert body["prompt"]["2"]["inputs"]["filename_prefix"] == f"probe-{prepared.handle[:8]}"


async def test_images_are_uploaded_and_named_as_the_server_answers() -> None:
    """URLs, s3:// and base64 in image loaders; file names and prompts are left alone."""
    graph = {
        "1": {"class_type": "LoadImage", "inputs": {"image": "https://example.com/a.png"}},
        "2": {"class_type": "LoadImage", "inputs": {"image": "already-there.png"}},
        "3": {"class_type": "LoadImageMask", "inputs": {"image": PNG}},
        "4": {"class_type": "CLIPTextEncode", "inputs": {"text": "https://example.com/no.png"}},
    }
    server = Recorded()
    server.answer("POST", "/upload/image", read("upload_image_subfolder_overwrite"))
    job = Job(id="a", runtime="c", task=Task.PIPELINE, input=graph)
    async with serving(server) as url:
        adapter = ComfyUI(url, LIMITS)
        fields = adapter.image_fields(job)
        assert [path for path, _ in fields] == [("1", "inputs", "image"), ("3", "inputs", "image")]
        images = {path: InputImage(b"png", "image/png", "a.png") for path, _ in fields}
        prepared = await adapter.prepare(job, 1, images)
        await adapter.close()
    sent = json.loads(prepared.payload)["prompt"]
    assert [sent[node]["inputs"] for node in graph] == [
        {"image": "agent/x/probe%20in.png"},
        {"image": "already-there.png"},
        {"image": "agent/x/probe%20in.png"},
        {"text": "https://example.com/no.png"},
    ]
    assert len({body.split(b"filename=")[1][:30] for _, _, body in server.asked}) == 1  # named by content
    assert all(b"overwrite" not in body for _, _, body in server.asked)


@pytest.mark.parametrize(
    ("name", "failure"),
    [("upload_too_large", RuntimeRefused), ("upload_image_missing", RuntimeFailed), ("free", RuntimeFailed)],
)
async def test_uploads_can_fail(name: str, failure: type[Failure]) -> None:
    """What is too large will not get smaller; anything else is not the caller's fault."""
    graph = {"1": {"class_type": "LoadImage", "inputs": {"image": "https://example.com/a.png"}}}
    server = Recorded()
    server.answer("POST", "/upload/image", read(name))
    job = Job(id="a", runtime="c", task=Task.PIPELINE, input=graph)
    async with serving(server) as url:
        adapter = ComfyUI(url, LIMITS)
        with pytest.raises(failure):
            await adapter.prepare(job, 1, {("1", "inputs", "image"): InputImage(b"p", "image/png", "a.png")})
        await adapter.close()


async def test_an_output_that_is_not_there_is_worth_another_try() -> None:
    """/view is 404 (recorded: get_view_missing)."""
    comfy = comfy_of("run_success")
    comfy.server.answer("GET", "/view", read("get_view_missing"))
    with pytest.raises(RuntimeFailed, match="404"):
        await run(comfy.server, ANY_JOB)


async def test_outputs_are_bounded_together() -> None:
    """Two files that each are small enough may be too much."""
    limits = RuntimeLimits(answer_bytes=10_000)
    comfy = comfy_of("txt2img_64_batch2")
    comfy.server.answer("GET", "/view", lambda *_: web.Response(body=b"x" * 6_000))
    with pytest.raises(ResultTooLarge, match="outputs are larger"):
        await run(comfy.server, job_of(read("txt2img_64_batch2")), limits)


async def test_freeing_memory_unloads_the_models() -> None:
    """As it was recorded to be asked."""
    server = Recorded()
    server.answer("POST", "/free", read("free"))
    async with serving(server) as url:
        adapter = ComfyUI(url, LIMITS)
        await adapter.free_memory()
        await adapter.close()
    assert server.asked == [("POST", "/free", read("free")["request"]["json"])]


async def test_memory_of_the_machine_is_not_taken_for_the_servers() -> None:
    """/system_stats tells nothing else (recorded: get_system_stats)."""
    adapter = ComfyUI("http://unused", LIMITS)
    assert await adapter.memory_bytes() is None


async def test_probe_tells_whether_the_server_serves() -> None:
    """200 of /queue; a refusal (recorded: origin_mismatch) or a closed port mean that it does not."""
    server = Recorded()
    server.answer("GET", "/queue", read("get_queue_empty"))
    async with asyncio.timeout(5), serving(server) as url:
        adapter = ComfyUI(url, LIMITS)
        await adapter.probe()
        server.answer("GET", "/queue", read("origin_mismatch"))
        with pytest.raises(RuntimeGone, match="403"):
            await adapter.probe()
    with pytest.raises(RuntimeGone, match="no connection"):
        await adapter.probe()
    await adapter.close()
