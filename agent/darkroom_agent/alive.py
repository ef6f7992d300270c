"""Whether the agent's event loop turns and its runtime is up, by the file that `heartbeat` writes.

For the probes of a container that has neither a port nor a shell: `python -m darkroom_agent.alive` of liveness, and
with `ready` of readiness. They start nine times a minute in every pod, so nothing is imported but what Python has
loaded at its start: with asyncio it would take four times as long.
"""

import os
import sys
import time

READY = "ready"
"""What the file says while the agent could take a job."""
_OLD_SECONDS = 30.0

type AnyPath = str | os.PathLike[str]


def sign_of_death(path: AnyPath) -> str | None:
    """Why the agent that touches this file is taken for dead; None if it lives."""
    try:
        age = (time.monotonic_ns() - os.stat(path).st_mtime_ns) / 1e9  # noqa: PTH116
    except OSError as error:
        return f"the agent has not begun, or cannot write its file: {error}"
    return f"the event loop has not turned for {age:.0f} s" if age > _OLD_SECONDS else None


def sign_of_absence(path: AnyPath) -> str | None:
    """Why the agent that writes this file could take no job now; None if it could."""
    if (death := sign_of_death(path)) is not None:
        return death
    with open(path) as file:  # noqa: PTH123
        return None if file.read() == READY else "the runtime is not up"


def main(asked: list[str]) -> int:
    """The exit status for a probe, of readiness if that is `asked`; what is wrong goes to stderr."""
    path = os.environ.get("ALIVE_FILE")
    look = sign_of_absence if asked == [READY] else sign_of_death
    reason = look(path) if path else "ALIVE_FILE is not set, so the agent does not tell"
    if reason is not None:
        print(f"darkroom-agent: {reason}", file=sys.stderr)  # noqa: T201
    return 0 if reason is None else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
