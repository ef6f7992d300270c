"""Control groups of a node's own, below one root: apart from another kubelet's, and gone when the node is."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

_MOUNTED = Path("/sys/fs/cgroup")
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


def _hierarchies() -> Iterator[Path]:
    """Each controller's own in version 1, the one of version 2."""
    if (_MOUNTED / "cgroup.controllers").exists():
        yield _MOUNTED
        return
    for folder in _MOUNTED.iterdir():
        if (folder / "cgroup.procs").exists() and not folder.is_symlink():
            yield folder


def _enable(hierarchy: Path) -> None:
    """Version 2: hand the controllers on to the groups below, or a kubelet finds none."""
    with contextlib.suppress(OSError):
        for controller in (hierarchy / "cgroup.controllers").read_text().split():
            with contextlib.suppress(OSError):  # some cannot be handed on; a kubelet says if it needs one
                (hierarchy / "cgroup.subtree_control").write_text(f"+{controller}")


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
