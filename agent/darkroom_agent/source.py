"""Where messages come from: the queue, and the bulk queue in its share of the turns."""

from .ports import Delivery, Queue

_IDLE_WAIT = 1  # seconds at the normal queue before an idle agent looks at the bulk queue again


class Source:
    """Takes messages: normal ones first, bulk ones when there are none, and bulk first once in `bulk_every` jobs."""

    def __init__(self, normal: Queue, bulk: Queue | None, bulk_every: int, wait_seconds: int) -> None:
        self._normal = normal
        self._bulk = bulk
        self._bulk_every = bulk_every
        self._wait_seconds = wait_seconds
        self._normal_in_a_row = 0

    async def receive(self, limit: int) -> list[tuple[Queue, Delivery]]:
        """Up to `limit` messages, each with the queue that it came from; none after a while of waiting."""
        if self._bulk is None:
            return await self._take(self._normal, limit, self._wait_seconds)
        bulk_is_due = self._bulk_every - 1 - self._normal_in_a_row
        if bulk_is_due <= 0 and (taken := await self._take_bulk()):
            return taken
        # No more normal ones at once than are left before bulk is due, or a batch would take bulk's share.
        if taken := await self._take(self._normal, min(limit, max(bulk_is_due, 1)), 0):
            self._normal_in_a_row += len(taken)
            return taken
        if taken := await self._take_bulk():
            return taken
        self._normal_in_a_row = 0
        return await self._take(self._normal, limit, min(_IDLE_WAIT, self._wait_seconds))

    async def _take_bulk(self) -> list[tuple[Queue, Delivery]]:
        """One bulk message: a normal one may come at any moment and must not find a line of bulk before it."""
        assert self._bulk is not None
        self._normal_in_a_row = 0
        return await self._take(self._bulk, 1, 0)

    async def _take(self, queue: Queue, limit: int, wait_seconds: int) -> list[tuple[Queue, Delivery]]:
        return [(queue, delivery) for delivery in await queue.receive(limit, wait_seconds)]
