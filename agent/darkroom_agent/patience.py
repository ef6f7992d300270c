"""Waiting out an outage: a message in hand keeps its lease, for going back would cost it an attempt."""

import asyncio
from collections.abc import Awaitable, Callable

from .breaker import Breaker
from .errors import ServiceUnavailable
from .guarded import guarded


class Patience:
    """Makes calls behind a breaker.

    A call that fails opens the breaker, waits until the part works, and is made once more: what fails then is no
    outage, and is the message's own. Nothing waits once the agent leaves.
    """

    def __init__(self, breaker: Breaker, leaving: asyncio.Event) -> None:
        """`leaving` is set when the agent leaves."""
        self._breaker = breaker
        self._leaving = leaving

    async def call[T](self, call: Callable[[], Awaitable[T]]) -> T:
        """What `call` returns.

        Raises:
            ServiceUnavailable: it failed twice, or the part is down and the agent leaves.
        """
        await self._until_well()
        try:
            return await call()
        except ServiceUnavailable as failure:
            self._breaker.trip(failure)
        await self._until_well()
        try:
            return await call()
        except ServiceUnavailable as failure:
            self._breaker.trip(failure)
            raise

    async def _until_well(self) -> None:
        if not self._breaker.well.is_set():
            await guarded(_set(self._breaker.well), self._unless_leaving())

    async def _unless_leaving(self) -> None:
        await self._leaving.wait()
        raise ServiceUnavailable(self._breaker.reason)


async def _set(event: asyncio.Event) -> None:
    await event.wait()
