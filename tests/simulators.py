"""Simulators, for tests of adapters and of the whole agent: real processes, or, much cheaper, inside this one."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

from darkroom_simulator.app import start
from darkroom_simulator.options import parse_options


@dataclass(frozen=True)
class Simulator:
    """A running simulator: where it listens, and its process if it has one."""

    url: str
    own_process: asyncio.subprocess.Process | None = None

    @property
    def process(self) -> asyncio.subprocess.Process:
        """Its own process, to kill."""
        assert self.own_process is not None, "it runs inside this process"
        return self.own_process

    async def calls(self) -> list[dict[str, Any]]:
        """When its GPU worked: `job`, `start` and `end` (seconds of the monotonic clock)."""
        async with aiohttp.ClientSession() as session, session.get(f"{self.url}/_simulator/calls") as reply:
            return list((await reply.json())["calls"])

    async def fault(self, kind: str, **more: Any) -> None:
        """Let the next request fail."""
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{self.url}/_simulator/faults", json={"fault": kind, **more}) as reply,
        ):
            assert reply.status == 200, await reply.text()


def _flags(kind: str, options: dict[str, Any]) -> list[str]:
    words = [word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", str(value))]
    return ["--type", kind, *words]


@asynccontextmanager
async def simulator_here(kind: str, **options: Any) -> AsyncIterator[Simulator]:
    """Run one inside this process: not for tests that let it crash."""
    runner, url, folder = await start(parse_options(_flags(kind, options), {}))
    try:
        yield Simulator(url)
    finally:
        await runner.cleanup()
        folder.cleanup()


@asynccontextmanager
async def simulator(kind: str, **options: Any) -> AsyncIterator[Simulator]:
    """Run one as a process of its own; `options` are its flags with `_` for `-`."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "darkroom_simulator",
        *_flags(kind, options),
        stdout=asyncio.subprocess.PIPE,
        env=dict(os.environ),
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(20):
            url = json.loads(await process.stdout.readline())["url"]
        yield Simulator(url, process)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
