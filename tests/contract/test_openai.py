"""The openai adapter against what sd.cpp's server was recorded to answer, and where that API cannot cancel."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any

import pytest
from aiohttp import web

from darkroom_agent.errors import (
    Failure,
    InvalidRequest,
    OutOfMemory,
    RuntimeBroken,
    RuntimeBusy,
    RuntimeFailed,
    RuntimeGone,
    RuntimeRefused,
    RuntimeWedged,
)
from darkroom_agent.ports import FieldPath, InputImage, Prepared, Result, RuntimeLimits, ignore_progress
from darkroom_agent.runtimes.openai import OpenAIImages
from darkroom_contract.job import Job, Task

from .recorded_server import PNG, Recorded, serving
from .recordings import recording

LIMITS = RuntimeLimits(stall_seconds=0.3, interrupt_seconds=0.1)
PICTURE = base64.b64decode(PNG)
IMAGE = InputImage(PICTURE, "image/png", "../\r\nevil.png")
GENERATIONS, EDITS = "/v1/images/generations", "/v1/images/edits"


def job_of(task: Task = Task.TEXT_TO_IMAGE, **request: Any) -> Job:
    return Job(id="a", runtime="flux", task=task, input={"prompt": "a cat", **request})


@asynccontextmanager
async def adapter_of(server: Recorded, limits: RuntimeLimits = LIMITS, slots: int = 1) -> AsyncIterator[OpenAIImages]:
    async with serving(server) as url:
        adapter = OpenAIImages(url, limits, slots=slots)
        try:
            yield adapter
        finally:
            await adapter.close()


async def run(server: Recorded, job: Job, images: dict[FieldPath, InputImage] | None = None) -> Result:
    async with adapter_of(server) as adapter:
        return await (await adapter.run(await adapter.prepare(job, 1, images or {}), ignore_progress))


async def test_a_key_is_sent_with_every_request() -> None:
    """As OpenAI's clients send theirs; vLLM's and LocalAI's `--api-key` ask for it."""
    sent: list[str | None] = []

    def noting(request: web.Request, _body: Any) -> web.Response:
        sent.append(request.headers.get("Authorization"))
        return web.json_response({"object": "list", "data": []})

    server = Recorded()
    server.answer("GET", "/v1/models", noting)
    async with serving(server) as url:
        for key in ("sk-1", None):
            adapter = OpenAIImages(url, LIMITS, key)
            await adapter.probe()
            await adapter.close()
    assert sent == ["Bearer sk-1", None]


def server_of(recorded: dict[str, Any]) -> Recorded:
    server = Recorded()
    server.answer("POST", recorded["request"]["path"], recorded)
    return server


async def test_a_generation_gives_its_images_and_the_answer_without_them() -> None:
    """Images are asked for as base64 in one answer, whatever the caller says; all else passes as it is."""
    recorded = recording("sdcpp", "openai_gen")
    server = server_of(recorded)
    result = await run(server, job_of(**recorded["request"]["json"], response_format="url", stream=True, lora={"a": 1}))
    assert [file.data for file in result.files] == [PICTURE]
    assert result.response == {**recorded["body"], "data": [{}]}
    (asked,) = server.asked
    assert asked[2] == {**recorded["request"]["json"], "response_format": "b64_json", "lora": {"a": 1}}


async def test_an_edit_is_a_form_with_its_images() -> None:
    """`image[]` and `mask` as files under names of our own; numbers and truth as JSON writes them; null is left out."""
    server = server_of(recording("sdcpp", "openai_edits_ok"))
    fields: dict[FieldPath, InputImage] = {("image", 0): IMAGE, ("image", 1): IMAGE, ("mask",): IMAGE}
    asked = {
        "image": ["s3://a/b", "s3://a/c"],
        "mask": "https://d/e",
        "n": 1,
        "tiling": True,
        "size": None,
        "x": {"y": 1},
    }
    job = job_of(Task.IMAGE_TO_IMAGE, **asked)
    async with adapter_of(server) as adapter:
        assert [path for path, _ in adapter.image_fields(job)] == list(fields)
        prepared = await adapter.prepare(job, 1, fields)
        result = await (await adapter.run(prepared, ignore_progress))
    assert len(result.files) == 1
    parts = form_of(prepared)
    texts = {"prompt": "a cat", "n": "1", "tiling": "true", "x": '{"y":1}', "response_format": "b64_json"}
    assert [(name, data.decode()) for name, file, data in parts if file is None] == list(texts.items())
    assert [(name, file) for name, file, _ in parts if file is not None] == [
        ("image[]", "image-0.png"),
        ("image[]", "image-1.png"),
        ("mask", "mask-2.png"),
    ]
    assert {data for _, file, data in parts if file is not None} == {PICTURE}
    assert server.asked[0][2] == prepared.payload


