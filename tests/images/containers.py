"""Containers for tests: as locked up as in a pod, on this machine's loopback, removed at the end."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.images.engine import Engine

# As the runtime chart's pods are; only the network is the host's, where the test's servers listen on loopback.
LOCKED_UP = (
    *("--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--network", "host"),
    *("--pids-limit", "200"),
)


@dataclass
class Container:
    """A running container, and what it prints."""

    engine: Engine
    name: str
    lines: list[str] = field(default_factory=list)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def call(self, *arguments: str) -> str:
        """Call the engine without blocking the test's own servers."""
        return await asyncio.to_thread(self.engine, *arguments)

    async def inspect(self) -> dict[str, Any]:
        """What the engine knows of it."""
        found: dict[str, Any] = json.loads(await self.call("inspect", self.name))[0]
        return found

    async def says(self, text: str, seconds: float = 30) -> str:
        """Wait until it prints a line with this text; the line."""
        try:
            async with asyncio.timeout(seconds):
                while not (found := [line for line in self.lines if text in line]):
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(f"{text!r} was not said; it said:\n" + "\n".join(self.lines)) from None
        return found[0]

    async def stop(self, grace: int) -> int:
        """Send SIGTERM, and SIGKILL after the grace time; the exit status (137: it had to be killed)."""
        await self.call("stop", "--time", str(grace), self.name)
        return int((await self.inspect())["State"]["ExitCode"])

    async def read(self, output: asyncio.StreamReader) -> None:
        """Take what it prints, line by line."""
        async for line in output:
            self.lines.append(line.decode(errors="replace").rstrip())
            self._news.set()


@asynccontextmanager
async def container(
    engine: Engine,
    image: str,
    environ: Mapping[str, str],
    options: tuple[str, ...] = LOCKED_UP,
    command: tuple[str, ...] = (),
) -> AsyncIterator[Container]:
    """Run an image in a container of its own until the context ends."""
    running = Container(engine, f"darkroom-test-{uuid.uuid4().hex[:8]}")
    variables = [word for name, value in environ.items() for word in ("--env", f"{name}={value}")]
    await running.call("run", "--detach", "--name", running.name, *options, *variables, image, *command)
    logs = await asyncio.create_subprocess_exec(
        *(engine.client, "logs", "--follow", running.name),
        env=engine.environ,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert logs.stdout is not None
    reading = asyncio.create_task(running.read(logs.stdout))
    try:
        yield running
    finally:
        await running.call("rm", "--force", "--volumes", running.name)
        await logs.wait()
        await reading
