"""The imagined GPU: one job at a time (or a few), for as long as it is told, with a log of when it worked."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

_SHORTEST_STEP = 0.02  # seconds; quicker steps are told together, for telling costs CPU
_OWN_BYTES = 2 * 1024**3  # what a WebUI takes before its first job

type OnStep = Callable[[int], Awaitable[None]]


class Interrupted(Exception):
    """The running job was asked to stop."""


class Gpu:
    """Does one job after the other; whoever comes meanwhile waits.

    With several `lanes` it does so many at once, as a server that batches; progress and interrupts are then of any.
    """

    def __init__(self, latency: float, leak_bytes: int = 0, log: str | None = None, lanes: int = 1) -> None:
        """`latency` in seconds; `log` is a file for the jobs' times."""
        self.latency = latency
        self.used_bytes = _OWN_BYTES
        self.calls: list[dict[str, object]] = []
        self.job: str | None = None
        self.step = self.steps = 0
        self.since = "0"
        self._leak_bytes = leak_bytes
        self._log = Path(log) if log else None
        self._lanes = asyncio.Semaphore(lanes)
        self._interrupted = asyncio.Event()

    @property
    def interrupted(self) -> bool:
        """Whether the running job has been asked to stop and has not stopped yet."""
        return self.job is not None and self._interrupted.is_set()

    def interrupt(self) -> None:
        """Stop the running job at its next step; without one nothing happens."""
        if self.job is not None:
            self._interrupted.set()

    async def work(
        self,
        job: str,
        seconds: float | None = None,
        *,
        steps: int = 1,
        on_step: OnStep | None = None,
        interruptible: bool = True,
    ) -> None:
        """Work on a job for `seconds` (its latency by default), in `steps` steps.

        Raises:
            Interrupted: it was asked to stop; one that is not interruptible works to its end first.
        """
        seconds = self.latency if seconds is None else seconds
        async with self._turn(job, steps):
            await self._do(seconds, on_step, interruptible)
            self.used_bytes += self._leak_bytes
            if self._interrupted.is_set():
                raise Interrupted

    async def _do(self, seconds: float, on_step: OnStep | None, interruptible: bool) -> None:
        parts = max(1, min(self.steps, int(seconds / _SHORTEST_STEP)))
        began = asyncio.get_running_loop().time()
        stop = self._interrupted if interruptible else asyncio.Event()
        for part in range(1, parts + 1):
            try:
                async with asyncio.timeout_at(began + seconds * part / parts):
                    await stop.wait()
            except TimeoutError:
                self.step = round(self.steps * part / parts)
                if on_step is not None:
                    await on_step(self.step)
            else:
                raise Interrupted

    async def hang(self, job: str, *, for_ever: bool) -> None:
        """Hold the GPU and do nothing: until an interrupt, or for ever (wedged).

        Raises:
            Interrupted: it was asked to stop.
        """
        async with self._turn(job, 1):
            await (asyncio.Event() if for_ever else self._interrupted).wait()
        raise Interrupted

    @asynccontextmanager
    async def _turn(self, job: str, steps: int) -> AsyncIterator[None]:
        async with self._lanes:
            began = time.monotonic()
            self.job, self.step, self.steps, self.since = job, 0, steps, time.strftime("%Y%m%d%H%M%S")
            self._interrupted.clear()
            try:
                yield
            finally:
                self.job = None
                self._note(job, began, time.monotonic())

    def _note(self, job: str, began: float, ended: float) -> None:
        call: dict[str, object] = {"job": job, "start": began, "end": ended, "at": time.time()}
        self.calls.append(call)
        if self._log is not None:
            with self._log.open("a") as file:
                file.write(json.dumps(call) + "\n")