def form_of(prepared: Prepared) -> list[tuple[str, str | None, bytes]]:
    """Name, file name and content of each part, as another's parser reads them."""
    head = f"Content-Type: {prepared.content_type}\r\n\r\n".encode()
    message = BytesParser(policy=HTTP).parsebytes(head + prepared.payload)
    assert message.is_multipart()
    return [
        (
            str(part.get_param("name", header="content-disposition")),
            part.get_filename(),
            bytes(part.get_payload(decode=True)),
        )
        for part in message.iter_parts()
    ]


@pytest.mark.parametrize("request_", [{"b\r\nX-Evil: 1": 1}, {"text": "\ud800"}])
async def test_what_cannot_be_sent_in_a_form_is_refused(request_: dict[str, Any]) -> None:
    """No header can be smuggled in by a field's name."""
    job = job_of(Task.IMAGE_TO_IMAGE, image="s3://a/b", **request_)
    with pytest.raises(InvalidRequest, match=r"\$\.input: a field cannot be sent in a form"):
        await OpenAIImages("http://127.0.0.1", LIMITS).prepare(job, 1, {("image",): IMAGE})


async def test_nothing_of_a_generation_is_fetched() -> None:
    """Its prompt may be an address, and it has no images."""
    adapter = OpenAIImages("http://127.0.0.1", LIMITS)
    assert adapter.image_fields(job_of(prompt="https://a/b.png", image="https://a/b.png")) == []
    assert adapter.image_fields(job_of(Task.IMAGE_TO_IMAGE, image=["", 3, None], mask="")) == []


def answered(status: int, body: Any) -> dict[str, Any]:
    return {"request": {"path": GENERATIONS}, "status": status, "body": body}


def engine_dead(said: str) -> dict[str, Any]:
    return {"error": {"message": said, "type": "InternalServerError", "param": None, "code": 500}}


MEANT: list[tuple[dict[str, Any], type[Failure], str]] = [
    (recording("sdcpp", "openai_err_no_prompt"), RuntimeRefused, "400: prompt required"),
    (recording("sdcpp", "openai_err_not_json"), RuntimeRefused, "500: server_error"),
    (answered(429, recording("sdcpp", "native_queue_full")["body"]), RuntimeBusy, "job queue is full"),
    (answered(500, engine_dead("EngineCore encountered an issue.")), RuntimeBroken, "500: EngineCore encountered"),
    (answered(500, {"detail": "Image generation failed: CUDA out of memory."}), OutOfMemory, "CUDA out of memory"),
    (answered(422, {"detail": [{"loc": ["body", "n"], "msg": "too many"}]}), RuntimeRefused, "body.n: too many"),
    (answered(401, {"error": "Unauthorized"}), RuntimeRefused, "API_BASE_URL may hold user:password@"),
    (answered(404, {"error": {"message": "no model x"}}), RuntimeRefused, "404: no model x"),
    (answered(408, "slow"), RuntimeFailed, "408: slow"),
    (answered(500, "what?"), RuntimeFailed, "500: what?"),
    (answered(501, engine_dead("this model edits nothing")), RuntimeRefused, "this model edits nothing"),
    (answered(502, ""), RuntimeGone, "502"),
    (answered(503, ""), RuntimeBusy, "503"),
    (answered(200, {"data": [{"url": "http://127.0.0.1/a.png"}]}), RuntimeRefused, "addresses of images"),
    (answered(200, {"data": []}), RuntimeFailed, "without an image"),
    (answered(200, {"data": [{"b64_json": PNG}, {"b64_json": None}]}), RuntimeFailed, "without an image"),
    (answered(200, {"data": [{"b64_json": "%%%"}]}), RuntimeFailed, "a broken image"),
    (answered(200, {"data": "x"}), RuntimeFailed, "no list of images"),
    (answered(200, []), RuntimeFailed, "no object"),
]


