"""Pods of the campaign: a simulator and an agent each, as processes that can be killed, stopped and started again."""

import asyncio
import contextlib
import os
import signal
import sys
from dataclasses import dataclass, field
from pathlib import Path

from darkroom_local.emulator import free_port
from darkroom_local.processes import Child, start


@dataclass
class Pod:
    """One runtime and the agent next to it. Whatever of it is not running is started again by `keep`."""

    name: str
    type: str
    agent_environ: dict[str, str]
    folder: Path
    concurrency: int = 1
    port: int = field(default_factory=free_port)
    agent: Child | None = None
    runtime: Child | None = None

    @property
    def mark(self) -> Path:
        """The restart mark, as in the pod's shared folder."""
        return self.folder / f"{self.name}.mark"

    async def keep(self) -> None:
        """Play the kubelet, until cancelled: start what is not there, restart a runtime that is marked."""
        try:
            while True:
                if self.runtime is None or self.runtime.process.returncode is not None:
                    self.mark.unlink(missing_ok=True)
                    self.runtime = await self._start_runtime()
                if self.agent is None or self.agent.process.returncode is not None:
                    self.agent = await self._start_agent()
                if self.mark.exists():
                    self.runtime.process.kill()
                    await self.runtime.process.wait()
                await asyncio.sleep(0.05)
        finally:
            for child in (self.agent, self.runtime):
                if child is not None:
                    self.signal(child, signal.SIGCONT)
                    await child.stop(5)

    async def _start_runtime(self) -> Child:
        flags = [
            "--type",
            self.type,
            "--port",
            str(self.port),
            "--latency",
            "0.15",
            "--concurrency",
            str(self.concurrency),
        ]
        command = [sys.executable, "-m", "darkroom_simulator", *flags]
        return await start(command, os.environ, self.folder / f"{self.name}-runtime.log")

    async def _start_agent(self) -> Child:
        environ = {
            **os.environ,
            **self.agent_environ,
            "API_BASE_URL": f"http://127.0.0.1:{self.port}",
            "RUNTIME_MARK_FILE": str(self.mark),
        }
        return await start([sys.executable, "-m", "darkroom_agent"], environ, self.folder / f"{self.name}-agent.log")

    def signal(self, child: Child, number: signal.Signals) -> None:
        """Send a signal to one of the processes, if it is still there."""
        if child.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                child.process.send_signal(number)
