"""One campaign: everything up, jobs flowing, chaos, then quiet, then the audit."""

import asyncio
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from darkroom_local.emulator import CREDENTIALS
from darkroom_local.topology import RuntimeSpec, Topology, aws_client, make_topology
from darkroom_simulator.draw import draw, encode_png

from .audit import Report, audit
from .chaos import VISIBILITY_SECONDS, Chaos
from .jobs import INPUT_KEY, Sent, make_jobs
from .pods import Pod

ATTEMPTS = 8
_QUIET_SECONDS = 120
_AWS_FAULTS = [
    {"kind": "latency", "seconds": 0.005, "jitter": 0.005},
    {"kind": "latency", "probability": 0.01, "seconds": 1.0, "jitter": 0.5},
    {"kind": "throttle", "probability": 0.01},
    {"kind": "error", "probability": 0.01, "status": 503},
    {"kind": "expired", "probability": 0.003},
    {"kind": "cut_request", "probability": 0.005},
    {"kind": "cut_answer", "probability": 0.005},
    {"kind": "lost_answer", "probability": 0.01},
    {"kind": "duplicate", "probability": 0.01},
]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a campaign came to."""

    report: Report
    done: dict[str, int]
    kills: int
    struck: dict[str, int]
    seconds: float
    logs: Path


async def campaign(count: int, kills: int, seed: int, console: Console) -> Outcome:
    """Run one. The seed decides the jobs, what is done to whom, and which calls fail."""
    began = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="darkroom-faults-"))
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(_standin(seed))
        topology = await make_topology(
            url,
            [
                RuntimeSpec("webui", "sdwebui"),
                RuntimeSpec("comfy", "comfyui"),
                RuntimeSpec("flux", "openai", concurrency=3),
            ],
            "faults",
        )
        sqs = await stack.enter_async_context(aws_client("sqs", url))
        sns = await stack.enter_async_context(aws_client("sns", url))
        s3 = await stack.enter_async_context(aws_client("s3", url))
        await _allow_attempts(sqs, topology)
        source = encode_png(draw("source", 1, 96, 96), {})
        await s3.put_object(Bucket=topology.bucket, Key=INPUT_KEY, Body=source)
        sent = make_jobs(count, random.Random(f"{seed}/jobs"), topology.bucket)
        names = [queues.spec.name for queues in topology.runtimes]
        pods = [_pod(topology, url, name, folder, index) for index in range(2) for name in names]
        keeping = [asyncio.create_task(pod.keep()) for pod in pods]
        try:
            await _faults(url, _AWS_FAULTS)
            chaos = Chaos(pods, random.Random(f"{seed}/chaos"), kills, pause=0.9)
            await _flow(sns, sqs, topology, sent, chaos, kills, console)
            struck = await _faults(url, [])
            await _until_quiet(sqs, topology)
        finally:
            for task in keeping:
                task.cancel()
            await asyncio.gather(*keeping, return_exceptions=True)
        report = await audit(url, topology.bucket, sent)
    return Outcome(report, dict(chaos.done), chaos.kills, struck, time.monotonic() - began, folder)


async def _flow(
    sns: Any, sqs: Any, topology: Topology, sent: list[Sent], chaos: Chaos, kills: int, console: Console
) -> None:
    """Send the jobs while chaos goes on; show both."""
    columns = (TextColumn("{task.description}"), BarColumn(24), TextColumn("{task.completed:.0f} of {task.total:.0f}"))
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as progress:
        sending, killing = progress.add_task("jobs sent", total=len(sent)), progress.add_task("kills", total=kills)
        running = asyncio.create_task(chaos.run())
        for one in sent:
            attributes = {"runtime": {"DataType": "String", "StringValue": one.runtime}}
            for _ in range(one.times):
                await _publish(sns, topology.jobs_arn, one.body, attributes)
            progress.update(sending, advance=1)
            progress.update(killing, completed=chaos.kills)
            # As quickly as the pods work, so that jobs and kills go together to the end.
            while not running.done() and await _waiting(sqs, topology) > 12:
                progress.update(killing, completed=chaos.kills)
                await asyncio.sleep(0.2)
        while not running.done():
            progress.update(killing, completed=chaos.kills)
            await asyncio.sleep(0.2)
        await running


async def _publish(sns: Any, arn: str, body: str, attributes: dict[str, Any]) -> None:
    """Publish until it is known to be published, as a client does."""
    while True:
        try:
            await sns.publish(TopicArn=arn, Message=body, MessageAttributes=attributes)
        except Exception:  # noqa: BLE001 (whatever fault struck)
            await asyncio.sleep(0.05)
        else:
            return


async def _waiting(sqs: Any, topology: Topology) -> int:
    """Messages in the queues, visible and in flight."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    total = 0
    for queues in topology.runtimes:
        try:
            answer = await sqs.get_queue_attributes(QueueUrl=queues.queue_url, AttributeNames=names)
        except Exception:  # noqa: BLE001 (whatever fault struck)
            return 1_000_000
        total += sum(int(value) for value in answer["Attributes"].values())
    return total


