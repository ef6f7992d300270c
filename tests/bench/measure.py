"""Measure one worker in one setting: jobs a second, how long the runtime is busy, CPU, memory, start."""

import asyncio
import itertools
import json
import os
import statistics
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from darkroom_local.emulator import CREDENTIALS
from darkroom_local.jobs import workflow
from darkroom_local.topology import RuntimeSpec, Topology, aws_client, make_topology, subscribe
from tests.simulators import simulator
from tests.telemetry import collector

# One job in twenty is traced, as Terraform has it; metrics go out twelve times as often as they would.
_EXPORT = {
    "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
    "OTEL_TRACES_SAMPLER_ARG": "0.05",
    "OTEL_METRIC_EXPORT_INTERVAL": "5000",
}
_ALONE = 12  # jobs that are sent one at a time, for what the way itself costs


@dataclass(frozen=True, slots=True)
class Setting:
    """One row: seconds of a job on the GPU, milliseconds added to AWS calls, bytes of an image, API, worker.

    `export`: spans of one job in twenty, and metrics, go to an OTLP receiver on this machine.
    """

    latency: float
    aws_ms: float = 40
    image_bytes: int = 1_300_000
    type: str = "sdwebui"
    worker: str = "agent"
    jobs: int = 60
    export: bool = False


@dataclass(frozen=True, slots=True)
class Measured:
    """What came out. Seconds, but where the name says otherwise."""

    setting: Setting
    jobs_per_second: float
    busy: float
    gap_median_ms: float
    gap_p95_ms: float
    cpu_ms: float
    resident_mb: float
    start: float
    overhead_p50_ms: float
    overhead_p99_ms: float


async def measure(setting: Setting) -> Measured:
    """Run the setting's jobs through a worker, everything in processes of its own."""
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(standin(setting.aws_ms))
        topology = await make_topology(url, [RuntimeSpec("sd", setting.type)], "bench")
        runtime = await stack.enter_async_context(
            simulator(setting.type, latency=setting.latency, image_bytes=setting.image_bytes)
        )
        sqs = await stack.enter_async_context(aws_client("sqs", url))
        sns = await stack.enter_async_context(aws_client("sns", url))
        told = await _results(sqs, sns, topology)
        environ = {
            **os.environ,
            **CREDENTIALS,
            "AWS_ENDPOINT_URL": url,
            **topology.agent_environment("sd"),
            "API_BASE_URL": runtime.url,
            "LOGLEVEL": "warning",
        }
        if setting.export:
            receiver = stack.enter_context(collector())
            receiver.status = 204  # it takes everything and looks at nothing, for its own work is not what is measured
            environ |= {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url, **_EXPORT}
        spawned = time.time()
        process = await stack.enter_async_context(worker(setting.worker, environ))
        await _run(sqs, sns, topology, told, setting, "warm", 3)  # connections, first-time imports
        start = await _first_receive(url) - spawned
        before, calls = _cpu_seconds(process.pid), len(await runtime.calls())
        seconds = await _run(sqs, sns, topology, told, setting, "job", setting.jobs)
        cpu = _cpu_seconds(process.pid) - before
        busy, gaps = _busy((await runtime.calls())[calls:])
        overheads = [await _alone(sqs, sns, topology, told, setting, index) for index in range(_ALONE)]
        return Measured(
            setting,
            jobs_per_second=setting.jobs / seconds,
            busy=busy,
            gap_median_ms=statistics.median(gaps) * 1000,
            gap_p95_ms=_quantile(gaps, 0.95) * 1000,
            cpu_ms=cpu / setting.jobs * 1000,
            resident_mb=_resident_mb(process.pid),
            start=start,
            overhead_p50_ms=_quantile(overheads, 0.5) * 1000,
            overhead_p99_ms=_quantile(overheads, 0.99) * 1000,
        )


async def _run(sqs: Any, sns: Any, topology: Topology, told: str, setting: Setting, name: str, count: int) -> float:
    """Send `count` jobs at once and wait for all notifications; seconds."""
    began = time.monotonic()
    await asyncio.gather(*(_send(sns, topology, setting, f"{name}-{index}", index) for index in range(count)))
    ended: dict[str, float] = {}
    while len(ended) < count:
        answer = await sqs.receive_message(QueueUrl=told, WaitTimeSeconds=20, MaxNumberOfMessages=10)
        for message in answer.get("Messages", ()):
            notification = json.loads(json.loads(message["Body"])["Message"])
            assert notification["status"] == "completed", notification
            ended.setdefault(notification["id"], time.monotonic())
    return max(ended.values()) - began


async def _alone(sqs: Any, sns: Any, topology: Topology, told: str, setting: Setting, index: int) -> float:
    """Send one job to an idle worker; seconds from its submission to its notification, beyond the job itself."""
    return await _run(sqs, sns, topology, told, setting, f"alone-{index}", 1) - setting.latency


async def _send(sns: Any, topology: Topology, setting: Setting, job_id: str, seed: int) -> None:
    body = {"prompt": "bench", "width": 512, "height": 512, "seed": 1}
    webui = setting.type == "sdwebui"
    # ComfyUI would answer an identical workflow from its cache.
    request = body if webui else workflow("bench", seed + hash(job_id) % 100_000)
    task = "text-to-image" if webui else "pipeline"
    job = {"id": job_id, "runtime": "sd", "task": task, "input": request}
    attributes = {"runtime": {"DataType": "String", "StringValue": "sd"}}
    await sns.publish(TopicArn=topology.jobs_arn, Message=json.dumps(job), MessageAttributes=attributes)


def _busy(calls: list[dict[str, Any]]) -> tuple[float, list[float]]:
    """The share of time that the GPU worked between its first and its last job, and the gaps between jobs."""
    calls = sorted((call for call in calls if call["job"] != "load"), key=lambda call: call["start"])
    gaps = [b["start"] - a["end"] for a, b in itertools.pairwise(calls)]
    worked = sum(call["end"] - call["start"] for call in calls[:-1])
    window = calls[-1]["start"] - calls[0]["start"]
    return worked / window, gaps


async def _results(sqs: Any, sns: Any, topology: Topology) -> str:
    url: str = (await sqs.create_queue(QueueName="told", Attributes={"VisibilityTimeout": "600"}))["QueueUrl"]
    answer = await sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    await subscribe(sns, topology.results_arn, answer["Attributes"]["QueueArn"], None)
    return url


async def _first_receive(url: str) -> float:
    async with aiohttp.ClientSession() as session, session.get(f"{url}/_calls") as reply:
        return float((await reply.json())["ReceiveMessage bench-sd"]["first"])


@asynccontextmanager
async def standin(latency_ms: float) -> AsyncIterator[str]:
    """The stand-in for AWS as a process; its URL."""
    command = (sys.executable, "-m", "tests.standin", "--latency-ms", str(latency_ms))
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    try:
        yield json.loads(await process.stdout.readline())["url"]
    finally:
        process.terminate()
        await process.wait()


@asynccontextmanager
async def worker(kind: str, environ: dict[str, str]) -> AsyncIterator[asyncio.subprocess.Process]:
    """The agent, or the serial worker."""
    module = "darkroom_agent" if kind == "agent" else "tests.bench.serial"
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", module, env=environ)
    try:
        yield process
    finally:
        process.terminate()
        await process.wait()


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _resident_mb(pid: int) -> float:
    """The most that it ever had."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return 0.0


def _quantile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]
