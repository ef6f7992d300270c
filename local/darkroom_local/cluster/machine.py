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


def prepare() -> None:
    """Install what is missing, where that can be done.

    Raises:
        ToolUnavailable: this user or this machine cannot run a node; what to do.
    """
    if os.geteuid() != 0:
        raise ToolUnavailable("a node needs root, for namespaces and containers: run this as root on Linux")
    missing = sorted({package for program, package in _PACKAGE_OF.items() if shutil.which(program) is None})
    if not missing:
        return
    try:
        apt.install(*missing)
    except apt.NotInstalled as reason:
        raise ToolUnavailable(f"a node needs {', '.join(missing)}: {reason}") from reason
