"""What a node needs of this machine: root, namespaces, and a few programs that are packages of Debian."""

import os
import shutil
from pathlib import Path

from scripts import apt
from scripts.go_tools import ToolUnavailable

CNI_PLUGINS = Path("/usr/lib/cni")
_PACKAGE_OF = {
    "unshare": "util-linux",
    "nsenter": "util-linux",
    "ip": "iproute2",
    "openssl": "openssl",
    "containerd": "containerd",
    "ctr": "containerd",
    "busybox": "busybox-static",
    str(CNI_PLUGINS / "bridge"): "containernetworking-plugins",
}
_CAPABILITIES = {"CAP_NET_ADMIN": 12, "CAP_SYS_ADMIN": 21}
_CONTROL_GROUPS = Path("/sys/fs/cgroup")
_STATUS = Path("/proc/self/status")


def prepare() -> None:
    """Install what is missing, where that can be done.

    Raises:
        ToolUnavailable: this user or this machine cannot run a node; what to do.
    """
    if os.geteuid() != 0:
        raise ToolUnavailable("a node needs root, for namespaces and containers: run this as root on Linux")
    if lacking := [name for name, bit in _CAPABILITIES.items() if not _capable(bit)]:
        raise ToolUnavailable(
            f"a node needs {' and '.join(lacking)}, which root has not got here: in a container, run it as privileged"
        )
    if os.statvfs(_CONTROL_GROUPS).f_flag & os.ST_RDONLY:
        raise ToolUnavailable(
            f"a node needs {_CONTROL_GROUPS}, and here it is read-only: in a container, as privileged"
        )
    missing = sorted({package for program, package in _PACKAGE_OF.items() if not _there(program)})
    if not missing:
        return
    try:
        apt.install(*missing)
    except apt.NotInstalled as reason:
        raise ToolUnavailable(f"a node needs {', '.join(missing)}: {reason}") from reason


def is_static(program: Path) -> bool:
    """Whether it runs in an image of nothing else: a program that is not static names its linker behind its headers."""
    with program.open("rb") as file:
        return b"/ld-" not in file.read(4096)


def _there(program: str) -> bool:
    path = shutil.which(program)
    return path is not None and (program != "busybox" or is_static(Path(path)))


def _capable(bit: int) -> bool:
    """Whether we have a capability, by its number (capabilities(7))."""
    (effective,) = (line.split()[1] for line in _STATUS.read_text().splitlines() if line.startswith("CapEff:"))
    return bool(int(effective, 16) >> bit & 1)
