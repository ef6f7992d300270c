"""Control groups of a node's own, below one root: apart from another kubelet's, and gone when the node is."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

from scripts.go_tools import ToolUnavailable

_MOUNTED = Path("/sys/fs/cgroup")
_NEEDED = {"cpu", "memory", "pids"}
_LOOKS = 100
_LOOK_SECONDS = 0.1


@asynccontextmanager
async def control_groups(name: str) -> AsyncIterator[None]:
    """Make `/<name>` in every hierarchy, for a kubelet's `cgroupRoot`; take it away when its processes have ended."""
    await _remove(name)  # what a crash left
    for hierarchy in _hierarchies():
        _enable(hierarchy)
        (hierarchy / name).mkdir(exist_ok=True)
    try:
        yield
    finally:
        await _remove(name)


def sweep(prefix: str, lives: Callable[[str], bool]) -> None:
    """Remove the groups `/<prefix><number>` of clusters that were killed."""
    for hierarchy in _hierarchies():
        for folder in hierarchy.glob(f"{prefix}[0-9]*"):
            if not lives(folder.name):
                _removed(folder)


def _hierarchies() -> Iterator[Path]:
    """Each controller's own in version 1, the one of version 2."""
    if (_MOUNTED / "cgroup.controllers").exists():
        yield _MOUNTED
        return
    for folder in _MOUNTED.iterdir():
        if (folder / "cgroup.procs").exists() and not folder.is_symlink():
            yield folder


def _enable(hierarchy: Path) -> None:
    """Version 2: hand the controllers on to the groups below, or a kubelet finds none.

    Raises:
        ToolUnavailable: one that it needs is kept back.
    """
    offered = hierarchy / "cgroup.controllers"
    if not offered.exists():  # version 1
        return
    for controller in offered.read_text().split():
        try:
            (hierarchy / "cgroup.subtree_control").write_text(f"+{controller}")
        except OSError as refused:  # some cannot be handed on, and need not be
            if controller in _NEEDED:
                told = f"{controller} is kept from control groups below {hierarchy} ({refused.strerror})"
                raise ToolUnavailable(
                    f"{told}: in a container, move all processes to a group below that first"
                ) from None


async def _remove(name: str) -> None:
    """Remove the groups from the innermost; processes that were killed take a moment to leave them."""
    for hierarchy in _hierarchies():
        for _ in range(_LOOKS):
            if _removed(hierarchy / name):
                break
            await asyncio.sleep(_LOOK_SECONDS)


def _removed(root: Path) -> bool:
    for folder, _, _ in os.walk(root, topdown=False):
        try:
            Path(folder).rmdir()
        except OSError:
            return False
    return True
