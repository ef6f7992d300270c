"""Webhooks the whole way: agent, results topic, queue, the real handler, a receiver that verifies."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from standardwebhooks import Webhook

from darkroom_local.emulator import Emulator
from darkroom_local.receiver import Delivery, line_of, receiver
from darkroom_local.webhooks import webhook_sender
from tests.unit.web_host import WebHost, answer

from .world import World, world


@pytest.fixture
async def sd(emulator: Emulator, tmp_path: Path) -> AsyncIterator[World]:
    async with world(emulator, tmp_path, latency=0) as made:
        yield made


async def test_a_caller_is_told_by_webhook(sd: World, tmp_path: Path) -> None:
    """Of the job that asks for it and of no other; the receiver fails once and is asked again, and gets the picture."""
    taken: asyncio.Queue[int] = asyncio.Queue()

    async def fail_once(writer: asyncio.StreamWriter) -> None:
        writer.write(answer(status="503 Busy" if len(host.bodies) == 1 else "204 No Content"))
        taken.put_nowait(len(host.bodies))

    async with WebHost() as host, webhook_sender(sd.topology, sd.emulator, tmp_path, host.url("/")):
        host.answers["/hook"] = fail_once
        await sd.agent()
        await sd.job("untold")
        await sd.job("told", context={"order": 7}, webhook={"url": host.url("/hook")})
        async with asyncio.timeout(60):
            while await taken.get() < 2:
                pass
        await sd.notified("untold")
        event = Webhook(sd.topology.webhooks.secret).verify(host.bodies[1], host.headers())
        assert [host.headers(index)["webhook-id"] for index in (0, 1)] == ["told.completed"] * 2
        assert (event["type"], event["data"]["context"]) == ("job.completed", {"order": 7})
        (artifact,) = event["data"]["artifacts"]
        async with aiohttp.ClientSession() as session, session.get(artifact["download_url"]) as picture:
            assert hashlib.sha256(await picture.read()).hexdigest() == artifact["sha256"]


async def test_the_local_receiver_shows_it(sd: World, tmp_path: Path) -> None:
    """As `make local` does, for failures too."""
    shown: asyncio.Queue[Delivery] = asyncio.Queue()
    async with (
        receiver(sd.topology.webhooks.secret, shown.put_nowait) as url,
        webhook_sender(sd.topology, sd.emulator, tmp_path, url),
    ):
        await sd.agent()
        wrong = {"id": "bad", "runtime": "sd", "task": "pipeline", "input": {}, "webhook": {"url": url}}
        await sd.publish(json.dumps(wrong))
        async with asyncio.timeout(60):
            delivery = await shown.get()
    assert line_of(delivery).startswith("[red]✓ webhook job.failed[/] bad ")
