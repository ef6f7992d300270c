"""Each fault of the predecessor is a scenario of its own: the agent, a runtime and emulated AWS as real processes.

FAULTS names every scenario that concerns contract, agent and the flow, here or at the level where it proves most. What
has no test here belongs to parts that come later: charts (6 scaleOnInFlight, 9 extraEnv, 10 probes and the choice of
pods), nodes (12), the tracing daemon (13), its API's limits (1, 7), webhooks and InvokeAI; `make bench` measures gaps.
"""

import asyncio
import base64
import json
import re
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from darkroom_contract.job import State
from darkroom_local.emulator import Emulator, free_port
from darkroom_local.jobs import workflow
from darkroom_simulator.draw import draw, encode_png
from tests.integration.world import World, world
from tests.simulators import simulator

from .door import door

FAULTS = {
    "1 pipeline refused": ["test_every_task_of_the_predecessor_is_accepted", "test_comfyui_workflow_of_the_demo"],
    "2 s3:// inputs fail": ["test_comfyui_with_an_input_from_s3"],
    "3 30 s visibility, no DLQ, no heartbeat": [
        "test_it_extends_itself_while_it_is_kept",
        "test_a_message_that_nobody_settles_goes_to_the_dead_letters",
        "test_a_queue_without_dead_letters_is_told_of",
    ],
    "4 one try, whatever the reason": [
        "test_a_failure_that_passes_is_tried_again",
        "test_after_the_last_attempt_the_job_fails_and_the_message_is_left_to_the_dlq",
    ],
    "5 ComfyUI's errors and silence": [
        "test_a_workflow_that_raises_has_failed",
        "test_a_silent_websocket_hangs_no_job",
        "test_a_lost_websocket_loses_no_job",
    ],
    "7 256 KiB topic": [
        "test_two_formats_of_the_predecessor_and_a_job_ref",
        "test_a_notification_always_fits_the_topic",
    ],
    "8 prompts are fetched, nothing is guarded": [
        "test_a_prompt_that_is_an_address_is_not_fetched",
        "test_a_failed_input_names_its_field",
    ],
    "10 grace": [
        "test_sigterm_finishes_what_runs_and_returns_the_rest",
        "test_sigterm_without_time_interrupts_and_returns",
    ],
    "11 two sets of images": [
        "test_a_second_delivery_leaves_one_set_of_images",
        "test_the_winner_removes_what_a_lost_attempt_left",
    ],
    "13 X-Ray SDK": ["test_the_trace_of_the_x_ray_header_goes_on_to_the_notification"],
    "measured: the runtime idles between two jobs": [
        "test_the_next_message_is_prepared_while_a_job_runs",
        "test_work_goes_on_while_results_are_stored",
    ],
    "runtime killed in a job": ["test_a_runtime_that_is_killed_in_a_job_costs_one_attempt"],
    "runtime down, 5 jobs sent": ["test_a_runtime_that_is_down_fails_nobody"],
    "a message that is not JSON": ["test_what_nobody_can_read_goes_to_the_dlq_unaltered"],
    "job longer than the visibility, 4 agents": ["test_a_job_longer_than_the_visibility_runs_once"],
    "queue endpoint unreachable": ["test_an_unreachable_queue_is_waited_for"],
    "output bucket missing": ["test_a_bucket_that_is_missing_is_waited_for"],
    "SIGTERM while it polls": [
        "test_a_job_that_arrives_after_sigterm_is_left_to_others",
        "test_an_idle_agent_takes_nothing_after_sigterm",
    ],
    "asked for: progress and status": ["test_a_long_job_shows_that_it_runs_and_how_far_it_is"],
    "asked for: cancel": ["test_a_running_job_is_cancelled", "test_a_cancelled_queued_job_is_acknowledged_and_told"],
    "asked for: video": ["test_outputs_of_every_kind_are_saved", "test_comfyui_with_an_input_from_s3"],
    "asked for: batches that survive one bad image": ["test_one_bad_image_fails_its_own_job_alone"],
    "asked for: clear errors": ["test_what_names_its_job_fails_and_says_why", "test_every_mistake_is_told_at_once"],
    "asked for: no pod takes all": [
        "test_an_idle_agent_takes_one_job_and_one_ahead",
        "test_a_message_that_cannot_start_soon_goes_back",
    ],
}


