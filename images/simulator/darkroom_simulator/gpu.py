"""The imagined GPU: one job at a time, for as long as it is told, with a log of when it worked."""

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path

STEPS = 10
_SHORT = 0.02  # seconds, below which a job is one step
_OWN_BYTES = 2 * 1024**3  # what a WebUI takes before its first job


class Interrupted(Exception):
    """The running job was asked to stop."""


class Gpu:
    """Does one job after the other; whoever comes meanwhile waits."""

    def __init__(self, latency: float, leak_bytes: int = 0, log: str | None = None) -> None:
        """`latency` in seconds; `log` is a file for the jobs' times."""
        self.latency = latency
        self.used_bytes = _OWN_BYTES
        self.calls: list[dict[str, object]] = []
        self.step = 0
        self.job: str | None = None
        self.since = "0"
        self.waiting = 0
        self.wedged = False
        self._leak_bytes = leak_bytes
        self._log = Path(log) if log else None
        self._lock = asyncio.Lock()
        self._interrupted = asyncio.Event()

    def interrupt(self) -> None:
        """Stop the running job at its next step; without one nothing happens."""
        if self.job is not None and not self.wedged:
            self._interrupted.set()

    async def work(self, job: str, seconds: float | None = None, on_step: Callable[[int], None] | None = None) -> None:
        """Work on a job for `seconds` (its latency by default), step by step.

        Raises:
            Interrupted: it was asked to stop.
        """
        self.waiting += 1
        try:
            await self._lock.acquire()
        finally:
            self.waiting -= 1
        began = time.monotonic()
        self.job, self.step, self.since = job, 0, time.strftime("%Y%m%d%H%M%S")
        self._interrupted.clear()
        try:
            await self._steps(self.latency if seconds is None else seconds, on_step)
        finally:
            self.job = None
            self._note(job, began, time.monotonic())
            self._lock.release()

    async def _steps(self, seconds: float, on_step: Callable[[int], None] | None) -> None:
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        for step in range(1, STEPS + 1) if seconds > _SHORT else (STEPS,):
            until = end - seconds * (STEPS - step) / STEPS
            try:
                async with asyncio.timeout_at(until):
                    await self._interrupted.wait()
            except TimeoutError:
                self.step = step
                if on_step is not None:
                    on_step(step)
                continue
            raise Interrupted
        self.used_bytes += self._leak_bytes

    async def hang(self, job: str, *, for_ever: bool) -> None:
        """Hold the GPU and do nothing: until an interrupt, or for ever (wedged)."""
        self.wedged = self.wedged or for_ever
        self.job, self.step, self.since = job, 0, time.strftime("%Y%m%d%H%M%S")
        self._interrupted.clear()
        try:
            async with self._lock:
                if for_ever:
                    await asyncio.Event().wait()
                await self._interrupted.wait()
        finally:
            if not for_ever:
                self.job = None
        raise Interrupted

    def _note(self, job: str, began: float, ended: float) -> None:
        call = {"job": job, "start": began, "end": ended, "at": time.time()}
        self.calls.append(call)
        if self._log is not None:
            with self._log.open("a") as file:
                file.write(json.dumps(call) + "\n")
