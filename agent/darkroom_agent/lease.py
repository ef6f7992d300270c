"""The agent's hold on a message: it extends itself, and says when it is lost."""

import asyncio

import structlog

from .errors import LeaseLost, ServiceUnavailable
from .ports import Delivery, Queue

log = structlog.get_logger()

_RETRY_SECONDS = 1.0  # between two tries to extend while the queue does not answer
_MARGIN = 0.1  # of the visibility: nothing is begun so close to its end


class Lease:
    """One message, from receive to settle.

    Whoever is about to do something that only the holder may do calls `check` first: a process that was stopped and
    goes on (SIGSTOP, a suspended machine) finds by the clock alone that it is late.
    """

    def __init__(self, queue: Queue, delivery: Delivery, visibility: int, heartbeat: float) -> None:
        """`visibility` and `heartbeat` are seconds."""
        self._queue = queue
        self._receipt = delivery.receipt
        self._visibility = visibility
        self._heartbeat = heartbeat
        self._deadline = delivery.visible_at
        self._lost = False
        self.extensions = 0

    def check(self) -> None:
        """Do nothing while the message is ours.

        Raises:
            LeaseLost: it is not, or will not be for long enough to finish anything.
        """
        if self._lost or asyncio.get_running_loop().time() >= self._deadline - _MARGIN * self._visibility:
            self._lost = True
            raise LeaseLost("the lease on the message has ended")

    async def keep(self) -> None:
        """Extend the lease for as long as this runs.

        Raises:
            LeaseLost: it could not be extended in time, or another has the message.
        """
        loop = asyncio.get_running_loop()
        # The first extension counts from the delivery, not from now: the message may have waited.
        next_beat = self._deadline - self._visibility + self._heartbeat
        while True:
            await asyncio.sleep(next_beat - loop.time())
            self.check()
            began = loop.time()
            try:
                async with asyncio.timeout_at(self._deadline):
                    await self._queue.extend(self._receipt, self._visibility)
            except LeaseLost:
                self._lost = True
                raise
            except (ServiceUnavailable, TimeoutError) as error:
                log.warning("lease.late", error=str(error) or "timeout")
                next_beat = loop.time() + _RETRY_SECONDS
                continue
            self.extensions += 1
            self._deadline = began + self._visibility
            next_beat = began + self._heartbeat

    async def release(self, delay: float) -> None:
        """Give the message back, to be handed out after `delay` seconds."""
        self._lost = True
        await self._queue.extend(self._receipt, round(delay))

    async def delete(self) -> None:
        """Acknowledge the message."""
        self._lost = True
        await self._queue.delete(self._receipt)
