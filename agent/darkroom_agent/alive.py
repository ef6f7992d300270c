"""Whether the agent's event loop turns and its runtime is up: it writes a file; `python -m darkroom_agent.alive` looks.

For the probes of a container that has neither a port nor a shell: of liveness, and with `ready` of readiness. It starts
often, so it imports little.
The file's time is that of CLOCK_MONOTONIC, which every process of a machine shares and nobody sets.
"""

import asyncio
import contextlib
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

_TOUCH_SECONDS = 5.0
_READY = "ready"
_OLD_SECONDS = 30.0


async def stay_alive(path: Path, ready: Callable[[], bool]) -> None:
    """Write the file for as long as it can be written: a probe tells of one that cannot be.

    `ready` says whether the agent could take a job.
    """
    said = None
    with contextlib.suppress(OSError):
        while True:
            # Only a change is written, for in the middle of it the file is empty.
            if (text := _READY if ready() else "") != said:
                path.write_text(text)
                said = text
            os.utime(path, ns=(time.monotonic_ns(),) * 2)
            await asyncio.sleep(_TOUCH_SECONDS)


def sign_of_death(path: Path) -> str | None:
    """Why the agent that touches this file is taken for dead; None if it lives."""
    try:
        age = (time.monotonic_ns() - path.stat().st_mtime_ns) / 1e9
    except OSError as error:
        return f"the agent has not begun, or cannot write its file: {error}"
    return f"the event loop has not turned for {age:.0f} s" if age > _OLD_SECONDS else None


def sign_of_absence(path: Path) -> str | None:
    """Why the agent that writes this file could take no job now; None if it could."""
    if (death := sign_of_death(path)) is not None:
        return death
    return None if path.read_text() == _READY else "the runtime is not up"


def main(asked: Sequence[str]) -> int:
    """The exit status for a probe, of readiness if that is `asked`; what is wrong goes to stderr."""
    path = os.environ.get("ALIVE_FILE")
    look = sign_of_absence if list(asked) == ["ready"] else sign_of_death
    reason = look(Path(path)) if path else "ALIVE_FILE is not set, so the agent does not tell"
    if reason is not None:
        print(f"darkroom-agent: {reason}", file=sys.stderr)  # noqa: T201
    return 0 if reason is None else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
