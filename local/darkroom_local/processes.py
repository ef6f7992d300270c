"""Child processes that end with their parent, whatever happens to it."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .tether import tethered

_TERM_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Child:
    """A running child and the file that its output goes to."""

    process: asyncio.subprocess.Process
    log: Path

    async def stop(self, seconds: float = _TERM_SECONDS) -> None:
        """SIGTERM, and SIGKILL for whoever does not listen; the whole process group."""
        if self.process.returncode is not None:
            return
        self._signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(seconds):
                await self.process.wait()
        except TimeoutError:
            self._signal(signal.SIGKILL)
            await self.process.wait()

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)


async def start(command: Sequence[str], environ: Mapping[str, str], log: Path) -> Child:
    """Start a child in a process group of its own (Ctrl-C is the parent's to pass on), its output appended to `log`."""
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *tethered(*command),
            env=dict(environ),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            process_group=0,
        )
    return Child(process, log)
