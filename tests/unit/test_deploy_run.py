"""Other programs are run, heard, stopped; their failures say what to do."""

import os
import signal
import sys
import threading
from pathlib import Path

import pytest

from darkroom_deploy.commands import Command
from darkroom_deploy.failures import DeployError, NotAllowed, Stopped
from darkroom_deploy.run import Runner


def python(program: str, given: str = "") -> Command:
    return Command((sys.executable, "-c", program), given=given)


def test_output_and_words_are_told_apart() -> None:
    """And what is given goes to its standard input alone."""
    heard: list[str] = []
    command = python("import sys; print(input()); print('b', file=sys.stderr); sys.exit(3)", "a secret\n")
    done = Runner(heard.append).run(command, quiet=False)
    assert (done.status, done.output, done.said) == (3, "a secret\n", "b\n")
    assert sorted(heard) == ["a secret", "b"]
    assert "secret" not in f"{command} {command!r}"


def test_a_failure_says_what_to_do() -> None:
    """The last lines of what it said, and advice where there is some; expired credentials have their status."""
    with pytest.raises(DeployError, match=r"(?s)failed \(status 1\).*no space left on device.*docker system prune"):
        Runner().must(python("import sys; sys.exit('no space left on device')"))
    with pytest.raises(NotAllowed, match="sign in again"):
        Runner().must(python("import sys; sys.exit('ExpiredToken: it is')"))
    with pytest.raises(DeployError, match="no-such-program: No such file"):
        Runner().run(Command(("no-such-program",)))


def test_ctrl_c_reaches_the_program_once_and_it_ends_in_its_own_way(tmp_path: Path) -> None:
    """It is waited for: Terraform writes its state, Helm its release. What it says meanwhile is heard."""
    fifo = tmp_path / "ready"
    os.mkfifo(fifo)
    program = (
        "import signal, sys, threading\n"
        "stopped = threading.Event()\n"
        "times = []\n"
        "signal.signal(signal.SIGINT, lambda *_: (times.append(1), stopped.set()))\n"
        f"open({str(fifo)!r}, 'w').close()\n"
        "stopped.wait()\n"
        "print('saved', len(times))\n"
    )
    heard: list[str] = []

    def interrupt() -> None:
        fifo.read_text()  # until the program is ready
        os.kill(os.getpid(), signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    threading.Thread(target=interrupt).start()
    with pytest.raises(Stopped):
        Runner(heard.append).run(python(program), quiet=False)
    assert heard == ["saved 1"]
    assert signal.getsignal(signal.SIGINT) is before
