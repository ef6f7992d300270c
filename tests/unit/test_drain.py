"""Leaving politely."""

import asyncio

import pytest

from darkroom_agent.drain import Drain
from darkroom_agent.errors import Returned


async def test_what_has_not_started_goes_back_at_once() -> None:
    """However long the grace."""
    drain = Drain(grace=100, reserve=10)
    drain.begin()
    async with asyncio.timeout(1):
        with pytest.raises(Returned):
            await drain.leave(lambda: False)


async def test_what_runs_has_until_the_reserve() -> None:
    """Interrupting and returning take time, too."""
    drain = Drain(grace=0.6, reserve=0.3)
    drain.begin()
    began = asyncio.get_running_loop().time()
    with pytest.raises(Returned):
        await drain.leave(lambda: True)
    assert 0.25 <= asyncio.get_running_loop().time() - began < 0.6


async def test_a_second_signal_means_at_once() -> None:
    """An operator has lost patience."""
    drain = Drain(grace=1000, reserve=0.1)
    drain.begin()
    drain.begin()
    async with asyncio.timeout(2):
        with pytest.raises(Returned):
            await drain.leave(lambda: True)


async def test_nothing_happens_before_it_begins() -> None:
    """The guard waits."""
    waiting = asyncio.create_task(Drain(1, 1).leave(lambda: False))
    await asyncio.sleep(0)
    assert not waiting.done()
    waiting.cancel()
