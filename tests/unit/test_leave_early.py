"""SIGTERM that comes while a process still imports its parts."""

import signal
import subprocess
import sys

import pytest

# Imports `halt` for ever, and says so.
_HALTING = """\
import runpy, sys
package, halt = sys.argv[1:]
class Halting:
    def find_spec(self, name, path, target=None):
        if name == halt:
            print("importing", flush=True)
            sys.stdin.read()
sys.meta_path.insert(0, Halting())
sys.argv[1:] = []
runpy.run_module(package, run_name="__main__")
"""


@pytest.mark.parametrize(
    ("package", "halt"),
    [("darkroom_agent", "darkroom_agent.settings"), ("darkroom_simulator", "darkroom_simulator.options")],
)
def test_it_is_handled_before_anything_is_imported(package: str, halt: str) -> None:
    """It ends by itself: process 1 of a container does not die of a signal that it does not handle."""
    command = [sys.executable, "-c", _HALTING, package, halt]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "importing\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
