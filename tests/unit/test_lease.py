"""The agent's hold on a message."""

import asyncio

import pytest

from darkroom_agent.errors import LeaseLost, ServiceUnavailable
from darkroom_agent.fakes import MemoryQueue
from darkroom_agent.guarded import guarded
from darkroom_agent.lease import Lease


async def leased(visibility: int = 2, heartbeat: float = 0.05) -> tuple[MemoryQueue, Lease]:
    queue = MemoryQueue(visibility=visibility)
    queue.send("m")
    delivery = (await queue.receive(1, 0))[0]
    return queue, Lease(queue, delivery, visibility, heartbeat)


async def test_it_extends_itself_while_it_is_kept() -> None:
    """Heartbeat after heartbeat, always by the whole visibility."""
    queue, lease = await leased()

    async def until_extended_thrice() -> None:
        while len(queue.extended) < 3:
            await queue.changed()

    async with asyncio.timeout(5):
        await guarded(until_extended_thrice(), lease.keep())
    assert {seconds for _, seconds in queue.extended} == {2}
    lease.check()


async def test_another_holder_ends_it() -> None:
    """The queue says that the receipt is stale: at once and for good."""
    queue, lease = await leased()
    queue.messages[0].receipt = "other"
    with pytest.raises(LeaseLost):
        await lease.keep()
    with pytest.raises(LeaseLost):
        lease.check()


async def test_an_unreachable_queue_ends_it_only_when_its_time_is_over() -> None:
    """Tries again until the visibility has run out, and not longer."""
    queue, lease = await leased(visibility=1)
    tries = []

    async def away(receipt: str, seconds: int) -> None:
        tries.append(seconds)
        raise ServiceUnavailable("no route")

    queue.extend = away  # type: ignore[method-assign]
    loop = asyncio.get_running_loop()
    began = loop.time()
    with pytest.raises(LeaseLost):
        await lease.keep()
    assert 0.8 <= loop.time() - began < 2.5
    assert tries


async def test_a_process_that_slept_too_long_finds_out_by_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """SIGSTOP past the visibility: the very next check fails, though no timer has fired yet."""
    _, lease = await leased(visibility=60, heartbeat=20)
    lease.check()
    loop = asyncio.get_running_loop()
    now = loop.time()
    monkeypatch.setattr(loop, "time", lambda: now + 61)
    with pytest.raises(LeaseLost):
        lease.check()


async def test_release_hands_the_message_out_again() -> None:
    """At once, with 0."""
    queue, lease = await leased(visibility=60)
    await lease.release(0)
    assert [delivery.attempt for delivery in await queue.receive(1, 0)] == [2]
