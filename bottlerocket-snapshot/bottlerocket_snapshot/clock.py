"""Time, as one value that tests replace; waiting for what AWS does."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from .failures import TimedOut


@dataclass(frozen=True)
class Clock:
    """The time of day, seconds that never go back, and a pause."""

    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    seconds: Callable[[], float] = time.monotonic
    pause: Callable[[float], None] = time.sleep

    def deadline(self, seconds: float, why: str) -> "Deadline":
        """An end `seconds` from now; `why` is what to look at when it comes."""
        return Deadline(self, self.seconds() + seconds, why)


@dataclass(frozen=True)
class Deadline:
    """When waiting ends."""

    clock: Clock
    end: float
    why: str

    def left(self) -> float:
        """Seconds until then, at least 0."""
        return max(0.0, self.end - self.clock.seconds())

    def until[T](self, look: Callable[[], T | None], every: float) -> T:
        """What `look` sees, once it sees something; it looks each `every` seconds.

        boto3's waiters cannot be used for it: they have neither an end common to all steps, nor progress.

        Raises:
            TimedOut: it saw nothing in time.
        """
        while (seen := look()) is None:
            if not self.left():
                raise TimedOut(self.why)
            self.clock.pause(min(every, self.left()))
        return seen

    def sooner(self, seconds: float, why: str) -> "Deadline":
        """An end of its own for a step, but never later than this one."""
        one = self.clock.deadline(seconds, why)
        return one if one.end < self.end else self
