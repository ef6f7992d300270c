"""What is too much ends in a clear error and takes little memory: the agent as a process, its own peak as measure."""

import base64
import functools
import json
import os
import struct
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from darkroom_contract.document import JobDocument
from darkroom_contract.job import State
from darkroom_local.emulator import Emulator
from darkroom_local.jobs import workflow
from tests.integration.world import Agent, World, world
from tests.standin import standin

MIB = 1024 * 1024
MOST_RESIDENT = 200 * MIB
SIDE = 15_000  # pixels
IMAGES = "/sdapi/v1/txt2img"

type Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


def peak(agent: Agent) -> int:
    """The most memory that an agent ever had resident, in bytes."""
    status = Path(f"/proc/{agent.process.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


@pytest.fixture
async def sd(tmp_path: Path) -> AsyncIterator[World]:
    """On the stand-in, which takes thousands of objects quickly."""
    async with standin() as aws, world(Emulator(aws.url, os.getpid(), tmp_path / "log"), tmp_path, latency=0) as made:
        yield made


@asynccontextmanager
async def runtime(path: str, answer: Answer) -> AsyncIterator[str]:
    """A runtime of either type that answers requests for one path by `answer`; where it listens."""

    async def idle(_: web.Request) -> web.Response:
        return web.json_response({})

    app = web.Application()
    app.router.add_route("*", path, answer)
    app.router.add_route("*", "/{rest:.*}", idle)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def png(width: int, height: int, pixels: bytes) -> bytes:
    """A PNG in grey of these compressed pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


@functools.cache
def bomb() -> bytes:
    """225 million pixels in a quarter of a megabyte."""
    row = bytes(1 + SIDE)
    return png(SIDE, SIDE, zlib.compress(row * SIDE, 1))


def images(*pictures: bytes, **more: Any) -> Answer:
    """An answer with these images."""

    async def answer(_: web.Request) -> web.Response:
        return web.json_response({"images": [base64.b64encode(one).decode() for one in pictures], **more})

    return answer


def endless(length: int | None = None) -> Answer:
    """An answer that never ends, or not before this length."""

    async def answer(request: web.Request) -> web.StreamResponse:
        headers = {} if length is None else {"Content-Length": str(length)}
        response = web.StreamResponse(headers={"Content-Type": "application/json", **headers})
        await response.prepare(request)
        await response.write(b'{"images": ["')
        while True:
            await response.write(b"A" * MIB)

    return answer


async def ended(sd: World, agent: Agent, job_id: str, **more: Any) -> JobDocument:
    """Send a job, wait for its notification; its document."""
    await sd.job(job_id, more.pop("request", None), **more)
    await sd.notified(job_id, seconds=60)
    assert peak(agent) <= MOST_RESIDENT, f"{peak(agent) / MIB:.0f} MB"
    return await sd.document(job_id)


def failed_with(document: JobDocument, code: str, words: str) -> None:
    assert document.state is State.FAILED
    assert document.error is not None
    assert (document.error.code, words in document.error.message) == (code, True), document.error


async def test_a_webui_that_answers_300_mb(sd: World) -> None:
    """It is refused by its length alone, before it is read."""
    agent = await sd.agent()
    document = await ended(sd, agent, "huge", request={"simulator": {"fault": "huge", "bytes": 300_000_000}})
    failed_with(document, "result_too_large", f"longer than {256 * MIB} bytes")


async def test_a_comfyui_that_answers_300_mb(sd: World) -> None:
    """Whichever answer it is: the history, which is asked for again and again, too."""
    async with runtime("/history/{id}", endless(length=300_000_000)) as url:
        agent = await sd.agent(API_BASE_URL=url, RUNTIME_TYPE="comfyui")
        document = await ended(sd, agent, "huge", task="pipeline", input={"prompt": workflow("x", 1)})
        failed_with(document, "result_too_large", f"longer than {256 * MIB} bytes")


async def test_an_answer_that_never_ends(sd: World) -> None:
    """It is read as far as an answer may be long; then the connection is cut."""
    async with runtime(IMAGES, endless()) as url:
        agent = await sd.agent(API_BASE_URL=url, MAX_OUTPUT_BYTES=str(64 * MIB))
        failed_with(await ended(sd, agent, "endless"), "result_too_large", f"longer than {64 * MIB} bytes")


async def test_an_answer_that_drips(sd: World) -> None:
    """A job's time limit holds for its result too: it is no way to keep an agent busy."""
    agent = await sd.agent(MAX_ATTEMPTS="1")
    drip = {"simulator": {"fault": "slow-drip"}}
    failed_with(await ended(sd, agent, "drip", request=drip, timeout_seconds=1), "timed_out", "within 1 s")


async def test_10_000_images_in_one_job(sd: World) -> None:
    """All of them are stored, each at its place; the notification leaves them to the job document."""
    tiny = [png(1, 1, zlib.compress(bytes((0, number % 256)))) for number in range(10_000)]
    info = json.dumps({"infotexts": ["x" * 400] * len(tiny)})
    async with runtime(IMAGES, images(*tiny, info=info)) as url:
        agent = await sd.agent(API_BASE_URL=url)
        document = await ended(sd, agent, "many")
    assert document.state is State.COMPLETED
    assert len(document.artifacts) == 10_000
    assert [int(one.url.rpartition("/")[2].partition("-")[0]) for one in document.artifacts] == list(range(10_000))
    assert document.response == {"info": "…"}
    assert (await sd.notified("many"))["output_url"].endswith("/many.json")


async def test_a_decompression_bomb_to_convert(sd: World) -> None:
    """It is not decoded; as it is, it is stored like any file."""
    async with runtime(IMAGES, images(bomb())) as url:
        agent = await sd.agent(API_BASE_URL=url, MAX_ATTEMPTS="1")
        failed_with(await ended(sd, agent, "bomb", output={"format": "webp"}), "runtime_failed", "pixels")
        assert (await ended(sd, agent, "as-it-is")).artifacts[0].width == SIDE


async def test_a_decompression_bomb_as_an_input(sd: World) -> None:
    """It is refused by its header, and never sent to the runtime."""
    agent = await sd.agent()
    bucket = sd.topology.bucket
    await sd.clients["s3"].put_object(Bucket=bucket, Key="bomb.png", Body=bomb())
    inline = base64.b64encode(bomb()[:75_000]).decode()
    for job_id, source in (("inline", inline), ("s3", f"s3://{bucket}/bomb.png")):
        document = await ended(sd, agent, job_id, task="image-to-image", request={"init_images": [source]})
        failed_with(document, "input_unavailable", "$.input.init_images[0]: 15000 × 15000 pixels")
    assert await sd.simulator.calls() == []
