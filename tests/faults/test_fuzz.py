"""Whatever a runtime, a bucket or a file says, only failures of `errors.py` come out, and in bounded time."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any
from unittest import mock

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from darkroom_agent.errors import Failure, InvalidRequest, LeaseLost, RuntimeFailed, Unprocessable
from darkroom_agent.media import sniff
from darkroom_agent.ports import InputImage, Runtime, RuntimeLimits, ignore_progress
from darkroom_agent.record import document_of
from darkroom_agent.runtimes import comfyui, comfyui_answers, images, openai, sdwebui_answers
from darkroom_agent.runtimes.comfyui_events import Events, Track
from darkroom_agent.runtimes.comfyui_workflow import encode_request, image_fields, workflow_of
from darkroom_agent.runtimes.http import Reply, RuntimeHttp
from darkroom_agent.runtimes.sdwebui import SDWebUI
from darkroom_contract.document import JobDocument, document_key
from darkroom_contract.job import Job, State, Task
from tests.unit.world import World, message

from .hostile import COMFY, ENTRIES, EVENTS, GRAPHS, JSON, OBJECTS, RUNS, WEBUI, broken

fuzz = settings(deadline=None, max_examples=200)

DOCUMENT = msgspec.to_builtins(
    JobDocument(id="a", runtime="sd", state=State.COMPLETED, attempt=1, response={"x": 1}, progress=0.5)
)
STATUSES = st.sampled_from([200, 200, 200, 204, 400, 401, 404, 413, 422, 429, 500, 502, 503, 504])


def bodies(values: list[Any]) -> st.SearchStrategy[bytes]:
    """Bodies of answers: JSON that is nearly right, any JSON, any bytes."""
    return (broken(values) | JSON).map(lambda value: json.dumps(value).encode()) | st.binary(max_size=200)


# The answers' meanings, function by function.


@fuzz
@given(STATUSES, bodies(WEBUI))
@example(422, b'{"detail": [{"loc": null, "msg": null}]}')
@example(500, b'{"error": {"a": []}, "errors": 1e300, "detail": ""}')
def test_sdwebui_failures(status: int, body: bytes) -> None:
    """Every answer is some failure, with a bounded message."""
    failure = sdwebui_answers.failure_of(Reply(status, "application/json", body))
    assert len(failure.message) < 700
    msgspec.json.encode(failure.response)


@fuzz
@given(broken(WEBUI) | OBJECTS, st.sampled_from(Task))
@example({"images": ["data:"]}, Task.TEXT_TO_IMAGE)
@example({"images": ["é", "===="], "info": "[" * 100_000}, Task.TEXT_TO_IMAGE)
@example({"images": None, "parameters": {"alwayson_scripts": {"controlnet": {"args": 1}}}}, Task.IMAGE_TO_IMAGE)
def test_sdwebui_results(answer: Any, task: Task) -> None:
    """Images or a RuntimeFailed; a response that a job document can hold; what it tells is text."""
    if not isinstance(answer, dict):
        return
    with suppress(RuntimeFailed):
        images.files_of(sdwebui_answers.images_of(answer))
    response = sdwebui_answers.response_of(task, answer)
    msgspec.json.encode(response)
    for name in ("sd_model_name", "sampler_name"):
        assert isinstance(sdwebui_answers.told(response, name), str | None)


@fuzz
@given(JSON | broken(COMFY))
@example({"node_errors": {"1": {"errors": None}, "2": {"errors": ["x"]}, "3": []}, "error": {"message": []}})
def test_comfyui_refusals(answer: Any) -> None:
    """Every answer is a refusal with a bounded message; every look at queue, history or upload says something."""
    failure = comfyui_answers.refusal(answer)
    assert len(failure.message) <= 500
    msgspec.json.encode(failure.response)
    assert isinstance(comfyui_answers.place_of(answer, "a"), comfyui_answers.Place)
    assert isinstance(comfyui_answers.entry_of(answer, "a"), dict | None)
    with suppress(RuntimeFailed):
        assert comfyui_answers.uploaded_name(answer)


@fuzz
@given(broken(ENTRIES) | OBJECTS)
@example({"status": [], "outputs": [1]})
@example({"status": {"messages": [[[], {}], None, ["execution_error", None]]}})
@example({"status": {"status_str": "error", "messages": [["execution_error", {"exception_type": []}]]}})
@example({"outputs": {"1": [], "2": {"images": [{"filename": "x", "type": {}}]}, "3": None}})
def test_comfyui_history(entry: Any) -> None:
    """Every entry is a success or a failure; its files have names; its response fits a job document."""
    if not isinstance(entry, dict):
        return
    assert isinstance(comfyui_answers.failure_of(entry), Failure | None)
    msgspec.json.encode(comfyui_answers.response_of(entry))
    for file in comfyui_answers.files_of(entry, ["2"]):
        assert all(isinstance(part, str) for part in file.query().values())


@fuzz
@given(broken(GRAPHS) | OBJECTS)
@example({"prompt": None})
@example({"1": {"class_type": "LoadImage", "inputs": {"image": " " * 300}}})
@example({"1": {"class_type": "LoadImage", "inputs": {"image": "A" * 5_000_000 + "!"}}})
def test_comfyui_workflows(request: Any) -> None:
    """What is no workflow is an invalid request; what is one can be encoded, with files in its places."""
    if not isinstance(request, dict):
        return
    try:
        workflow_of(request)
    except InvalidRequest:
        return
    files = {path: "file.png" for path, _ in image_fields(request)}
    body = msgspec.json.decode(encode_request(request, files, "0123456789", "me"))
    assert body["prompt_id"] == "0123456789"


@fuzz
@given(st.lists(broken(EVENTS).map(json.dumps) | JSON.map(json.dumps) | st.text(max_size=30), max_size=8))
@example(['{"type": "progress", "data": {"prompt_id": "a", "value": ' + "9" * 300 + ', "max": 1e-308}}'])
@example(['{"type": "progress", "data": {"prompt_id": "a", "value": ' + "9" * 309 + ', "max": 1}}'])
@example(['{"type": "progress", "data": {"prompt_id": "a", "value": -9, "max": 1}}'])
@example(['{"type": "progress_state", "data": {"prompt_id": "a", "nodes": {"1": {"value": {}, "max": 1}}}}'])
@example(['{"type": [], "data": {"prompt_id": []}}', '{"type": [], "data": {"prompt_id": "a"}}'])
async def test_comfyui_events(texts: list[str]) -> None:
    """Any text may come: progress stays within 0 … 1, and the connection's reader lives on."""
    seen: list[float] = []
    events, track = Events("http://127.0.0.1", "me"), Track(dict.fromkeys("123", "KSampler"), seen.append)
    events.track("a", track)
    for text in texts:
        events._take(text)
    assert all(0 <= value <= 1 for value in seen)
    assert all(seconds >= 0 for seconds in track.nodes.values())