@pytest.mark.parametrize(("recorded", "failure", "said"), MEANT)
async def test_every_answer_has_its_meaning(recorded: dict[str, Any], failure: type[Failure], said: str) -> None:
    """And its own words are told."""
    with pytest.raises(failure, match=said.replace("(", r"\(")):
        await run(server_of(recorded), job_of())


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (None, r"does not speak the OpenAI API \(no /v1/models\)"),
        ({"status": 503, "body": {"error": "loading"}}, "GET /v1/models: the runtime answered 503: loading"),
        ({"status": 200, "body": {"models": []}}, "GET /v1/models"),
        ({"status": 200, "body": "hello"}, "GET /v1/models"),
    ],
)
async def test_the_probe_waits_for_a_server_that_speaks_the_api(answer: dict[str, Any] | None, said: str) -> None:
    """And says what is wrong until then."""
    server = Recorded()
    if answer is not None:
        server.answer("GET", "/v1/models", answer)
    async with adapter_of(server) as adapter:
        with pytest.raises(RuntimeGone, match=said):
            await adapter.probe()
        server.answer("GET", "/v1/models", recording("sdcpp", "get_v1_models"))
        await adapter.probe()


class Slow(Recorded):
    """A server that answers a generation when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.began, self.go_on = asyncio.Event(), asyncio.Event()
        self.answer("GET", "/v1/models", recording("sdcpp", "get_v1_models"))
        self.answer("POST", GENERATIONS, self._generation)

    async def _generation(self, _: web.Request, __: Any) -> web.Response:
        self.began.set()
        await self.go_on.wait()
        return web.json_response({"data": [{"b64_json": PNG}]})

    async def given_up(self, adapter: OpenAIImages) -> "asyncio.Task[Any]":
        """A job that was begun, and given up."""
        task = asyncio.create_task(adapter.run(await adapter.prepare(job_of(), 1, {}), ignore_progress))
        async with asyncio.timeout(5):
            await self.began.wait()
        task.cancel()
        return task


async def test_giving_up_waits_for_the_job_and_throws_its_images_away() -> None:
    """The server works on; then it is free for the next."""
    server = Slow()
    async with adapter_of(server, RuntimeLimits(interrupt_seconds=5)) as adapter:
        task = await server.given_up(adapter)
        await asyncio.wait((task,), timeout=0.1)
        assert not task.done(), "the slot is held while the server works"
        server.go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        await adapter.probe()
        assert (await (await adapter.run(await adapter.prepare(job_of(), 1, {}), ignore_progress))).files


async def test_a_server_that_works_on_is_busy_for_the_probe_then_wedged() -> None:
    """Beyond the time to interrupt nobody waits, but no other job is sent there until it has answered."""
    server = Slow()
    async with adapter_of(server) as adapter:
        task = await server.given_up(adapter)
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(task, 5)
        await _busy_then_wedged(adapter)
        server.go_on.set()
        async with asyncio.timeout(5):
            while not await _is_ready(adapter):  # noqa: ASYNC110 (the server tells nobody)
                await asyncio.sleep(0.01)


async def test_one_given_up_job_of_several_keeps_its_slot_and_no_more() -> None:
    """A server that batches goes on with the other slots, and is not restarted beneath the jobs in them."""
    server = Slow()
    async with adapter_of(server, slots=2) as adapter:
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(await server.given_up(adapter), 5)
        await asyncio.sleep(LIMITS.stall_seconds)
        await adapter.probe()
        prepared = await adapter.prepare(job_of(), 1, {})
        server.began.clear()
        second = asyncio.create_task(adapter.run(prepared, ignore_progress))
        await asyncio.wait_for(server.began.wait(), 5)
        third = asyncio.create_task(adapter.run(prepared, ignore_progress))
        await asyncio.sleep(0.1)
        assert [method for method, _, _ in server.asked].count("POST") == 2, "the third waits for a slot"
        await adapter.probe()
        second.cancel()
        await asyncio.wait((second,))
        await _busy_then_wedged(adapter)
        server.go_on.set()
        async with asyncio.timeout(5):
            assert (await (await third)).files


async def _busy_then_wedged(adapter: OpenAIImages) -> None:
    with pytest.raises(RuntimeGone, match="given up"):
        await adapter.probe()
    await asyncio.sleep(LIMITS.stall_seconds)
    with pytest.raises(RuntimeWedged):
        await adapter.probe()


async def _is_ready(adapter: OpenAIImages) -> bool:
    try:
        await adapter.probe()
    except RuntimeWedged:
        return False
    return True


async def test_closing_leaves_what_was_given_up() -> None:
    """An agent that ends does not wait for a server that never answers."""
    server = Slow()
    async with adapter_of(server) as adapter:
        task = await server.given_up(adapter)
        await asyncio.wait((task,))
        async with asyncio.timeout(2):
            await adapter.close()
    server.go_on.set()
