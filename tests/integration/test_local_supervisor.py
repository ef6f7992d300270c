"""The supervisor plays the kubelet, and nothing outlives the one who started it."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from darkroom_local.supervisor import Pod, Supervisor
from tests.ending import alive

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
