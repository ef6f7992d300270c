"""Which queues have a long poll of ours open: what goes back to such a queue would come right back to us."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from .ports import Queue

_SECONDS_IN_HAND = 2  # the longest poll beside messages in hand
_PATIENCE = 2.0 * _SECONDS_IN_HAND  # every poll that was open at first has ended by then


class Polls:
    """The open long polls, by queue. A poll cannot be broken off: it may have taken a message with it."""

    def __init__(self) -> None:
        self._open: Counter[str] = Counter()
        self._changed = asyncio.Event()

    @staticmethod
    def wait_seconds(longest: int, *, in_hand: bool) -> int:
        """How long to poll: briefly while messages are in hand, for one that goes back waits for the poll's end."""
        return min(longest, _SECONDS_IN_HAND) if in_hand else longest

    @contextmanager
    def open(self, queue: Queue) -> Iterator[None]:
        """A poll is open inside."""
        self._open[queue.name] += 1
        try:
            yield
        finally:
            self._open[queue.name] -= 1
            self._changed.set()

    async def closed(self, queue: Queue, within: float) -> None:
        """Wait until no poll of this queue is open, for `within` seconds at most: one attempt too many is no loss."""
        try:
            async with asyncio.timeout(min(within, _PATIENCE)):
                while self._open[queue.name]:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return
