"""The agent beside a server of the OpenAI images API: several jobs at once, and jobs that cannot be cancelled there."""

import json
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from darkroom_contract.document import cancel_key
from darkroom_contract.job import State
from darkroom_local.emulator import Emulator
from darkroom_simulator.draw import draw, encode_png

from .world import World, world


@pytest.fixture
async def flux(emulator: Emulator, tmp_path: Path) -> AsyncIterator[World]:
    async with world(emulator, tmp_path, "openai", concurrency=3, latency=1) as made:
        yield made


async def send(flux: World, job_id: str, request: dict[str, Any] | None = None, **more: Any) -> None:
    asked = {"prompt": job_id, "size": "64x64", **(request or {})}
    await flux.publish(json.dumps({"id": job_id, "runtime": "sd", "task": "text-to-image", "input": asked, **more}))


async def test_jobs_run_side_by_side_and_each_gets_its_own_images(flux: World) -> None:
    """As many as RUNTIME_CONCURRENCY says, an edit with an input from S3 among them."""
    await flux.agent(RUNTIME_CONCURRENCY="3")
    source = encode_png(draw("in", 1, 96, 64), {})
    await flux.clients["s3"].put_object(Bucket=flux.topology.bucket, Key="inputs/a.png", Body=source)
    address = f"s3://{flux.topology.bucket}/inputs/a.png"
    await send(flux, "edit", {"image": [address], "size": "96x64"}, task="image-to-image")
    for number in range(5):
        await send(flux, f"j{number}", {"n": 2})
    told = {name: await flux.notified(name) for name in ("edit", *(f"j{number}" for number in range(5)))}
    assert {one["status"] for one in told.values()} == {"completed"}
    assert [len(told[name]["image_url"]) for name in ("edit", "j0", "j4")] == [1, 2, 2]
    assert len({url for one in told.values() for url in one["image_url"]}) == 11
    document = await flux.document("edit")
    assert (document.artifacts[0].width, document.artifacts[0].height) == (96, 64)
    calls = sorted((call["start"], call["end"]) for call in await flux.simulator.calls())
    assert sum(later < ended for (_, ended), (later, _) in pairwise(calls)) >= 3, "they overlap"


async def test_a_cancelled_job_leaves_no_image_and_its_slot_is_free_again(flux: World) -> None:
    """The server makes its images all the same; nobody takes them for anything."""
    await flux.agent(CANCEL_POLL_SECONDS="0.2", RUNNING_AFTER_SECONDS="0.1")
    await send(flux, "stopped", {"simulator": {"latency": 3}})
    while not any(key.endswith("stopped.json") for key in await flux.keys("jobs/")):
        pass
    await flux.clients["s3"].put_object(Bucket=flux.topology.bucket, Key=cancel_key("stopped"), Body=b"")
    assert (await flux.notified("stopped"))["status"] == "cancelled"
    await send(flux, "next")
    assert (await flux.notified("next"))["status"] == "completed"
    assert await flux.keys("sd/stopped/") == []
    assert (await flux.document("stopped")).state is State.CANCELLED


async def test_a_server_that_never_answers_is_marked_for_a_restart(flux: World, tmp_path: Path) -> None:
    """Its HTTP is well, so only the job that was given up tells; other pods get the messages meanwhile."""
    quick = {"INTERRUPT_SECONDS": "0.5", "STALL_SECONDS": "1"}
    agent = await flux.agent(**quick)
    await send(flux, "lost", {"simulator": {"fault": "wedge", "key": "lost"}}, timeout_seconds=1)
    await agent.says("runtime.awaited")
    await agent.says("runtime.restart")
    assert "given up" in (tmp_path / "restart").read_text()
