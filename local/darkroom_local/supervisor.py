"""Keep runtimes and agents running: plays the kubelet of the pods, on one machine."""

import asyncio
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from .emulator import Emulator, free_port
from .processes import Child, start
from .topology import Topology

_LOOK_SECONDS = 0.2
_PAUSE_SECONDS = 0.5  # before a process that died is started again


@dataclass(frozen=True, slots=True)
class Pod:
    """A runtime and the agent next to it; both are (re)started with the same command and environment."""

    name: str
    runtime: list[str]
    runtime_url: str
    agent: dict[str, str]
    mark: Path


def simulated_pod(topology: Topology, emulator: Emulator, name: str, folder: Path, latency: float, **agent: str) -> Pod:
    """A pod whose runtime is the simulator. `agent` are further variables of the agent."""
    spec = topology.of(name).spec
    port = free_port()  # fixed, for a restarted runtime must be found again
    mark = folder / f"{name}.restart"
    command = [sys.executable, "-m", "darkroom_simulator", "--type", spec.type]
    environment = {
        **topology.agent_environment(name),
        **emulator.environment,
        "API_BASE_URL": f"http://127.0.0.1:{port}",
        "RUNTIME_MARK_FILE": str(mark),
        **agent,
    }
    flags = ["--port", str(port), "--latency", str(latency), "--concurrency", str(spec.concurrency)]
    return Pod(name, [*command, *flags], f"http://127.0.0.1:{port}", environment, mark)


class Supervisor:
    """Runs pods until it is cancelled, and restarts whatever of them dies or is marked for it."""

    def __init__(self, folder: Path, log: Callable[[str], None]) -> None:
        """`folder` gets one log file a process; `log` is told of every restart."""
        self._folder = folder
        self._log = log

    async def run(self, pods: list[Pod]) -> None:
        """Run them, each process on its own; returns only by cancellation."""
        async with asyncio.TaskGroup() as group:
            for pod in pods:
                group.create_task(self._keep(f"{pod.name}-runtime", pod.runtime, os.environ, pod.mark))
                agent = [sys.executable, "-m", "darkroom_agent"]
                group.create_task(self._keep(f"{pod.name}-agent", agent, {**os.environ, **pod.agent}, None))

    def log_of(self, process: str) -> Path:
        """Where a process's output goes."""
        return self._folder / f"{process}.log"

    async def _keep(self, name: str, command: list[str], environ: Mapping[str, str], mark: Path | None) -> None:
        while True:
            child = await start(command, environ, self.log_of(name))
            try:
                reason = await _until_over(child, mark)
            finally:
                await child.stop()
            if mark is not None:
                mark.unlink(missing_ok=True)
            self._log(f"{name} {reason}, starting it again")
            await asyncio.sleep(_PAUSE_SECONDS)


async def _until_over(child: Child, mark: Path | None) -> str:
    """Wait until a process has died, or its mark asks for a restart; what happened."""
    while True:
        try:
            async with asyncio.timeout(_LOOK_SECONDS):
                return f"ended with status {await child.process.wait()}"
        except TimeoutError:
            if mark is not None and mark.exists():
                return f"is marked ({mark.read_text().strip()})"
