"""Who runs next."""

import asyncio

import pytest

from darkroom_agent.errors import Returned
from darkroom_agent.turns import MAX_PASSED, Turns, Waiting, choose
from darkroom_contract.job import Priority

BULK = Priority.BULK


async def test_the_loaded_model_goes_first() -> None:
    """A switch of checkpoints costs seconds."""
    line = [Waiting("a"), Waiting("b"), Waiting("a")]
    assert choose(line, "b") == 1
    assert choose(line, "a") == 0
    assert choose(line, "other") == 0


async def test_jobs_without_a_model_keep_their_place() -> None:
    """They run on whatever is loaded."""
    assert choose([Waiting("a"), Waiting(None), Waiting("b")], "b") == 1


async def test_nobody_is_passed_for_ever() -> None:
    """After MAX_PASSED others the first in the line runs, whatever is loaded."""
    line = [Waiting("a", passed=MAX_PASSED), Waiting("b")]
    assert choose(line, "b") == 0


async def test_normal_goes_before_bulk_unless_bulk_is_due() -> None:
    """Whoever came first, and whatever is loaded."""
    line = [Waiting("m", BULK), Waiting("m"), Waiting("other"), Waiting(None, BULK)]
    assert choose(line, "m") == 1
    assert choose(line, "m", bulk_is_due=True) == 0
    assert choose(line, "x", bulk_is_due=True) == 3
    assert choose([Waiting(None, BULK)], "m") == 0
    assert choose([Waiting("m")], "m", bulk_is_due=True) == 0


async def test_bulk_gets_its_share_of_a_busy_line() -> None:
    """One turn in four, while normal ones wait."""
    turns = Turns(1, lambda: None, bulk_every=4)
    order: list[str] = []

    async def job(name: str, priority: Priority) -> None:
        async with turns.turn(None, 5, priority):
            order.append(name)
            await asyncio.sleep(0)

    jobs = [job("b", BULK) for _ in range(3)] + [job("n", Priority.NORMAL) for _ in range(9)]
    async with turns.turn(None, 5):
        running = [asyncio.create_task(one) for one in jobs]
        await asyncio.sleep(0)
    await asyncio.gather(*running)
    assert "".join(order) == "nnbnnnbnnnbn"


async def test_slots_bound_what_runs_and_the_line_is_by_arrival() -> None:
    """Two slots, four jobs."""
    turns = Turns(2, lambda: None)
    order: list[int] = []
    gates = [asyncio.Event() for _ in range(4)]

    async def job(number: int) -> None:
        async with turns.turn(None, hold_seconds=5):
            order.append(number)
            await gates[number].wait()

    tasks = [asyncio.create_task(job(number)) for number in range(4)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert order == [0, 1]
    gates[1].set()
    await tasks[1]
    await asyncio.sleep(0)
    assert order == [0, 1, 2]
    for gate in gates:
        gate.set()
    await asyncio.gather(*tasks)
    assert order == [0, 1, 2, 3]
    assert turns.free == 2


async def test_a_wait_that_is_too_long_returns_the_message_and_leaks_no_slot() -> None:
    """Also when the slot and the end of the wait come together."""
    turns = Turns(1, lambda: None)
    async with turns.turn(None, hold_seconds=1):
        with pytest.raises(Returned):
            async with turns.turn(None, hold_seconds=0.01):
                pass
        waiting = asyncio.create_task(turns._acquire(Waiting(None), 5))
        await asyncio.sleep(0)
    waiting.cancel()  # it has its slot already, but has not been told
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert turns.free == 1
