"""How many messages to hold: enough that the GPU never waits, so few that other pods get theirs."""

import asyncio
import math
from collections.abc import Callable

from darkroom_contract.job import Priority

_SMOOTHING = 0.3  # weight of the newest job in the running averages
_MARGIN_SECONDS = 0.2  # to be ready before a slot is free, not just then
_FINISHING = 12  # results that may wait for S3 and SNS at once: they lie in memory


class Prefetch:
    """Permits to receive. A message is *ahead* from its receipt until it runs or goes back.

    One job ahead is enough when jobs take longer than fetching the next; of shorter ones as many are held as run while
    one is fetched. Of jobs longer than `hold` seconds none is fetched until a slot is nearly free: it would only have
    to go back, and each return is counted by the queue as an attempt.
    """

    def __init__(
        self, slots: int, most_ahead: int, hold: float, bulk_is_near: Callable[[], bool] = lambda: False
    ) -> None:
        """`bulk_is_near`: whether bulk's share of the turns comes soon, so that a bulk job should be there by then."""
        self._bulk_is_near = bulk_is_near
        self._slots = slots
        self._most_ahead = most_ahead
        self._hold = hold
        self._ahead = dict.fromkeys(Priority, 0)
        self._alive = 0
        self._running: list[float] = []
        self._run_seconds: float | None = None
        self._lead_seconds = 0.5
        self._shut = False
        self._changed = asyncio.Event()

    async def room(self, priority: Priority) -> int:
        """Wait until a message may be received from the queue of this priority; how many at most."""
        loop = asyncio.get_running_loop()
        while True:
            self._changed.clear()
            if (number := self.allowance(loop.time(), priority)) > 0:
                return number
            try:
                async with asyncio.timeout(self._patience(loop.time())):
                    await self._changed.wait()
            except TimeoutError:
                continue

    def allowance(self, now: float, priority: Priority = Priority.NORMAL) -> int:
        """How many more messages of a priority may be held at the moment `now` (seconds).

        Bulk ones that wait leave room for normal ones, which go before them; for bulk there is what normal ones leave,
        and one when its share comes near.
        """
        wanted = self._slots - len(self._running) + self._wanted(now)
        most_alive = self._slots + self._most_ahead + _FINISHING
        normal, bulk = self._ahead[Priority.NORMAL], self._ahead[Priority.BULK]
        if priority is Priority.NORMAL:
            return min(wanted - normal, most_alive - self._alive)
        share = 1 - bulk if self._bulk_is_near() else 0
        return min(max(wanted - normal - bulk, share), most_alive - self._alive)

    def waiting(self) -> int:
        """Messages that are held and do not run yet."""
        return sum(self._ahead.values())

    def running(self) -> int:
        """Messages that run."""
        return len(self._running)

    def taken(self, priority: Priority = Priority.NORMAL) -> None:
        """A message was received."""
        self._ahead[priority] += 1
        self._alive += 1

    def started(self, now: float, lead_seconds: float, priority: Priority) -> None:
        """A message got its slot; it took `lead_seconds` from its receipt until it could have run."""
        self._ahead[priority] -= 1
        self._running.append(now)
        self._lead_seconds += _SMOOTHING * (lead_seconds - self._lead_seconds)
        self._changed.set()

    def finished(self, now: float, started: float) -> None:
        """The run that began at `started` has ended."""
        self._running.remove(started)
        seconds = now - started
        known = self._run_seconds
        self._run_seconds = seconds if known is None else known + _SMOOTHING * (seconds - known)
        self._shut = False
        self._changed.set()

    def gone(self, priority: Priority, *, had_started: bool) -> None:
        """A message has gone, wherever to."""
        self._alive -= 1
        self._ahead[priority] -= not had_started
        self._changed.set()

    def shut(self) -> None:
        """Take no more until a slot is free: a message has waited too long for one."""
        self._shut = True

    def _wanted(self, now: float) -> int:
        if self._shut or self._until_slot(now) > self._hold / 2:
            return 0
        if self._run_seconds is None:
            return min(1, self._most_ahead)
        fetching = self._lead_seconds + _MARGIN_SECONDS
        return min(self._most_ahead, max(1, math.ceil(fetching * self._slots / max(self._run_seconds, 1e-3))))

    def _until_slot(self, now: float) -> float:
        """Seconds until a slot is expected to be free; 0 while nothing is known of how long jobs take."""
        if self._run_seconds is None or len(self._running) < self._slots:
            return 0.0
        return min(self._running) + self._run_seconds - now

    def _patience(self, now: float) -> float | None:
        """When to look again though nothing has changed: the moment that a slot comes near."""
        if self._shut:
            return None
        nearing = self._until_slot(now) - self._hold / 2
        return max(nearing, 0.05) if nearing > 0 else None
