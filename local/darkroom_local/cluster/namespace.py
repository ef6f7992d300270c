"""A machine within the machine: processes, mounts and network of a node in Linux namespaces of their own.

Whatever a kubelet starts (shims, containers, mounts, bridges) lives in there, and ends with the first process in there,
which the kernel ends with us: nothing of a node outlives this process, however that ends. It takes root.
"""

import os
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from scripts.go_tools import ToolUnavailable

from darkroom_local.processes import start

from .programs import run, until

_LINK = "darkroom0"
_START_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Namespace:
    """A network of two: us and what is within; pods have a network behind that."""

    pid: int
    """Its first process, as we see it."""
    host: str = "10.213.0.1"
    """Our address: servers that the node's pods are to reach listen here."""
    node: str = "10.213.0.2"
    pods: str = "10.213.1.0/24"
    services: str = "10.213.2.0/24"
    kubernetes: str = "10.213.2.1"
    """The address of the Service `kubernetes`, the first of its range: ours as well, for no kube-proxy runs here."""

    def within(self, *command: str | Path) -> list[str]:
        """The command line that runs a command in there."""
        return ["nsenter", f"--target={self.pid}", "--mount", "--net", "--pid", "--", *map(str, command)]


@asynccontextmanager
async def namespace(folder: Path) -> AsyncIterator[Namespace]:
    """Make one, with its link to us.

    Raises:
        ToolUnavailable: this machine or this user cannot.
        ClusterFailed: a step failed; another cluster on this machine is the likely reason.
    """
    if os.geteuid() != 0 or not all(map(shutil.which, ("unshare", "nsenter", "ip"))):
        raise ToolUnavailable(
            "a node needs root and Linux's unshare, nsenter and ip (packages util-linux and iproute2)"
        )
    # A process that waits for nothing is the first in there; --kill-child ends it, and all others, with its parent.
    flags = ("--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc")
    child = await start(["unshare", *flags, "sleep", "infinity"], os.environ, folder / "namespace.log")
    try:
        children = Path(f"/proc/{child.process.pid}/task/{child.process.pid}/children")
        await until(lambda: bool(children.read_text()), child, "the namespace", _START_SECONDS)
        made = Namespace(int(children.read_text()))
        for command in _steps(made):
            await run(*command)
        yield made
    finally:
        await child.stop(0)  # the first process in there knows no SIGTERM


def _steps(made: Namespace) -> Sequence[Sequence[str]]:
    inside = made.within
    return (
        ["ip", "link", "add", _LINK, "type", "veth", "peer", "name", "eth0", "netns", str(made.pid)],
        ["ip", "address", "add", f"{made.host}/30", "dev", _LINK],
        ["ip", "address", "add", f"{made.kubernetes}/32", "dev", _LINK],
        ["ip", "link", "set", _LINK, "up"],
        ["ip", "route", "add", made.pods, "via", made.node],
        inside("ip", "link", "set", "lo", "up"),
        inside("ip", "address", "add", f"{made.node}/30", "dev", "eth0"),
        inside("ip", "link", "set", "eth0", "up"),
        inside("ip", "route", "add", "default", "via", made.host),
        inside("mount", "--make-rshared", "/"),  # a kubelet hands mounts on to containers
    )