def test_every_scenario_exists() -> None:
    """No name in FAULTS is of a test that has gone, and no scenario of this file is missing there."""
    named = {name for names in FAULTS.values() for name in names}
    files = Path(__file__).parents[1].rglob("test_*.py")
    tests = {
        name for file in files for name in re.findall(r"^(?:async )?def (test_\w+)", file.read_text(), re.MULTILINE)
    }
    here = set(re.findall(r"^async def (test_\w+)", Path(__file__).read_text(), re.MULTILINE))
    assert named <= tests
    assert here <= named


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


async def test_a_runtime_that_is_killed_in_a_job_costs_one_attempt(emulator: Emulator, tmp_path: Path) -> None:
    """Runtime killed in a job: "failed for good". Here the job completes once the runtime is back."""
    async with world(emulator, tmp_path, mortal=True, latency=60) as sd, door(sd.simulator.url) as runtime:
        agent = await sd.agent(API_BASE_URL=runtime.url)
        await send(sd, job("killed"))
        await agent.says("job.started")
        sd.simulator.process.kill()
        await agent.says("runtime.awaited")
        async with simulator("sdwebui", latency=0) as another:
            runtime.behind = another.url
            told = await sd.notified("killed")
        assert (told["status"], told["attempt"]) == ("completed", 2)


async def test_a_runtime_that_is_down_fails_nobody(sd: World) -> None:
    """Runtime down, 5 jobs sent: "5 failed in 3.5 s". Here none is even taken until it is up."""
    async with door(f"http://127.0.0.1:{free_port()}") as runtime:
        await sd.start_agent(API_BASE_URL=runtime.url)
        names = [f"early-{number}" for number in range(5)]
        for name in names:
            await send(sd, job(name))
        await runtime.turned_away(4)
        assert await sd.waiting() == {"ApproximateNumberOfMessages": 5, "ApproximateNumberOfMessagesNotVisible": 0}
        runtime.behind = sd.simulator.url
        told = [await sd.notified(name) for name in names]
        assert [(one["status"], one["attempt"]) for one in told] == [("completed", 1)] * 5


async def test_an_unreachable_queue_is_waited_for(emulator: Emulator, tmp_path: Path) -> None:
    """Queue endpoint unreachable: "the agent exits". Here it goes on: one that starts so, and one that is serving."""

    async def outage(*, at_start: bool) -> None:
        async with world(emulator, tmp_path) as sd, door(emulator.url, is_open=not at_start) as aws:
            agent = await (sd.start_agent if at_start else sd.agent)(AWS_ENDPOINT_URL=aws.url)
            await aws.shut()
            # All of AWS is away: one that starts asks its bucket first.
            await agent.says("store.unreachable" if at_start else "queue.unreachable", seconds=30)
            await aws.open()
            await send(sd, job("after"))
            assert (await sd.notified("after"))["status"] == "completed"

    # Side by side, for each waits out the client's own retries.
    await asyncio.gather(outage(at_start=True), outage(at_start=False))


async def test_a_bucket_that_is_missing_is_waited_for(sd: World) -> None:
    """Output bucket missing: "the agent exits; the message waits". Here it waits for it without taking a message."""
    bucket = f"{sd.topology.bucket}-late"
    agent = await sd.start_agent(S3_BUCKET=bucket)
    await send(sd, job("patient"))
    assert "NoSuchBucket" in (await agent.says("store.unreachable"))["error"]
    await sd.clients["s3"].create_bucket(Bucket=bucket)
    told = await sd.notified("patient")
    assert (told["status"], told["attempt"]) == ("completed", 1)
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


async def test_a_job_longer_than_the_visibility_runs_once(sd: World) -> None:
    """Job longer than the visibility, 4 agents: "run three times, three notifications". Here: once, and one."""
    lease = {"VISIBILITY_SECONDS": "2", "HEARTBEAT_SECONDS": "0.5"}
    await asyncio.gather(*(sd.agent(**lease) for _ in range(4)))
    await send(sd, job("long", {"simulator": {"latency": 3}}))
    assert (await sd.notified("long"))["attempt"] == 1
    await send(sd, job("after"))
    await sd.notified("after")
    assert [one["id"] for one in sd.notifications] == ["long", "after"]
    assert len(await sd.simulator.calls()) == 2


async def test_a_failure_that_passes_is_tried_again(sd: World) -> None:
    """4: a failed job is deleted after one try, whatever the reason. Here the reason decides."""
    await sd.agent()
    await sd.simulator.fault("status", status=503)
    await send(sd, job("passing"))
    told = await sd.notified("passing")
    assert (told["status"], told["attempt"]) == ("completed", 2)
    await sd.simulator.fault("value-error")
    await send(sd, job("refused"))
    told = await sd.notified("refused")
    assert (told["status"], told["attempt"], told["error"]["retryable"]) == ("failed", 1, False)


