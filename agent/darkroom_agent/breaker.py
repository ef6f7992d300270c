"""Whether the output bucket works: while it does not, nothing is received, for deliveries count as attempts."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from darkroom_contract.document import JobDocument
from darkroom_contract.job import State

from .errors import ServiceUnavailable
from .ports import Conflict, Store

log = structlog.get_logger()

_LONGEST_PAUSE = 60.0  # seconds between two probes
_HINT = "no message is received until it works; look at S3, the bucket and the agent's role"
_NOBODY = JobDocument(id="darkroom-probe", runtime="none", state=State.QUEUED, attempt=1)
_NO_ETAG = '"00000000000000000000000000000000"'


async def probe(store: Store) -> None:
    """Try a write as jobs do it, under a condition that cannot hold: permission is asked for, and nothing is left.

    Raises:
        ServiceUnavailable: documents cannot be written now.
    """
    try:
        await store.write_document(_NOBODY, _NO_ETAG)
    except Conflict:
        return


class Breaker:
    """`well` is set while the store works; a failure opens the breaker, a probe closes it. `watch` must run as a task.

    The pause before a probe doubles, until a write of a job has come through: where probes succeed and jobs' calls do
    not, few messages are spent on it.
    """

    def __init__(self, probe: Callable[[], Awaitable[None]], first_pause: float = 1.0) -> None:
        """`first_pause`: seconds before the second probe."""
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
            log.error("store.unreachable", error=failure.message, hint=_HINT)
        self.reason = failure.message
        self.well.clear()
        self._down.set()

    def worked(self) -> None:
        """A write of a job has come through."""
        self._pause = 0.0

    async def watch(self) -> None:
        """Close the breaker whenever the store works again, for ever."""
        starting = True
        while True:
            await self._down.wait()
            while (failure := await self._asked()) is not None:
                if starting:
                    log.error("store.unreachable", error=failure.message, hint=_HINT)
                starting = False
                self.reason = failure.message
            self._down.clear()
            self.well.set()
            log.info("store.up")
            starting = False

    async def _asked(self) -> ServiceUnavailable | None:
        await asyncio.sleep(self._pause)
        self._pause = min(max(self._pause * 2, self._first_pause), _LONGEST_PAUSE)
        try:
            await self._probe()
        except ServiceUnavailable as failure:
            return failure
        return None
