"""The agent as a process: real messages through emulated AWS, real signals, a real runtime's HTTP."""

import asyncio
import hashlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from darkroom_contract.document import cancel_key
from darkroom_contract.job import State
from darkroom_local.emulator import Emulator
from darkroom_local.jobs import workflow
from darkroom_simulator.draw import draw, encode_png

from .world import World, world


@pytest.fixture
async def sd(emulator: Emulator, tmp_path: Path) -> AsyncIterator[World]:
    async with world(emulator, tmp_path) as made:
        yield made


@pytest.fixture
async def mortal(emulator: Emulator, tmp_path: Path) -> AsyncIterator[World]:
    async with world(emulator, tmp_path, mortal=True) as made:
        yield made


async def test_a_job_goes_the_whole_way(sd: World) -> None:
    """Topic, queue, agent, runtime, S3, notification; the artifact is what the document says, the queue is empty."""
    await sd.agent()
    await sd.job("whole", context={"order": 7}, prefix="shop/a")
    told = await sd.notified("whole")
    document = await sd.document("whole")
    assert document.state is State.COMPLETED
    assert (told["status"], told["result"], told["context"], told["runtime"]) == ("completed", True, {"order": 7}, "sd")
    assert told["output_url"].startswith(f"s3://{sd.topology.bucket}/jobs/")
    key = told["image_url"][0].partition(f"s3://{sd.topology.bucket}/")[2]
    answer = await sd.clients["s3"].get_object(Bucket=sd.topology.bucket, Key=key)
    async with answer["Body"] as body:
        data = await body.read()
    artifact = document.artifacts[0]
    assert key == f"shop/a/whole/0-{artifact.sha256[:12]}.png"
    assert hashlib.sha256(data).hexdigest() == artifact.sha256
    assert answer["ContentType"] == "image/png"
    assert set((await sd.waiting()).values()) == {0}


async def test_comfyui_with_an_input_from_s3(emulator: Emulator, tmp_path: Path) -> None:
    """A workflow whose LoadImage names s3://, with two kinds of outputs, converted as asked."""
    async with world(emulator, tmp_path, "comfyui") as comfy:
        await comfy.agent()
        source = encode_png(draw("in", 1, 96, 64), {})
        await comfy.clients["s3"].put_object(Bucket=comfy.topology.bucket, Key="inputs/a.png", Body=source)
        graph: dict[str, Any] = {
            "1": {"class_type": "LoadImage", "inputs": {"image": f"s3://{comfy.topology.bucket}/inputs/a.png"}},
            "2": {"class_type": "ImageInvert", "inputs": {"image": ["1", 0]}},
            "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": "inv"}},
            "4": {"class_type": "SaveVideo", "inputs": {"images": ["2", 0], "filename_prefix": "vid"}},
        }
        body = {"id": "inv", "runtime": "sd", "task": "pipeline", "input": graph, "output": {"format": "webp"}}
        await comfy.publish(json.dumps(body))
        told = await comfy.notified("inv")
        assert [(one["content_type"], one.get("width")) for one in told["artifacts"]] == [
            ("image/webp", 96),
            ("video/mp4", None),
        ]
        assert told["timings"]["nodes"]


async def test_a_failed_input_names_its_field(sd: World) -> None:
    """An input that may not be fetched is a permanent failure with a clear message; nothing is run."""
    await sd.agent()
    request = {"init_images": ["http://169.254.169.254/latest/meta-data/"], "prompt": "x"}
    body = {"id": "ssrf", "runtime": "sd", "task": "image-to-image", "input": request}
    await sd.publish(json.dumps(body))
    told = await sd.notified("ssrf")
    assert told["status"] == "failed"
    assert told["error"]["code"] == "input_unavailable"
    assert told["error"]["message"].startswith("$.input.init_images[0]: ")
    assert await sd.simulator.calls() == []


