"""The agent as a real process between the emulator and a simulator, with ears on the results topic."""

import asyncio
import itertools
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from darkroom_contract.document import JobDocument, document_key
from darkroom_local.emulator import Emulator
from darkroom_local.topology import RuntimeSpec, Topology, aws_client, make_topology, subscribe
from tests import leaks
from tests.simulators import Simulator, simulator, simulator_here

_NAMES = itertools.count()


@dataclass
class Agent:
    """A running agent: its process, and what it logs."""

    process: asyncio.subprocess.Process
    logged: list[dict[str, Any]] = field(default_factory=list)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def read(self) -> None:
        """Take its log, line by line, for as long as it runs."""
        assert self.process.stderr is not None
        async for line in self.process.stderr:
            leaks.look(line.decode(errors="replace"))
            try:
                self.logged.append(json.loads(line))
            except json.JSONDecodeError:
                self.logged.append({"event": "text", "text": line.decode()})
            self._news.set()

    async def says(self, event: str, count: int = 1, seconds: float = 20) -> dict[str, Any]:
        """Wait until it has logged an event so many times; the last of them."""
        async with asyncio.timeout(seconds):
            while len(found := [entry for entry in self.logged if entry.get("event") == event]) < count:
                self._news.clear()
                await self._news.wait()
        return found[count - 1]

    async def says_of(self, job_id: str, event: str, seconds: float = 20) -> dict[str, Any]:
        """Wait until it has logged an event of a job."""
        async with asyncio.timeout(seconds):
            while True:
                for entry in self.logged:
                    if (entry.get("event"), entry.get("job_id")) == (event, job_id):
                        return entry
                self._news.clear()
                await self._news.wait()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        self.process.send_signal(number)


async def run_agent(stack: AsyncExitStack, environ: dict[str, str]) -> Agent:
    """Start an agent that ends with `stack`."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "darkroom_agent", env={**os.environ, **environ}, stderr=asyncio.subprocess.PIPE
    )
    agent = Agent(process)
    reading = asyncio.create_task(agent.read())
    stack.push_async_callback(_end, process, reading)
    return agent


@dataclass
class World:
    """Everything around an agent."""

    emulator: Emulator
    topology: Topology
    simulator: Simulator
    clients: dict[str, Any]
    stack: AsyncExitStack
    environ: dict[str, str]
    results_url: str
    notifications: list[dict[str, Any]] = field(default_factory=list)
    agents: list[Agent] = field(default_factory=list)

    async def agent(self, **environ: str) -> Agent:
        """Start one and wait until it receives."""
        agent = await self.start_agent(**environ)
        await agent.says("agent.ready")
        return agent

    async def start_agent(self, **environ: str) -> Agent:
        """Start one and wait for nothing."""
        agent = await run_agent(self.stack, {**self.environ, **environ})
        self.agents.append(agent)
        return agent

    async def publish(self, body: str, **attributes: str) -> None:
        """Send a message to the jobs topic."""
        texts = {"runtime": "sd", **attributes}
        told = {name: {"DataType": "String", "StringValue": text} for name, text in texts.items()}
        await self.clients["sns"].publish(TopicArn=self.topology.jobs_arn, Message=body, MessageAttributes=told)

    async def job(self, job_id: str, request: dict[str, Any] | None = None, **more: Any) -> None:
        """Send a text-to-image job."""
        asked = {"prompt": "x", "width": 64, "height": 64, "seed": 1, **(request or {})}
        body = {"id": job_id, "runtime": "sd", "task": "text-to-image", "input": asked, **more}
        await self.publish(json.dumps(body))

    async def document(self, job_id: str) -> JobDocument:
        """A job's document."""
        answer = await self.clients["s3"].get_object(Bucket=self.topology.bucket, Key=document_key(job_id))
        async with answer["Body"] as body:
            return msgspec.json.decode(await body.read(), type=JobDocument)

    async def keys(self, prefix: str) -> list[str]:
        """What lies below a prefix."""
        answer = await self.clients["s3"].list_objects_v2(Bucket=self.topology.bucket, Prefix=prefix)
        return [one["Key"] for one in answer.get("Contents", ())]

    async def notified(self, job_id: str, seconds: float = 30) -> dict[str, Any]:
        """Wait for a job's notification."""
        return await self._hear(lambda one: one["id"] == job_id, seconds)

    async def _hear(self, wanted: Callable[[dict[str, Any]], bool], seconds: float) -> dict[str, Any]:
        sqs = self.clients["sqs"]
        async with asyncio.timeout(seconds):
            while not (found := [one for one in self.notifications if wanted(one)]):
                answer = await sqs.receive_message(QueueUrl=self.results_url, WaitTimeSeconds=2, MaxNumberOfMessages=10)
                for message in answer.get("Messages", ()):
                    self.notifications.append(json.loads(json.loads(message["Body"])["Message"]))
                    await sqs.delete_message(QueueUrl=self.results_url, ReceiptHandle=message["ReceiptHandle"])
        return found[0]

    async def dead(self, seconds: float = 30) -> str:
        """Wait for a message in the dead-letter queue; what was in it."""
        sqs, url = self.clients["sqs"], self.topology.of("sd").dead_url
        async with asyncio.timeout(seconds):
            while True:
                answer = await sqs.receive_message(QueueUrl=url, WaitTimeSeconds=2)
                for message in answer.get("Messages", ()):
                    await sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                    return str(message["Body"])

    async def waiting(self) -> dict[str, int]:
        """How many messages the queue has, visible and in flight."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        url = self.topology.of("sd").queue_url
        answer = await self.clients["sqs"].get_queue_attributes(QueueUrl=url, AttributeNames=names)
        return {name: int(value) for name, value in answer["Attributes"].items()}


@asynccontextmanager
async def world(
    emulator: Emulator,
    folder: Path,
    kind: str = "sdwebui",
    checkpoints: tuple[str, ...] = (),
    *,
    mortal: bool = False,
    **options: Any,
) -> AsyncIterator[World]:
    """One runtime called `sd`, its queues, a simulator and no agent yet. `options` are the simulator's.

    A mortal simulator is a process of its own, which may crash; starting it takes a second of the processor.
    """
    async with AsyncExitStack() as stack:
        prefix = f"test{next(_NAMES)}"
        topology = await make_topology(emulator.url, [RuntimeSpec("sd", kind, checkpoints=checkpoints)], prefix)
        clients = {
            name: await stack.enter_async_context(aws_client(name, emulator.url)) for name in ("s3", "sqs", "sns")
        }
        made = simulator if mortal else simulator_here
        running = await stack.enter_async_context(made(kind, **{"latency": 0.2, **options}))
        url = (await clients["sqs"].create_queue(QueueName=f"{prefix}-told"))["QueueUrl"]
        answer = await clients["sqs"].get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        await subscribe(clients["sns"], topology.results_arn, answer["Attributes"]["QueueArn"], None)
        environ = {
            **topology.agent_environment("sd"),
            **emulator.environment,
            "API_BASE_URL": running.url,
            "WAIT_SECONDS": "1",
            "BACKOFF_BASE_SECONDS": "0.5",
            "RUNTIME_MARK_FILE": str(folder / "restart"),
        }
        yield World(emulator, topology, running, clients, stack, environ, url)


async def _end(process: asyncio.subprocess.Process, reading: "asyncio.Task[None]") -> None:
    if process.returncode is None:
        process.kill()
    await process.wait()
    await reading