async def _until_quiet(sqs: Any, topology: Topology) -> None:
    """Wait until every message is gone or in a dead-letter queue; if not, the audit will say which."""
    try:
        async with asyncio.timeout(_QUIET_SECONDS):
            while await _waiting(sqs, topology):  # noqa: ASYNC110 (the queue tells nobody)
                await asyncio.sleep(0.2)
    except TimeoutError:
        return
    # What a last attempt still does after its message has gone.
    await asyncio.sleep(1)


async def _allow_attempts(sqs: Any, topology: Topology) -> None:
    for queues in topology.runtimes:
        answer = await sqs.get_queue_attributes(QueueUrl=queues.dead_url, AttributeNames=["QueueArn"])
        policy = {"deadLetterTargetArn": answer["Attributes"]["QueueArn"], "maxReceiveCount": str(ATTEMPTS + 1)}
        attributes = {"RedrivePolicy": json.dumps(policy), "VisibilityTimeout": str(VISIBILITY_SECONDS)}
        await sqs.set_queue_attributes(QueueUrl=queues.queue_url, Attributes=attributes)


def _pod(topology: Topology, url: str, runtime: str, folder: Path, index: int) -> Pod:
    environ = {
        **topology.agent_environment(runtime),
        **CREDENTIALS,
        "AWS_ENDPOINT_URL": url,
        "MAX_ATTEMPTS": str(ATTEMPTS),
        "VISIBILITY_SECONDS": str(VISIBILITY_SECONDS),
        "HEARTBEAT_SECONDS": "1",
        "WAIT_SECONDS": "1",
        "BACKOFF_BASE_SECONDS": "0.2",
        "BACKOFF_CAP_SECONDS": "2",
        "RUNNING_AFTER_SECONDS": "0.5",
        "PROGRESS_SECONDS": "0.5",
        "INTERRUPT_SECONDS": "1",
        "STALL_SECONDS": "4",
        # One of the two pods has no time to finish what it runs.
        "GRACE_SECONDS": "8" if index == 0 else "1",
    }
    spec = topology.of(runtime).spec
    return Pod(f"{runtime}-{index}", spec.type, environ, folder, spec.concurrency)


async def _faults(url: str, faults: list[dict[str, Any]]) -> dict[str, int]:
    """Set the faults of AWS; how often those before them struck."""
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{url}/_faults") as reply:
            active = (await reply.json())["active"]
        async with session.delete(f"{url}/_faults"):
            pass
        async with session.post(f"{url}/_faults", json={"faults": faults}) as reply:
            assert reply.status == 200, await reply.text()
    struck: dict[str, int] = {}
    for one in active:
        struck[one["fault"]["kind"]] = struck.get(one["fault"]["kind"], 0) + one["struck"]
    return struck


@asynccontextmanager
async def _standin(seed: int) -> AsyncIterator[str]:
    command = (sys.executable, "-m", "tests.standin", "--seed", str(seed))
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, env=dict(os.environ))
    assert process.stdout is not None
    try:
        yield json.loads(await process.stdout.readline())["url"]
    finally:
        process.terminate()
        await process.wait()
