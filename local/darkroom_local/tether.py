"""Start a program that dies with its parent: `python tether.py PARENT_PID PROGRAM …`. Needs nothing but Python.

Linux sends the child SIGKILL when its parent ends in whatever way (prctl(2), PR_SET_PDEATHSIG; kept over execve).
Elsewhere there is no such promise: there the parent's own clean-up has to do.
"""

import ctypes
import os
import signal
import sys
from pathlib import Path

_PR_SET_PDEATHSIG = 1


def tethered(*command: str | Path) -> list[str]:
    """The command line that runs `command` as a child of this very process, and never beyond it.

    Start it from the main thread: the kernel takes the end of the thread that forked for the end of the parent.
    """
    # -I -S: neither site packages nor the environment matter for an exec, and it starts in 10 ms.
    return [sys.executable, "-I", "-S", __file__, str(os.getpid()), *map(str, command)]


def tie(number: signal.Signals) -> None:
    """Have this process sent a signal when its parent ends, where there is Linux."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, number)


def main() -> None:
    """Tie this process to its parent and become the program."""
    parent, command = int(sys.argv[1]), sys.argv[2:]
    tie(signal.SIGKILL)
    if os.getppid() != parent:  # it ended before it could be tied to
        sys.exit("tether: the parent is gone")
    os.execvp(command[0], command)  # noqa: S606 (the caller's own command line)


if __name__ == "__main__":
    main()