# Both adapters whole: every call is answered, none of the answers is to be relied on.

LIMITS = RuntimeLimits(poll_seconds=0.001, stall_seconds=0.01, interrupt_seconds=0.01)
IMAGE = InputImage(b"a picture", "image/png", "x.png")


class Liar:
    """Answers every request with the next of its replies, over and over."""

    def __init__(self, replies: list[Reply]) -> None:
        self._replies = replies
        self._count = 0

    async def request(self, *_: Any, **__: Any) -> Reply:
        self._count += 1
        await asyncio.sleep(0)
        return self._replies[self._count % len(self._replies)]

    async def open(self, *_: Any, **__: Any) -> Any:
        reply = await self.request()
        return mock.Mock(status=reply.status, read=mock.AsyncMock(return_value=reply), close=mock.Mock())


@asynccontextmanager
async def lied_to(replies: list[Reply], adapter: Runtime) -> AsyncIterator[Runtime]:
    liar = Liar(replies)
    with (
        mock.patch.multiple(RuntimeHttp, request=liar.request, open=liar.open, session=None),
        mock.patch.object(Events, "connect", mock.AsyncMock()),
        mock.patch.object(comfyui, "_SOON", 0.001),
    ):
        yield adapter


async def _tried(adapter: Runtime, job: Job, images: Mapping[Any, InputImage]) -> None:
    """All that the pipeline asks of an adapter. A server that is busy for ever is the job's time limit's affair."""

    async def run() -> None:
        async with asyncio.timeout(0.05):
            prepared = await adapter.prepare(job, 1, images)
            bringing = await adapter.run(prepared, ignore_progress)
            result = await bringing
            msgspec.json.encode(result.response)
            assert all(isinstance(file.data, bytes) for file in result.files)

    steps: list[Callable[[], Any]] = [adapter.probe, run, adapter.memory_bytes, adapter.free_memory, adapter.probe]
    for step in steps:
        with suppress(Failure, TimeoutError):
            await step()
    assert isinstance(adapter.loaded_model, str | None)


def replies(values: list[Any]) -> st.SearchStrategy[list[Reply]]:
    """Some answers to give in turn."""
    return st.lists(st.builds(Reply, STATUSES, st.just("application/json"), bodies(values)), min_size=1, max_size=6)


@fuzz
@given(replies(WEBUI), st.booleans())
@example([Reply(200, "", b'[{"name": "Euler", "aliases": 1}]')], True)
@example([Reply(200, "", b'{"sd_model_checkpoint": []}')], True)
@example([Reply(200, "", b'{"state": [1], "progress": "x"}')], False)
async def test_the_sdwebui_adapter(replies: list[Reply], dynamic: bool) -> None:
    """Whatever the server answers to any call."""
    asked = {"override_settings": {"sd_model_checkpoint": "sharp", "eta": 1}, "sampler_name": "Euler", "scheduler": "k"}
    job = Job(id="a", runtime="r", task=Task.TEXT_TO_IMAGE, input={"prompt": "x", **asked})
    async with lied_to(replies, SDWebUI("http://127.0.0.1", LIMITS, dynamic_model=dynamic)) as adapter:
        await _tried(adapter, job, {})


