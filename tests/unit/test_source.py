"""Where messages come from: shares of two queues."""

from darkroom_agent.fakes import MemoryQueue
from darkroom_agent.source import Source


def queue(count: int) -> MemoryQueue:
    made = MemoryQueue(longest_wait=0.01)
    for number in range(count):
        made.send(str(number))
    return made


async def shares(normal: MemoryQueue, bulk: MemoryQueue, every: int, limit: int, rounds: int) -> str:
    """What is taken, one letter a message."""
    source = Source(normal, bulk, every, wait_seconds=1)
    taken = [pair for _ in range(rounds) for pair in await source.receive(limit)]
    return "".join("b" if where is bulk else "n" for where, _ in taken)


async def test_normal_first_and_bulk_in_its_share() -> None:
    """One in four."""
    assert await shares(queue(20), queue(20), 4, 1, 12) == "nnnbnnnbnnnb"


async def test_a_batch_does_not_take_bulks_share() -> None:
    """However many are asked for at once."""
    assert await shares(queue(50), queue(50), 4, 10, 6) == "nnnbnnnbnnnb"


async def test_bulk_has_all_when_there_is_nothing_else() -> None:
    """One at a time, for a normal one may come at any moment."""
    assert await shares(queue(0), queue(3), 10, 10, 5) == "bbb"


async def test_a_due_but_empty_bulk_queue_costs_nobody_a_turn() -> None:
    """And it is not asked again at once."""
    assert await shares(queue(8), queue(0), 4, 1, 8) == "n" * 8


async def test_without_a_bulk_queue_there_is_one_long_poll() -> None:
    """The normal queue's own."""
    only = queue(2)
    assert [delivery.body for _, delivery in await Source(only, None, 10, 1).receive(10)] == ["0", "1"]