async def test_a_killed_agent_loses_nothing(sd: World) -> None:
    """SIGKILL in the middle of a job: the message comes back by its visibility, another agent completes it."""
    first = await sd.agent(VISIBILITY_SECONDS="2", HEARTBEAT_SECONDS="1")
    await sd.job("killed", {"simulator": {"latency": 30}})
    await first.says("job.started")
    first.signal(signal.SIGKILL)
    # The simulator goes on for the client that left; the new agent interrupts it before it takes work.
    await sd.agent(VISIBILITY_SECONDS="2", HEARTBEAT_SECONDS="1", MAX_JOB_SECONDS="3", MAX_ATTEMPTS="2")
    told = await sd.notified("killed")
    assert told["attempt"] == 2


async def test_a_long_job_keeps_its_lease(sd: World) -> None:
    """Longer than the visibility, with two agents listening: it runs once (the predecessor: three times)."""
    await sd.agent(VISIBILITY_SECONDS="2", HEARTBEAT_SECONDS="0.5")
    await sd.agent(VISIBILITY_SECONDS="2", HEARTBEAT_SECONDS="0.5")
    await sd.job("long", {"simulator": {"latency": 5}})
    told = await sd.notified("long")
    assert (told["status"], told["attempt"]) == ("completed", 1)
    assert len(await sd.simulator.calls()) == 1


async def test_sigterm_finishes_what_runs_and_returns_the_rest(sd: World) -> None:
    """The running job completes, the waiting ones are visible at once, the process ends by itself with status 0."""
    agent = await sd.agent()
    for name in ("runs", "waits-1", "waits-2"):
        await sd.job(name, {"simulator": {"latency": 2}})
    await agent.says("job.started")
    agent.signal(signal.SIGTERM)
    async with asyncio.timeout(15):
        assert await agent.process.wait() == 0
    assert len(await sd.simulator.calls()) == 1
    assert await sd.waiting() == {"ApproximateNumberOfMessages": 2, "ApproximateNumberOfMessagesNotVisible": 0}


async def test_sigterm_without_time_interrupts_and_returns(sd: World) -> None:
    """A job longer than the grace period is interrupted, and its message visible at once."""
    agent = await sd.agent(GRACE_SECONDS="2")
    await sd.job("too-long", {"simulator": {"latency": 60}})
    await agent.says("job.started")
    agent.signal(signal.SIGTERM)
    async with asyncio.timeout(10):
        assert await agent.process.wait() == 0
    assert await sd.waiting() == {"ApproximateNumberOfMessages": 1, "ApproximateNumberOfMessagesNotVisible": 0}
    (call,) = await sd.simulator.calls()
    assert call["end"] - call["start"] < 10


async def test_an_idle_agent_takes_nothing_after_sigterm(sd: World) -> None:
    """The predecessor still takes a job that arrives while it leaves."""
    agent = await sd.agent()
    agent.signal(signal.SIGTERM)
    async with asyncio.timeout(10):
        assert await agent.process.wait() == 0
    await sd.job("later")
    assert await sd.simulator.calls() == []


async def test_a_running_job_is_cancelled(sd: World) -> None:
    """By the mark that the API leaves beside its document, which shows `running` by then."""
    await sd.agent(RUNNING_AFTER_SECONDS="0.2", CANCEL_POLL_SECONDS="0.2")
    await sd.job("cancelled", {"simulator": {"latency": 60}})
    async with asyncio.timeout(10):
        while not await sd.keys("jobs/"):
            pass
    assert (await sd.document("cancelled")).state is State.RUNNING
    await sd.clients["s3"].put_object(Bucket=sd.topology.bucket, Key=cancel_key("cancelled"), Body=b"")
    assert (await sd.notified("cancelled"))["status"] == "cancelled"
    (call,) = await sd.simulator.calls()
    assert call["end"] - call["start"] < 20


async def test_a_crashed_runtime_is_waited_for(mortal: World) -> None:
    """The process dies in a job; no other message is burnt while it is away."""
    sd = mortal
    agent = await sd.agent()
    await sd.job("crash", {"simulator": {"fault": "crash", "key": "c"}})
    await agent.says("job.retry")
    await agent.says("runtime.down")
    for name in "abc":
        await sd.job(name)
    assert await sd.simulator.process.wait() == 139
    assert {entry["event"] for entry in agent.logged[-3:]} & {"runtime.down", "job.retry"}
    started = [entry for entry in agent.logged if entry["event"] == "job.started"]
    assert [entry["job_id"] for entry in started] == ["crash"]