async def test_a_queue_without_dead_letters_is_told_of(sd: World) -> None:
    """3: no DLQ. The topology has one (its own test); an agent that is given a queue without one says so at once."""
    agent = await sd.start_agent(SQS_QUEUE_URL=sd.results_url)
    assert (await agent.says("queue.no_dead_letter_queue"))["level"] == "error"


async def test_a_workflow_that_raises_has_failed(comfy: World) -> None:
    """5: `execution_error` is never read, a failed workflow is a success without images."""
    await comfy.agent()
    request = {"prompt": workflow("x", 1), "extra_data": {"simulator": {"fault": "value-error"}}}
    await send(comfy, {"id": "raises", "runtime": "sd", "task": "pipeline", "input": request})
    told = await comfy.notified("raises")
    assert (told["status"], told["result"], told["image_url"]) == ("failed", False, [])
    assert told["error"]["message"].startswith("node 3 KSampler: ValueError: ")


async def test_a_silent_websocket_hangs_no_job(comfy: World) -> None:
    """5: the websocket is read without a timeout. Here one that opens and says nothing costs the progress alone."""
    async with door(comfy.simulator.url, mute_websockets=True) as runtime:
        await comfy.agent(API_BASE_URL=runtime.url, STALL_SECONDS="2")
        await send(comfy, {"id": "silent", "runtime": "sd", "task": "pipeline", "input": workflow("x", 1)})
        told = await comfy.notified("silent")
        assert (told["status"], len(told["image_url"])) == ("completed", 2)
        assert not told["timings"].get("nodes")  # so it was silent indeed


async def test_a_prompt_that_is_an_address_is_not_fetched(sd: World) -> None:
    """8: any string that starts with http is fetched, prompts included. Here: fields that hold images alone."""
    await sd.agent()
    address = "http://169.254.169.254/latest/meta-data/"
    # Whoever tried to fetch it would be refused, as an image is, and the job would fail.
    await send(sd, job("prompt", {"prompt": address, "negative_prompt": address, "styles": [address]}))
    assert (await sd.notified("prompt"))["status"] == "completed"
    response: Any = (await sd.document("prompt")).response
    assert response["info"]["prompt"] == address
    await send(sd, {**job("image", {"init_images": [address]}), "task": "image-to-image"})
    assert (await sd.notified("image"))["error"]["code"] == "input_unavailable"


async def test_a_second_delivery_leaves_one_set_of_images(sd: World) -> None:
    """11: file names with a random part, so two deliveries leave two sets. Here one, though the images differ."""
    agent = await sd.agent()
    body = job("twice", {"seed": -1, "simulator": {"latency": 1}})
    await asyncio.gather(send(sd, body), send(sd, body))
    await agent.says("job.already_final")
    await send(sd, body)
    await agent.says("job.already_final", 2)
    document = await sd.document("twice")
    assert document.state is State.COMPLETED
    assert [f"s3://{sd.topology.bucket}/{key}" for key in await sd.keys("sd/twice/")] == [document.artifacts[0].url]
    assert len(await sd.simulator.calls()) == 2
    await send(sd, job("after"))
    await sd.notified("after")
    told = [one["image_url"] for one in sd.notifications if one["id"] == "twice"]
    assert told == [[document.artifacts[0].url]] * 3


async def test_one_bad_image_fails_its_own_job_alone(sd: World) -> None:
    """Batches that survive one bad image: of jobs beside each other only one fails, and names the image."""
    await sd.agent()
    good = base64.b64encode(encode_png(draw("x", 1, 64, 64), {})).decode()
    for number in range(4):
        images = [{"data": data, "name": "a.png"} for data in (good, "%%%" if number == 1 else good)]
        request = {"imageList": images, "upscaler_1": "Lanczos", "upscaling_resize": 1}
        await send(sd, {"id": f"b{number}", "runtime": "sd", "task": "extra-batch-images", "input": request})
    told = [await sd.notified(f"b{number}") for number in range(4)]
    assert [one["status"] for one in told] == ["completed", "failed", "completed", "completed"]
    assert [len(one["image_url"]) for one in told] == [2, 0, 2, 2]
    assert told[1]["error"]["message"].startswith("$.input.imageList[1].data: ")
