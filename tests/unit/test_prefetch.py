"""How many messages to hold."""

import asyncio

from darkroom_agent.prefetch import Prefetch
from darkroom_contract.job import Priority

NORMAL, BULK = Priority.NORMAL, Priority.BULK


def after_runs(prefetch: Prefetch, seconds: float, times: int = 10, lead: float = 0.15) -> float:
    """Let `times` jobs of `seconds` pass, one after the other; returns the moment after them."""
    now = 0.0
    for _ in range(times):
        prefetch.taken(NORMAL)
        prefetch.started(now, lead, NORMAL)
        prefetch.finished(now + seconds, now)
        now += seconds
        prefetch.gone(NORMAL, had_started=True)
    return now


async def test_an_idle_agent_takes_one_job_and_one_ahead() -> None:
    """Pods of one deployment share the queue: none hoards."""
    assert Prefetch(1, 10, 30).allowance(0) == 2
    assert Prefetch(4, 10, 30).allowance(0) == 5


async def test_jobs_of_a_second_need_one_ahead() -> None:
    """Fetching the next takes less than the run."""
    prefetch = Prefetch(1, 10, 30)
    now = after_runs(prefetch, 1.0)
    prefetch.taken(NORMAL)
    prefetch.started(now, 0.15, NORMAL)
    assert prefetch.allowance(now) == 1


async def test_prefetch_deepens_when_jobs_are_short() -> None:
    """Of jobs of 50 ms several are held, so that the GPU never waits for the queue."""
    prefetch = Prefetch(1, 10, 30)
    now = after_runs(prefetch, 0.05)
    prefetch.taken(NORMAL)
    prefetch.started(now, 0.15, NORMAL)
    assert prefetch.allowance(now) >= 5


async def test_long_jobs_are_fetched_only_when_a_slot_is_near() -> None:
    """Of jobs longer than the hold nothing is fetched early: it would go back, and each return counts as an attempt."""
    prefetch = Prefetch(1, 10, 30)
    now = after_runs(prefetch, 120)
    prefetch.taken(NORMAL)
    prefetch.started(now, 0.15, NORMAL)
    assert prefetch.allowance(now + 1) == 0
    assert prefetch.allowance(now + 110) == 1


async def test_after_a_return_nothing_is_taken_until_a_slot_is_free() -> None:
    """Or the same message would come and go for as long as the running job takes."""
    prefetch = Prefetch(1, 10, 30)
    prefetch.taken(NORMAL)
    prefetch.started(0, 0.1, NORMAL)
    prefetch.taken(NORMAL)
    prefetch.shut()
    prefetch.gone(NORMAL, had_started=False)
    assert prefetch.allowance(1) == 0
    prefetch.finished(40, 0)
    prefetch.gone(NORMAL, had_started=True)
    assert prefetch.allowance(40) == 2


async def test_no_prefetch_at_all_when_it_is_switched_off() -> None:
    """PREFETCH=0: one message for each slot."""
    prefetch = Prefetch(1, 0, 30)
    assert prefetch.allowance(0) == 1
    prefetch.taken(NORMAL)
    assert prefetch.allowance(0) == 0
    prefetch.started(0, 0.1, NORMAL)
    assert prefetch.allowance(0) == 0


async def test_results_that_wait_to_be_stored_are_bounded() -> None:
    """They lie in memory: with S3 away, the agent stops taking work."""
    prefetch = Prefetch(1, 10, 30)
    for number in range(23):
        prefetch.taken(NORMAL)
        prefetch.started(number, 0.1, NORMAL)
        prefetch.finished(number, number)
    assert prefetch.allowance(23) == 0


async def test_room_waits_for_a_change() -> None:
    """Nobody polls."""
    prefetch = Prefetch(1, 0, 30)
    prefetch.taken(NORMAL)
    waiting = asyncio.create_task(prefetch.room(NORMAL))
    await asyncio.sleep(0)
    assert not waiting.done()
    prefetch.gone(NORMAL, had_started=False)
    assert await waiting == 1


async def test_bulk_leaves_room_for_normal_ones_and_not_the_other_way_round() -> None:
    """A normal job that arrives is received at once, however many bulk ones wait here."""
    prefetch = Prefetch(1, 10, 30)
    now = after_runs(prefetch, 1.0)
    prefetch.taken(BULK)
    prefetch.started(now, 0.15, BULK)
    prefetch.taken(BULK)
    assert prefetch.allowance(now, NORMAL) == 1
    assert prefetch.allowance(now, BULK) == 0
    prefetch.taken(NORMAL)
    assert prefetch.allowance(now, NORMAL) == 0


async def test_one_bulk_job_is_held_when_its_share_comes_near() -> None:
    """Though normal ones take all the room."""
    near = False
    prefetch = Prefetch(1, 10, 30, lambda: near)
    now = after_runs(prefetch, 1.0)
    prefetch.taken(NORMAL)
    prefetch.started(now, 0.15, NORMAL)
    prefetch.taken(NORMAL)
    assert prefetch.allowance(now, BULK) == 0
    near = True
    assert prefetch.allowance(now, BULK) == 1
    prefetch.taken(BULK)
    assert prefetch.allowance(now, BULK) == 0
