"""Whether processes that are not our children have ended."""

import asyncio
import os
from pathlib import Path


def alive(pid: int) -> bool:
    """Whether a process runs (a zombie does not)."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


async def ended(pid: int, seconds: float = 30) -> None:
    """Return when a process that is not our child has ended."""
    with os.fdopen(os.pidfd_open(pid)) as handle:
        done = asyncio.Event()
        asyncio.get_running_loop().add_reader(handle, done.set)
        try:
            async with asyncio.timeout(seconds):
                await done.wait()
        finally:
            asyncio.get_running_loop().remove_reader(handle)
