"""A process that is tied to its parent hears of the parent's end, whatever that was."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process of its parent's end")

_CHILD = """
import signal
from darkroom_local.tether import tie
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
tie(signal.SIGTERM)
print("tied", flush=True)
print(signal.sigtimedwait({signal.SIGTERM}, 30).si_signo == signal.SIGTERM, flush=True)
"""
_PARENT = "import subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1]])"


def test_a_parent_that_is_killed_is_told_of() -> None:
    """The child outlives it for as long as it takes to end politely."""
    with subprocess.Popen([sys.executable, "-c", _PARENT, _CHILD], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "tied\n"
        parent.kill()
        assert parent.stdout.read() == "True\n"
