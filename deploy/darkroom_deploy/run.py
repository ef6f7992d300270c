"""Run other programs: their output is kept, Ctrl-C reaches them once, and failures say what to do."""

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from types import FrameType
from typing import IO

from .commands import Command
from .failures import DeployError, NotAllowed, Stopped
from .hints import hint
from .installation import ROOT

_SAID = 30  # lines of a program's words that a message repeats at the most
_NO_CREDENTIALS = ("credentials", "AWS does not know")


@dataclass(frozen=True, slots=True)
class Done:
    """How a program ended: its status, its standard output, and what it said on standard error."""

    status: int
    output: str
    said: str


@dataclass(slots=True)
class Runner:
    """Runs commands, one at a time; `heard` gets every line of their output as it comes."""

    heard: Callable[[str], None] = lambda _: None
    environ: dict[str, str] = field(default_factory=lambda: dict(os.environ))

    def run(self, command: Command, *, quiet: bool = True) -> Done:
        """Run it to its end, whatever its status; without `quiet` its lines are heard.

        Raises:
            DeployError: there is no such program.
            Stopped: Ctrl-C or SIGTERM came meanwhile.
        """
        try:
            process = subprocess.Popen(  # noqa: S603 (command lines of commands.py)
                command.words,
                cwd=ROOT,  # scripts are modules of the repository
                env={**self.environ, **command.environ},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                process_group=0,  # the terminal's Ctrl-C is ours to pass on, once
            )
        except OSError as error:
            raise DeployError(f"{command.words[0]}: {error.strerror}") from error
        output: list[str] = []
        said: list[str] = []
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        with _passing_on(process) as stopped, process:
            readers = [
                threading.Thread(target=self._read, args=(stream, lines, quiet))
                for stream, lines in ((process.stdout, output), (process.stderr, said))
            ]
            for reader in readers:
                reader.start()
            try:
                process.stdin.write(command.given)
                process.stdin.close()
            except BrokenPipeError:
                pass  # it did not want to read it, and says why
            process.wait()
            for reader in readers:
                reader.join()
        if stopped:
            raise Stopped("stopped; the same command goes on")
        return Done(process.returncode, "".join(output), "".join(said))

    def must(self, command: Command, *, quiet: bool = True) -> str:
        """Run it; its standard output.

        Raises:
            DeployError: it failed; with what it said, and what to do if that is known.
            NotAllowed: that was for the credentials.
        """
        done = self.run(command, quiet=quiet)
        if done.status:
            raise failed(command, done)
        return done.output

    def _read(self, stream: IO[str], lines: list[str], quiet: bool) -> None:
        for line in stream:
            lines.append(line)
            if not quiet:
                self.heard(line.rstrip("\n"))


def failed(command: Command, done: Done, said: str | None = None) -> DeployError:
    """The failure of a command: what it said, or `said` in its place, and what to do about it."""
    words = said if said is not None else done.said.strip() or done.output.strip()
    lines = words.splitlines()
    told = "\n".join(lines[-_SAID:]) or "it said nothing"
    advice = hint(words)
    message = f"`{command}` failed (status {done.status}):\n{told}" + (f"\n{advice}" if advice else "")
    return (NotAllowed if advice and any(one in advice for one in _NO_CREDENTIALS) else DeployError)(message)


@contextmanager
def _passing_on(process: "subprocess.Popen[str]") -> Iterator[list[int]]:
    """Pass SIGINT and SIGTERM on as SIGINT: Terraform and Helm then end what they have begun. The list tells of it."""
    stopped: list[int] = []

    def pass_on(number: int, _: FrameType | None) -> None:
        stopped.append(number)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGINT)

    if threading.current_thread() is not threading.main_thread():
        yield stopped
        return
    before = {number: signal.signal(number, pass_on) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
