"""Whether the agent's event loop turns: it touches a file; `python -m darkroom_agent.alive` looks at the file's age.

For the liveness probe of a container that has neither a port nor a shell. It starts often, so it imports little.
The file's time is that of CLOCK_MONOTONIC, which every process of a machine shares and nobody sets.
"""

import asyncio
import contextlib
import os
import sys
import time
from pathlib import Path

_TOUCH_SECONDS = 5.0
_OLD_SECONDS = 30.0


async def stay_alive(path: Path) -> None:
    """Touch the file for as long as it can be written: a probe tells of one that cannot be."""
    with contextlib.suppress(OSError):
        while True:
            path.touch()
            os.utime(path, ns=(time.monotonic_ns(),) * 2)
            await asyncio.sleep(_TOUCH_SECONDS)


def sign_of_death(path: Path) -> str | None:
    """Why the agent that touches this file is taken for dead; None if it lives."""
    try:
        age = (time.monotonic_ns() - path.stat().st_mtime_ns) / 1e9
    except OSError as error:
        return f"the agent has not begun, or cannot write its file: {error}"
    return f"the event loop has not turned for {age:.0f} s" if age > _OLD_SECONDS else None


def main() -> int:
    """The exit status for a probe; what is wrong goes to stderr."""
    path = os.environ.get("ALIVE_FILE")
    reason = sign_of_death(Path(path)) if path else "ALIVE_FILE is not set, so the agent does not tell"
    if reason is not None:
        print(f"darkroom-agent: {reason}", file=sys.stderr)  # noqa: T201
    return 0 if reason is None else 1


if __name__ == "__main__":
    sys.exit(main())
