"""Restart a runtime between jobs, after a number of them or above a memory limit: WebUIs leak."""

from .errors import Failure
from .health import Health
from .ports import Runtime


class Recycle:
    """`after_jobs` and `above_bytes`: 0 means never."""

    def __init__(self, runtime: Runtime, health: Health, after_jobs: int, above_bytes: int) -> None:
        self._runtime = runtime
        self._health = health
        self._after_jobs = after_jobs
        self._above_bytes = above_bytes
        self._jobs = 0
        self._due: str | None = None

    async def job_done(self, still_running: int) -> None:
        """Call when a run has ended, before its slot is given on; `still_running` others go on beside it."""
        self._jobs += 1
        self._due = self._due or await self._reason()
        if self._due is None:
            return
        # Nobody else starts; the last one out has it restarted.
        self._health.up.clear()
        if still_running == 0:
            self._health.report(self._due, restart=True)
            self._jobs, self._due = 0, None

    async def _reason(self) -> str | None:
        if self._after_jobs and self._jobs >= self._after_jobs:
            return f"recycled after {self._jobs} jobs"
        if not self._above_bytes:
            return None
        try:
            used = await self._runtime.memory_bytes()
        except Failure:
            return None
        return f"recycled at {used} bytes" if used is not None and used >= self._above_bytes else None
