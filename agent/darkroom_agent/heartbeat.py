"""The file by which the agent tells that its event loop turns, and whether its runtime is up; `alive` reads it.

Its time is that of CLOCK_MONOTONIC, which every process of a machine shares and nobody sets.
"""

import asyncio
import contextlib
import os
import time
from collections.abc import Callable
from pathlib import Path

from .alive import READY

_TOUCH_SECONDS = 5.0


async def stay_alive(path: Path, ready: Callable[[], bool]) -> None:
    """Write the file for as long as it can be written: a probe tells of one that cannot be.

    `ready` says whether the agent could take a job.
    """
    said = None
    with contextlib.suppress(OSError):
        while True:
            # Only a change is written, for in the middle of it the file is empty.
            if (text := READY if ready() else "") != said:
                path.write_text(text)
                said = text
            os.utime(path, ns=(time.monotonic_ns(),) * 2)
            await asyncio.sleep(_TOUCH_SECONDS)