async def test_two_formats_of_the_predecessor_and_a_job_ref(sd: World) -> None:
    """v1alpha2, v1alpha1, and a document that is too large for the topic."""
    await sd.agent()
    asked = {"prompt": "x", "width": 64, "height": 64}
    meta = {"id": "old-2", "runtime": "sd", "tasktype": "text-to-image", "prefix": "out/", "context": {"k": "v"}}
    await sd.publish(json.dumps({"metadata": meta, "content": asked}))
    scripts = {
        "task": "text-to-image",
        "id_task": "old-1",
        "sd_model_checkpoint": "dreamy.safetensors",
        "save_dir": "out",
    }
    await sd.publish(json.dumps({**asked, "alwayson_scripts": scripts}))
    large = {"id": "large", "runtime": "sd", "task": "text-to-image", "input": {**asked, "prompt": "x" * 400_000}}
    await sd.clients["s3"].put_object(Bucket=sd.topology.bucket, Key="jobs/ref/large", Body=json.dumps(large).encode())
    await sd.publish(json.dumps({"job_ref": f"s3://{sd.topology.bucket}/jobs/ref/large"}))
    for name, prefix in (("old-2", "out"), ("old-1", "out"), ("large", "sd")):
        told = await sd.notified(name)
        assert told["status"] == "completed"
        assert told["image_url"][0].startswith(f"s3://{sd.topology.bucket}/{prefix}/{name}/0-")
    assert (await sd.notified("old-2"))["context"] == {"k": "v"}


async def test_a_wrong_environment_is_told_at_once(sd: World) -> None:
    """All mistakes in one message, and a status that says so."""
    process = await asyncio.create_subprocess_exec(
        *("python", "-m", "darkroom_agent"),
        env={"PATH": f"{Path('.venv/bin').resolve()}", "VISIBILITY_SECONDS": "x"},
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await process.communicate()
    assert process.returncode == 1
    assert said.decode().count("must be set") == 5
    assert "VISIBILITY_SECONDS: expected a whole number" in said.decode()


async def test_comfyui_workflow_of_the_demo(emulator: Emulator, tmp_path: Path) -> None:
    """Nodes' seconds, two outputs, in the workflow's order."""
    async with world(emulator, tmp_path, "comfyui") as comfy:
        await comfy.agent()
        body = {"id": "flow", "runtime": "sd", "task": "pipeline", "input": workflow("a lake", 3)}
        await comfy.publish(json.dumps(body))
        told = await comfy.notified("flow")
        assert len(told["image_url"]) == 2
        assert told["timings"]["nodes"]["3"] >= 0.2


async def test_what_a_lost_attempt_left_is_removed(sd: World) -> None:
    """When the job, which is final, is delivered again; what else lies there stays."""
    agent = await sd.agent()
    await sd.job("again")
    (made,) = (await sd.notified("again"))["image_url"]
    for name in ("0-0123456789ab.png", "notes.txt"):
        await sd.clients["s3"].put_object(Bucket=sd.topology.bucket, Key=f"sd/again/{name}", Body=b"x")
    await sd.job("again")
    await agent.says("job.already_final")
    assert await sd.keys("sd/again/") == sorted([made.partition(f"{sd.topology.bucket}/")[2], "sd/again/notes.txt"])


async def test_the_smoke_job_goes_through_the_queue_and_back(sd: World) -> None:
    """What `helm test` runs, with the agent's own environment."""
    await sd.agent()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "darkroom_agent.smoke"),
        '{"task": "text-to-image", "input": {"prompt": "a lamp", "steps": 1, "width": 64, "height": 64}}',
        *("--seconds", "20"),
        env={**os.environ, **sd.environ},
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await process.communicate()
    assert process.returncode == 0
    lines = said.decode().splitlines()
    assert " sent smoke-" in lines[0]
    assert f"s3://{sd.topology.bucket}/sd/smoke-" in lines[-2]
    assert lines[-1].endswith("it works")
