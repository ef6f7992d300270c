"""The whole cluster: control plane, controllers, KEDA, a real node and nodes of kwok's, beside emulated AWS."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from darkroom_local.emulator import Emulator, emulator_process

from .control_plane import Address, ControlPlane, control_plane
from .controllers import controllers
from .keda import keda
from .kwok import kwok
from .machine import prepare
from .namespace import Namespace, namespace
from .node import Node, node

SERVICES = ("sqs", "sns", "s3", "ssm", "sts")


@dataclass(frozen=True, slots=True)
class Cluster:
    """What runs."""

    plane: ControlPlane
    node: Node
    emulator: Emulator
    namespace: Namespace


@asynccontextmanager
async def cluster(
    folder: Path,
    images: Iterable[Path],
    say: Callable[[str], None],
    services: Iterable[str] = SERVICES,
    *,
    gpus: int = 4,
) -> AsyncIterator[Cluster]:
    """Run it all for as long as the context lasts.

    Args:
        folder: for data and logs. Its path must be short: sockets lie in it, and theirs has 107 bytes at most.
        images: archives of `docker save` for the node.
        say: is told what goes on.
        services: what AWS is asked for.
        gpus: how many the node says it has.

    Raises:
        ToolUnavailable: a program cannot be had here, or this user may not run it.
        EmulatorUnavailable: there is no emulated AWS to be had.
        ClusterFailed: a part does not start.
    """
    await asyncio.to_thread(prepare)
    async with AsyncExitStack() as stack:
        within = await stack.enter_async_context(namespace(folder))
        say("starting emulated AWS")
        # On the address that pods reach. Plain queue URLs, as AWS's are: KEDA takes no others.
        aws = stack.enter_context(
            emulator_process(tuple(services), plain_queue_urls=True, host=within.host, below=folder)
        )
        say("starting the control plane")
        at = Address(within.kubernetes, 443)
        plane = await stack.enter_async_context(control_plane(folder, address=at, services=within.services))
        await stack.enter_async_context(controllers(plane))
        say("starting the node")
        made = await stack.enter_async_context(node(plane, within, gpus=gpus))
        for image in images:
            await made.load(image)
        say("starting KEDA and kwok")
        await stack.enter_async_context(kwok(plane))
        await stack.enter_async_context(keda(plane, aws.environment))
        yield Cluster(plane, made, aws, within)
