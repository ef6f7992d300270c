"""The whole flow up: emulated AWS, its topics and queues, a pod for each runtime, and the front door."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from .emulator import Emulator, emulator_process
from .front import front_door
from .receiver import Delivery, line_of, receiver
from .supervisor import Supervisor, simulated_pod
from .topology import RuntimeSpec, Topology, make_topology
from .webhooks import leave_for, webhook_sender

RUNTIMES = (
    RuntimeSpec("sd-webui", "sdwebui", bulk=True, dynamic_model=True, checkpoints=("sharp.safetensors",)),
    RuntimeSpec("sd-comfyui", "comfyui"),
    RuntimeSpec("sd-openai", "openai", concurrency=2),
)


@dataclass(frozen=True, slots=True)
class Flow:
    """What runs."""

    emulator: Emulator
    topology: Topology
    api_url: str
    runtimes: dict[str, str]
    """Where each runtime listens, by its name."""
    webhook_url: str
    """Where a receiver waits for webhooks, and tells of those that come."""
    logs: Path


@asynccontextmanager
async def flow(
    folder: Path,
    latency: float,
    say: Callable[[str], None],
    hear: Callable[[Delivery], None] | None = None,
    **agent: str,
) -> AsyncIterator[Flow]:
    """Run it all for as long as the context lasts.

    Args:
        folder: gets the logs.
        latency: seconds that a job takes on the simulated GPU.
        say: is told what happens, a line at a time.
        hear: is told of each webhook that comes; by default it is said, too.
        agent: further variables of the agents.

    Raises:
        EmulatorUnavailable: there is no emulated AWS to be had.
    """
    folder.mkdir(parents=True, exist_ok=True)
    say("starting emulated AWS")
    with emulator_process() as emulator:
        say("making topics, queues and the bucket")
        topology = await make_topology(emulator.url, RUNTIMES)
        pods = [simulated_pod(topology, emulator, spec.name, folder, latency, **agent) for spec in RUNTIMES]
        supervisor = Supervisor(folder, say)
        say("starting runtimes and agents")
        running = asyncio.create_task(supervisor.run(pods))
        try:
            async with (
                receiver(topology.webhooks.secret, hear or (lambda one: say(line_of(one)))) as webhook_url,
                webhook_sender(topology, emulator, folder, webhook_url),
                front_door(topology, emulator, folder, **leave_for(webhook_url)) as api_url,
            ):
                runtimes = {pod.name: pod.runtime_url for pod in pods}
                yield Flow(emulator, topology, api_url, runtimes, webhook_url, folder)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
