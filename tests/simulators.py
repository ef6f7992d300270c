"""Simulators as real processes, for tests of adapters and of the whole agent."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp


@dataclass(frozen=True)
class Simulator:
    """A running simulator: where it listens, and its process."""

    url: str
    process: asyncio.subprocess.Process

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


@asynccontextmanager
async def simulator(kind: str, **options: Any) -> AsyncIterator[Simulator]:
    """Run one; `options` are its flags with `_` for `-`."""
    flags = [word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", str(value))]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "darkroom_simulator",
        "--type",
        kind,
        *flags,
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
