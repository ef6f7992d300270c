"""The runtime's health: wait for it, warm it up, have it restarted, and hold back work while it is down."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from .errors import Failure
from .mark import RestartMark
from .ports import Runtime

log = structlog.get_logger()

_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 2.0  # seconds between two probes
_RESTART_SECONDS = 120.0  # a restart that has not begun by then is not coming


class Health:
    """`up` is set while the runtime can run jobs. `watch` must run as a task."""

    def __init__(self, runtime: Runtime, mark: RestartMark, warm_up: Callable[[], Awaitable[None]]) -> None:
        """`warm_up` runs the warm-up job; its failures are its own business."""
        self.up = asyncio.Event()
        self._runtime = runtime
        self._mark = mark
        self._warm_up = warm_up
        self._down = asyncio.Event()
        self._down.set()
        # A mark that an agent before this one left behind would have the runtime killed for ever: see it through.
        self._restart: str | None = "a restart was asked for before" if mark.is_there() else None
        self._is_warm = False

    def report(self, reason: str, *, restart: bool) -> None:
        """Say that the runtime may be down, or that only a restart would help; it is looked after at once."""
        log.warning("runtime.down", reason=reason, restart=restart)
        if restart:
            self._restart = reason
        self.up.clear()
        self._down.set()

    async def watch(self) -> None:
        """Bring the runtime up whenever it is down, for ever."""
        while True:
            await self._down.wait()
            if self._restart is not None:
                await self._have_it_restarted(self._restart)
                self._restart = None
                self._is_warm = False
            await self._until_ready()
            if not self._is_warm:
                self._is_warm = True
                await self._warm_up()
            if self._restart is None:
                self._down.clear()
                self.up.set()
                log.info("runtime.up")

    async def _until_ready(self) -> None:
        pause, told = _FIRST_PAUSE, False
        while (failure := await self._probe()) is not None:
            self._is_warm = False
            if not told:
                told = True
                log.warning("runtime.awaited", reason=failure.message)
            if failure.restart:
                await self._have_it_restarted(failure.message)
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def _have_it_restarted(self, reason: str) -> None:
        """Put the mark and wait until somebody acts on it: the mark is taken, or the runtime no longer answers."""
        if not self._mark.usable:
            log.error("runtime.needs_restart", reason=reason, hint="set RUNTIME_MARK_FILE, or restart it by hand")
            return
        self._mark.put(reason)
        log.warning("runtime.restart", reason=reason)
        try:
            async with asyncio.timeout(_RESTART_SECONDS):
                while self._mark.is_there():
                    failure = await self._probe()
                    if failure is not None and not failure.restart:
                        break
                    await asyncio.sleep(_FIRST_PAUSE)
        except TimeoutError:
            log.exception("runtime.not_restarted", reason=reason, seconds=_RESTART_SECONDS)
        self._mark.clear()

    async def _probe(self) -> Failure | None:
        try:
            await self._runtime.probe()
        except Failure as failure:
            return failure
        return None
