"""Whether a part that every job needs works: while it does not, nothing is received, for each receipt is an attempt."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from .errors import ServiceUnavailable

log = structlog.get_logger()

_LONGEST_PAUSE = 60.0  # seconds between two probes


class Breaker:
    """`well` is set while the part works; a failure opens the breaker, a probe closes it. `watch` must run as a task.

    The pause before a probe doubles, until a job's own call has come through: where probes succeed and jobs' calls do
    not, few messages are spent on it.
    """

    def __init__(self, part: str, look_at: str, probe: Callable[[], Awaitable[None]], first_pause: float = 1.0) -> None:
        """`part` and `look_at` are for the log; `probe` raises ServiceUnavailable; `first_pause`: seconds."""
        self._part = part
        self._hint = f"no message is received until it works; look at {look_at}"
        self.well = asyncio.Event()
        self.reason = "it was not asked yet"
        self._probe = probe
        self._first_pause = first_pause
        self._pause = 0.0
        self._down = asyncio.Event()
        self._down.set()

    def trip(self, failure: ServiceUnavailable) -> None:
        """A call has failed."""
        if self.well.is_set():
            log.error(f"{self._part}.unreachable", error=failure.message, hint=self._hint)
        self.reason = failure.message
        self.well.clear()
        self._down.set()

    def worked(self) -> None:
        """A job's own call has come through."""
        self._pause = 0.0

    async def watch(self) -> None:
        """Close the breaker whenever the part works again, for ever."""
        starting = True
        while True:
            await self._down.wait()
            while (failure := await self._asked()) is not None:
                if starting:
                    log.error(f"{self._part}.unreachable", error=failure.message, hint=self._hint)
                starting = False
                self.reason = failure.message
            self._down.clear()
            self.well.set()
            log.info(f"{self._part}.up")
            starting = False

    async def _asked(self) -> ServiceUnavailable | None:
        await asyncio.sleep(self._pause)
        self._pause = min(max(self._pause * 2, self._first_pause), _LONGEST_PAUSE)
        try:
            await self._probe()
        except ServiceUnavailable as failure:
            return failure
        return None
