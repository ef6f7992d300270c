"""A machine within the machine: processes, mounts and network of a node in Linux namespaces of their own.

Whatever a kubelet starts (shims, containers, mounts, bridges) lives in there, and ends with the first process in there,
which the kernel ends with us: nothing of a node outlives this process, however that ends. It takes root.
"""

import contextlib
import os
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from darkroom_local.processes import start

from .cgroups import control_groups, sweep
from .programs import ClusterFailed, run, until

_LINK = "darkroom"
_MOST = 60
_START_SECONDS = 10.0
APART = ("/run/containerd", "/run/netns", "/var/lib/cni", "/var/lib/kubelet", "/var/log/containers")
"""What containerd and kubelet write beside the folders that they are given: it is empty in there, and gone with it."""
SETTINGS = {
    "vm/overcommit_memory": "1",
    "vm/panic_on_oom": "0",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/keys/root_maxbytes": "25000000",
}
"""What a kubelet sets, for the whole machine and for good, where it does not find it so: it finds it so in there."""


@dataclass(frozen=True, slots=True)
class Namespace:
    """A network of two: us and what is within; pods have a network behind that."""

    number: int
    """Of the cluster on this machine: several can run, each with addresses of its own."""
    pid: int
    """Its first process, as we see it."""

    @property
    def link(self) -> str:
        """Our end of the link; also the root of its control groups."""
        return f"{_LINK}{self.number}"

    @property
    def host(self) -> str:
        """Our address: servers that the node's pods are to reach listen here."""
        return f"{self._network(0)}.1"

    @property
    def node(self) -> str:
        """The node's address."""
        return f"{self._network(0)}.2"

    @property
    def pods(self) -> str:
        """Range of the pods' addresses."""
        return f"{self._network(1)}.0/24"

    @property
    def services(self) -> str:
        """Range of the Services' addresses."""
        return f"{self._network(2)}.0/24"

    @property
    def kubernetes(self) -> str:
        """The address of the Service `kubernetes`, the first of its range; ours as well, for no kube-proxy runs."""
        return f"{self._network(2)}.1"

    def _network(self, part: int) -> str:
        return f"10.213.{self.number * 4 + part}"

    def within(self, *command: str | Path) -> list[str]:
        """The command line that runs a command in there."""
        return ["nsenter", f"--target={self.pid}", "--mount", "--net", "--pid", "--", *map(str, command)]


@asynccontextmanager
async def namespace(folder: Path) -> AsyncIterator[Namespace]:
    """Make one, with its link to us.

    Raises:
        ClusterFailed: a step failed; the message has its words.
    """
    sweep(_LINK, _exists)
    async with _link() as number, control_groups(f"{_LINK}{number}"):
        # A process that waits for nothing is the first in there; --kill-child ends it, and all others, with its parent.
        flags = ("--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc")
        child = await start(["unshare", *flags, "sleep", "infinity"], os.environ, folder / "namespace.log")
        try:
            children = Path(f"/proc/{child.process.pid}/task/{child.process.pid}/children")
            await until(lambda: bool(children.read_text()), child, "the namespace", _START_SECONDS)
            made = Namespace(number, int(children.read_text()))
            for command in (*_steps(made), *_mounts(made, folder)):
                await run(*command)
            yield made
        finally:
            await child.stop(0)  # the first process in there knows no SIGTERM


@asynccontextmanager
async def _link() -> AsyncIterator[int]:
    """Make a link that nobody has: its number is the cluster's, for the kernel gives a name once."""
    for number in range(_MOST):
        ours, theirs = f"{_LINK}{number}", _theirs(number)
        try:
            await run("ip", "link", "add", ours, "type", "veth", "peer", "name", theirs)
        except ClusterFailed as error:
            if "File exists" in str(error):
                continue
            raise
        try:
            yield number
        finally:
            with contextlib.suppress(ClusterFailed):  # it has gone with the other end
                await run("ip", "link", "delete", ours)
        return
    raise ClusterFailed(f"there are {_MOST} clusters on this machine: end some (`ip link` shows them)")


def _theirs(number: int) -> str:
    return f"{_LINK}{number}-in"


def _exists(link: str) -> bool:
    return Path("/sys/class/net", link).exists()


def _steps(made: Namespace) -> Sequence[Sequence[str]]:
    inside = made.within
    return (
        ["ip", "link", "set", _theirs(made.number), "netns", str(made.pid), "name", "eth0"],
        ["ip", "address", "add", f"{made.host}/30", "dev", made.link],
        ["ip", "address", "add", f"{made.kubernetes}/32", "dev", made.link],
        ["ip", "link", "set", made.link, "up"],
        ["ip", "route", "add", made.pods, "via", made.node],
        inside("ip", "link", "set", "lo", "up"),
        inside("ip", "address", "add", f"{made.node}/30", "dev", "eth0"),
        inside("ip", "link", "set", "eth0", "up"),
        inside("ip", "route", "add", "default", "via", made.host),
    )


def _mounts(made: Namespace, folder: Path) -> Iterator[list[str]]:
    """What is another in there than out here: a mount namespace has mounts of its own, but the same file systems."""
    for name in APART:
        Path(name).mkdir(parents=True, exist_ok=True)
        yield made.within("mount", "-t", "tmpfs", "darkroom", name)
    for name, value in SETTINGS.items():
        setting, wanted = Path("/proc/sys", name), folder / name.replace("/", ".")
        if setting.exists():
            wanted.write_text(f"{value}\n")
            yield made.within("mount", "--bind", wanted, setting)
    yield made.within("mount", "--make-rshared", "/")  # a kubelet hands mounts on to containers