@fuzz
@given(replies(COMFY + RUNS))
@example([Reply(200, "", b"[]")])
@example([Reply(200, "", b'{"queue_running": 1, "queue_pending": [1, [2]], "name": []}')])
async def test_the_comfyui_adapter(replies: list[Reply]) -> None:
    """Whatever the server answers to any call."""
    graph = {"1": {"class_type": "LoadImage", "inputs": {"image": "https://x/y.png"}}}
    job = Job(id="a", runtime="r", task=Task.PIPELINE, input=graph)
    async with lied_to(replies, comfyui.ComfyUI("http://127.0.0.1", LIMITS)) as adapter:
        await _tried(adapter, job, {("1", "inputs", "image"): IMAGE})


@fuzz
@given(replies(WEBUI), st.sampled_from(sorted(openai.OpenAIImages.tasks)))
@example([Reply(200, "", b'{"data": [{"b64_json": ""}, {"url": 1}]}')], Task.TEXT_TO_IMAGE)
@example([Reply(500, "", b'{"error": {"message": [1]}}')], Task.IMAGE_TO_IMAGE)
async def test_the_openai_adapter(replies: list[Reply], task: Task) -> None:
    """Whatever the server answers to any call."""
    job = Job(id="a", runtime="r", task=task, input={"prompt": "x", "image": ["https://x/y.png"], "n": 2})
    async with lied_to(replies, openai.OpenAIImages("http://127.0.0.1", LIMITS)) as adapter:
        await _tried(adapter, job, {("image", 0): IMAGE})


# Documents in the bucket.

FOREIGN = broken([DOCUMENT]).map(json.dumps).map(str.encode) | JSON.map(json.dumps).map(str.encode) | st.binary()


@fuzz
@given(FOREIGN)
@example(b"")
@example(b"[" * 100_000)
@example(b'{"id": "another", "runtime": "sd", "state": "completed"}')
@example(b'{"id": "\xff", "runtime": "sd", "state": "completed"}')
@example(b'{"id": "a", "runtime": "sd", "state": "running", "progress": 7}')
def test_documents(data: bytes) -> None:
    """What lies at a job's key is its document, or Unprocessable."""
    try:
        document = document_of("a", data)
    except Unprocessable:
        return
    assert document.id == "a"


@pytest.mark.parametrize("data", [b"", b"no JSON", b"[]", b'{"id": "b", "runtime": "sd", "state": "completed"}'])
async def test_a_foreign_object_at_a_jobs_key(data: bytes) -> None:
    """It is not touched, its job is not run and ends in the DLQ; the next job runs."""
    world = World()
    world.store.objects[document_key("a")] = data
    await world.settled(message("a"), message("c"))
    assert world.queue.dead == [message("a")]
    assert world.store.objects[document_key("a")] == data
    assert [told.id for told in world.topic.published] == ["c"]


async def test_a_foreign_object_found_after_a_lost_lease() -> None:
    """What was stored cannot be taken back then, and nothing else comes of it."""
    world = World()

    async def lost(*_: object) -> None:
        world.store.objects[document_key("a")] = b"no JSON"
        raise LeaseLost

    world.store.put_artifact = lost  # type: ignore[method-assign,assignment]
    async with world.running():
        world.queue.send(message("a"))
        [delivery] = await world.queue.receive(1, 0)
        world.prefetch.taken()
        await world.pipeline.handle(world.queue, delivery)
    assert world.store.objects == {document_key("a"): b"no JSON"}


# Headers of files.

STARTS = [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", b"\xff\xd8\xff", b"GIF89a", b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08", b"BM"]
STARTS += [b"RIFF\0\0\0\0WEBP" + kind for kind in (b"VP8 ", b"VP8L", b"VP8X", b"")] + [b"\x1aE\xdf\xa3", b"OggS"]
STARTS += [b"\0\0\0\x18ftyp" + brand for brand in (b"avif", b"mif1", b"heic", b"mp42")] + [b"<html", b"<svg", b'{"']


@fuzz
@given(st.sampled_from(STARTS), st.lists(st.binary(max_size=40) | st.sampled_from([b"meta", b"ispe", b"\xff\xc0"])))
@example(b"\xff\xd8\xff", [b"\xff" * 1_000_000])
@example(b"\0\0\0\x18ftypavif" + b"\0" * 12, [b"\0\x0f\xff\xffmeta" + b"ispe" * 250_000])
@example(b"MM\0*\xff\xff\xff\xff", [])
def test_headers(start: bytes, rest: list[bytes]) -> None:
    """Any bytes are some media or none; a size is positive where it is told at all."""
    media = sniff(start + b"".join(rest))
    if media is not None and media.width is not None:
        assert media.height is not None
        assert media.width > 0
        assert media.height > 0
