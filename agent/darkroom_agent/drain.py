"""Leaving politely: no new work, what has not started goes back, what runs may finish while there is time."""

import asyncio
from collections.abc import Callable

from .errors import Returned


class Drain:
    """Begins with SIGTERM. `grace` is the time for all of it, `reserve` what interrupting and returning may take."""

    def __init__(self, grace: float, reserve: float) -> None:
        """Both are seconds."""
        self.begun = asyncio.Event()
        self._grace = grace
        self._reserve = min(reserve, grace / 2)
        self._end = float("inf")

    def begin(self) -> None:
        """Leave; a second call means at once."""
        now = asyncio.get_running_loop().time()
        self._end = now + self._reserve if self.begun.is_set() else now + self._grace
        self.begun.set()

    def seconds_left(self) -> float:
        """Until everything must have ended."""
        return max(0.0, self._end - asyncio.get_running_loop().time())

    def seconds_to_return(self) -> float:
        """How long a message that goes back may wait for a better moment: half of what is left of the grace."""
        return self.seconds_left() / 2

    def check(self) -> None:
        """Let nothing start any more: a job without inputs would start before `leave` is first looked at.

        Raises:
            Returned: the pod is leaving.
        """
        if self.begun.is_set():
            raise Returned("the pod is leaving")

    async def leave(self, has_started: Callable[[], bool]) -> None:
        """Guard a message that is not committed yet.

        Raises:
            Returned: the pod is leaving, and the job has not started or cannot finish in time.
        """
        await self.begun.wait()
        # In steps, for a second signal may shorten what is left.
        while has_started() and (left := self.seconds_left() - self._reserve) > 0:  # noqa: ASYNC110 (time is the event)
            await asyncio.sleep(min(left, 1.0))
        raise Returned("the pod is leaving")
