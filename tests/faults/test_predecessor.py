"""Each fault of the predecessor, as a scenario that Darkroom passes."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from darkroom_contract.job import State
from darkroom_local.emulator import Emulator
from darkroom_local.jobs import workflow
from tests.integration.world import World, world
from tests.simulators import simulator

from .door import door

SHORT_LEASE = {"VISIBILITY_SECONDS": "2", "HEARTBEAT_SECONDS": "0.5"}


@pytest.fixture
async def sd(emulator: Emulator, tmp_path: Path) -> AsyncIterator[World]:
    async with world(emulator, tmp_path) as made:
        yield made


@pytest.fixture
async def comfy(emulator: Emulator, tmp_path: Path) -> AsyncIterator[World]:
    async with world(emulator, tmp_path, "comfyui") as made:
        yield made


async def send(sd: World, body: dict[str, Any]) -> None:
    """Put a message into the queue itself: it is there when this returns."""
    queue = sd.topology.of("sd").queue_url
    await sd.clients["sqs"].send_message(QueueUrl=queue, MessageBody=json.dumps(body))


def job(job_id: str, request: dict[str, Any] | None = None) -> dict[str, Any]:
    asked = {"prompt": "x", "width": 64, "height": 64, **(request or {})}
    return {"id": job_id, "runtime": "sd", "task": "text-to-image", "input": asked}


async def test_a_runtime_that_is_killed_in_a_job_costs_one_attempt(sd: World) -> None:
    """Runtime killed in a job: "failed for good". Here the job completes once the runtime is back."""
    async with door(sd.simulator.url) as runtime:
        agent = await sd.agent(API_BASE_URL=runtime.url)
        await send(sd, job("killed", {"simulator": {"latency": 60}}))
        await agent.says("job.started")
        sd.simulator.process.kill()
        await agent.says("runtime.awaited")
        async with simulator("sdwebui", latency=0, port=0) as another:
            runtime.behind = another.url
            # The second attempt asks for a minute again; the message is the same.
            assert (await agent.says("job.started", 2))["attempt"] == 2


async def test_a_runtime_that_is_down_fails_nobody(sd: World) -> None:
    """Runtime down, 5 jobs sent: "5 failed in 3.5 s". Here none is even taken until it is up."""
    async with door(sd.simulator.url, is_open=False) as runtime:
        agent = await sd.start_agent(API_BASE_URL=runtime.url)
        names = [f"early-{number}" for number in range(5)]
        for name in names:
            await send(sd, job(name))
        await agent.says("runtime.awaited")
        assert await sd.waiting() == {"ApproximateNumberOfMessages": 5, "ApproximateNumberOfMessagesNotVisible": 0}
        await runtime.open()
        told = [await sd.notified(name) for name in names]
        assert [(one["status"], one["attempt"]) for one in told] == [("completed", 1)] * 5


async def test_an_unreachable_queue_is_waited_for(sd: World) -> None:
    """Queue endpoint unreachable: "the agent exits". Here it goes on, at its start and later."""
    async with door(sd.emulator.url, is_open=False) as aws:
        agent = await sd.start_agent(AWS_ENDPOINT_URL=aws.url)
        await agent.says("queue.unreachable")
        await aws.open()
        await send(sd, job("first"))
        await sd.notified("first")
        await aws.shut()
        seen = sum(entry["event"] == "queue.unreachable" for entry in agent.logged)
        await agent.says("queue.unreachable", seen + 1)
        await aws.open()
        await send(sd, job("second"))
        assert (await sd.notified("second"))["status"] == "completed"


async def test_a_bucket_that_is_missing_is_waited_for(sd: World) -> None:
    """Output bucket missing: "the agent exits; the message waits". Here it comes back until the bucket is there."""
    bucket = f"{sd.topology.bucket}-late"
    agent = await sd.agent(S3_BUCKET=bucket)
    await send(sd, job("patient"))
    await agent.says("job.interrupted")
    await sd.clients["s3"].create_bucket(Bucket=bucket)
    told = await sd.notified("patient")
    assert told["status"] == "completed"
    assert told["attempt"] > 1
    assert told["image_url"][0].startswith(f"s3://{bucket}/")


async def test_a_job_that_arrives_after_sigterm_is_left_to_others(sd: World) -> None:
    """SIGTERM while it polls: "a job that arrives after it is still taken". Here it is visible again at once."""
    agent = await sd.agent(WAIT_SECONDS="10")
    agent.signal(signal.SIGTERM)
    await send(sd, job("late"))
    async with asyncio.timeout(8):
        assert await agent.process.wait() == 0
    assert await sd.waiting() == {"ApproximateNumberOfMessages": 1, "ApproximateNumberOfMessagesNotVisible": 0}
    assert await sd.simulator.calls() == []
