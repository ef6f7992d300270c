"""The supervisor plays the kubelet, and nothing outlives the one who started it."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from darkroom_local.emulator import Emulator
from darkroom_local.supervisor import Pod, Supervisor
from darkroom_local.topology import aws_client, subscribe

from .test_local_emulator import alive, ended

# A runtime that tells its pid on a connection and keeps it open: the connection's end is the process's end.
_BEACON = (
    "import os, signal, socket, sys\n"
    "line = socket.create_connection(('127.0.0.1', int(sys.argv[1])))\n"
    "line.sendall(f'{os.getpid()}\\n'.encode())\n"
    "signal.pause()\n"
)


@dataclass
class Pods:
    """What is heard of a supervised pod: runtimes that started and ended (their pids), and the supervisor's words."""

    started: asyncio.Queue[int] = field(default_factory=asyncio.Queue)
    ended: asyncio.Queue[int] = field(default_factory=asyncio.Queue)
    said: asyncio.Queue[str] = field(default_factory=asyncio.Queue)

    async def hear(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Keep a beacon's connection."""
        pid = int(await reader.readline())
        self.started.put_nowait(pid)
        await reader.read()
        self.ended.put_nowait(pid)
        writer.close()

    async def says(self, line: str) -> None:
        """Wait until the supervisor has said it."""
        while await self.said.get() != line:
            pass


@asynccontextmanager
async def supervised(folder: Path, mark: Path) -> AsyncIterator[Pods]:
    """One pod under a supervisor, its runtime a beacon, for 20 s at the most."""
    pods = Pods()
    server = await asyncio.start_server(pods.hear, "127.0.0.1", 0)
    command = [sys.executable, "-c", _BEACON, str(server.sockets[0].getsockname()[1])]
    # Of the agent nothing is asked here: without settings it refuses to start, and is started again.
    pod = Pod("sd", command, "http://127.0.0.1:9", {}, mark)
    running = asyncio.create_task(Supervisor(folder, pods.said.put_nowait).run([pod]))
    try:
        async with asyncio.timeout(20):
            yield pods
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        server.close()


async def test_a_runtime_that_died_is_started_again(tmp_path: Path) -> None:
    """Whatever ended it, another one comes, and the supervisor says why."""
    async with supervised(tmp_path, tmp_path / "mark") as pods:
        first = await pods.started.get()
        os.kill(first, signal.SIGKILL)
        await pods.says("sd-runtime ended with status -9, starting it again")
        assert await pods.started.get() != first


async def test_a_marked_runtime_is_restarted_once(tmp_path: Path) -> None:
    """The mark ends the runtime and is taken away before the next one starts, or that would be ended too."""
    mark = tmp_path / "mark"
    async with supervised(tmp_path, mark) as pods:
        first = await pods.started.get()
        mark.write_text("wedged\n")
        await pods.says("sd-runtime is marked (wedged), starting it again")
        second = await pods.started.get()
        assert await pods.ended.get() == first
        assert not mark.exists()
        assert alive(second)


async def test_an_agent_that_died_is_started_again(tmp_path: Path) -> None:
    """An agent that refuses its settings is tried again, and its own words are in its log."""
    async with supervised(tmp_path, tmp_path / "mark") as pods:
        for _ in range(2):
            await pods.says("sd-agent ended with status 1, starting it again")
    assert "SQS_QUEUE_URL" in (tmp_path / "sd-agent.log").read_text()


async def test_nothing_outlives_the_supervisor(tmp_path: Path) -> None:
    """Cancelled, it has ended its processes before it returns."""
    async with supervised(tmp_path, tmp_path / "mark") as pods:
        pid = await pods.started.get()
    assert not alive(pid)


def children_of(parent: int) -> set[int]:
    """The processes that one started and that run."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[1]) == parent and fields[0] != "Z":
            found.add(int(stat.parent.name))
    return found


async def first_job(said: str) -> None:
    """Send the job that `up` tells of, and return when its notification has come."""
    url, jobs, results = (re.search(pattern, said)[1] for pattern in _TOLD)  # type: ignore[index]
    async with aws_client("sns", url) as sns, aws_client("sqs", url) as sqs:
        told = (await sqs.create_queue(QueueName="told"))["QueueUrl"]
        answer = await sqs.get_queue_attributes(QueueUrl=told, AttributeNames=["QueueArn"])
        await subscribe(sns, results, answer["Attributes"]["QueueArn"], None)
        for runtime, task in (
            ("sd-webui", "text-to-image"),
            ("sd-comfyui", "pipeline"),
            ("sd-openai", "text-to-image"),
        ):
            message = f'{{"id":"{runtime}","runtime":"{runtime}","task":"{task}","input":{{"prompt":"a lake"}}}}'
            attributes = {"runtime": {"DataType": "String", "StringValue": runtime}}
            await sns.publish(TopicArn=jobs, Message=message, MessageAttributes=attributes)
        heard = 0
        while heard < 3:
            heard += len((await sqs.receive_message(QueueUrl=told, WaitTimeSeconds=20)).get("Messages", ()))


_TOLD = (r"AWS endpoint\W+(http://[\d.:]+)", r"(arn:aws:sns:\S+-jobs)", r"(arn:aws:sns:\S+-results)")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 130), (signal.SIGKILL, -9)])
async def test_the_flow_ends_with_its_parent(
    emulator: Emulator, tmp_path: Path, number: signal.Signals, status: int
) -> None:
    """`make local` runs jobs of all runtimes as it says; ended in any way, it leaves no process."""
    flow = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "darkroom_local", "up", "--latency", "0.1"),
        env={**os.environ, "TMPDIR": str(tmp_path), "COLUMNS": "200"},
        stdout=asyncio.subprocess.PIPE,
    )
    assert flow.stdout is not None
    children: set[int] = set()
    try:
        async with asyncio.timeout(60):
            said = (await flow.stdout.readuntil(b"AWS_ACCESS_KEY_ID")).decode()
            await first_job(said)
            children = children_of(flow.pid)
            assert len(children) == 9  # the emulator, three runtimes, three agents, the API, the receiver
            async with asyncio.TaskGroup() as group:
                for pid in children:
                    group.create_task(ended(pid))
                await asyncio.sleep(0)
                flow.send_signal(number)
            assert await flow.wait() == status
    finally:
        if flow.returncode is None:
            flow.kill()
        for pid in children:  # none, unless the test fails
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        await flow.communicate()
