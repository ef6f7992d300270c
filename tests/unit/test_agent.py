"""The agent's loop: work ahead, bulk beside normal, a runtime or a queue that is away, leaving."""

import asyncio
import json

from darkroom_agent.drain import Drain
from darkroom_agent.errors import (
    RuntimeGone,
    RuntimeWedged,
    ServiceUnavailable,
)
from darkroom_agent.fakes import MemoryQueue
from darkroom_agent.ports import Delivery, Prepared, Report, Result
from darkroom_contract.job import Job, State

from .world import World, message, two_files


async def test_work_goes_on_while_results_are_stored() -> None:
    """The GPU does not wait for AWS: the next job runs while the last one's commit still hangs."""
    world = World()
    hanging = asyncio.Event()
    put = world.store.put_artifact

    async def slow_store(key: str, data: bytes, content_type: str) -> None:
        if key.startswith("sd/a/"):
            await hanging.wait()
        await put(key, data, content_type)

    async def work(prepared: Prepared, report: Report) -> Result:
        if prepared.job.id == "b":
            hanging.set()
        return await two_files(prepared, report)

    world.store.put_artifact = slow_store  # type: ignore[method-assign]
    world.runtime.work = work
    await world.settled(message("a"), message("b"))
    assert world.states() == {"a": State.COMPLETED, "b": State.COMPLETED}


async def test_the_next_message_is_prepared_while_a_job_runs() -> None:
    """Promise 4: the second job's inputs are fetched before the first one's run has ended."""
    world = World()
    fetched = asyncio.Event()
    fetch = world.inputs.fetch

    class Noticing:
        calls = 0

        async def fetch(self, fields: list[tuple[tuple[str | int, ...], str]]) -> object:
            self.calls += 1
            if self.calls == 2:
                fetched.set()
            return await fetch(fields)

    async def until_next_is_fetched(prepared: Prepared, report: Report) -> Result:
        await fetched.wait()
        return await two_files(prepared, report)

    world.inputs = Noticing()
    world.runtime.work = until_next_is_fetched
    await world.settled(message("a"), message("b"))
    assert world.states() == {"a": State.COMPLETED, "b": State.COMPLETED}


async def test_a_message_that_cannot_start_soon_goes_back() -> None:
    """A fetched message is not hoarded behind a long job: it is visible to other pods after the hold."""
    world = World(HOLD_SECONDS="1")
    returned = asyncio.Event()
    extend = world.queue.extend

    async def noticing(receipt: str, seconds: int) -> None:
        await extend(receipt, seconds)
        if seconds == 0:
            returned.set()

    async def long_job(prepared: Prepared, report: Report) -> Result:
        if prepared.job.id == "a":
            await returned.wait()
        return await two_files(prepared, report)

    world.queue.extend = noticing  # type: ignore[method-assign]
    world.runtime.work = long_job
    await world.settled(message("a"), message("b"))
    assert world.store.document("b").attempt == 2


async def test_a_wedged_runtime_is_marked_for_restart(tmp_path: object) -> None:
    """The mark stands until somebody restarts the runtime; meanwhile no message is taken."""
    world = World(RUNTIME_MARK_FILE=f"{tmp_path}/restart")
    marked = asyncio.Event()
    put = world.mark.put

    def noticing(reason: str) -> None:
        put(reason)
        marked.set()

    async def wedge_once(prepared: Prepared, report: Report) -> Result:
        if prepared.attempt == 1:
            raise RuntimeWedged("nothing moves")
        return await two_files(prepared, report)

    world.mark.put = noticing  # type: ignore[method-assign]
    world.runtime.work = wedge_once
    world.queue.send(message())
    async with world.running():
        await marked.wait()
        assert not world.health.up.is_set()
        assert world.mark.is_there()
        world.mark.clear()  # the restart
        await world.until_empty()
    assert world.store.document("a").attempt == 2
    assert world.warmed == 2


async def test_no_message_is_taken_while_the_runtime_is_down() -> None:
    """The predecessor burnt five jobs in 3.5 s on a runtime that was starting."""
    world = World()
    world.runtime.probes = [RuntimeGone("starting")] * 3
    await world.settled(*(message(name) for name in "abcde"))
    assert {world.store.document(name).attempt for name in "abcde"} == {1}


async def test_a_drain_returns_what_has_not_started_and_finishes_what_runs() -> None:
    """SIGTERM: the running job completes, the prefetched one goes back at once, nothing else is taken."""
    world = World()
    started = asyncio.Event()

    async def run(prepared: Prepared, report: Report) -> Result:
        started.set()
        await world.drain.begun.wait()
        return await two_files(prepared, report)

    world.runtime.work = run
    serving = world.serve()
    for name in "abc":
        world.queue.send(message(name))
    await started.wait()
    world.drain.begin()
    async with asyncio.timeout(5):
        await serving
    assert world.states() == {"a": State.COMPLETED}
    left = {json.loads(one.body)["id"]: one for one in world.queue.messages}
    assert set(left) == {"b", "c"}
    assert all(one.visible_at <= asyncio.get_running_loop().time() for one in left.values())
    assert {name: one.receives for name, one in left.items()} == {"b": 1, "c": 0}, "not taken again on the way out"


async def test_a_drain_without_time_interrupts_and_returns_the_message() -> None:
    """The grace period ends before the job: the runtime is interrupted, the message is visible at once."""
    world = World(GRACE_SECONDS="1")
    started = asyncio.Event()

    async def endless(prepared: Prepared, report: Report) -> Result:
        started.set()
        await asyncio.Event().wait()
        raise AssertionError

    world.runtime.work = endless
    serving = world.serve()
    world.queue.send(message())
    await started.wait()
    world.drain.begin()
    async with asyncio.timeout(5):
        await serving
    assert world.runtime.interrupted == ["a"]
    assert world.store.writes == []
    assert world.queue.messages[0].visible_at <= asyncio.get_running_loop().time()


async def test_a_leaving_agent_does_not_take_back_what_it_returns() -> None:
    """Its own long poll is still open when the grace ends: the message waits for that, or it costs an attempt."""
    world = World(MemoryQueue(longest_wait=0.5), WAIT_SECONDS="20")
    world.drain = Drain(grace=30, reserve=10)
    polling, receive = asyncio.Event(), world.queue.receive
    waits: list[int] = []

    async def noticing(limit: int, wait_seconds: int) -> list[Delivery]:
        waits.append(wait_seconds)
        if world.queue.messages[0].receives:
            polling.set()
        return await receive(limit, wait_seconds)

    async def endless(prepared: Prepared, report: Report) -> Result:
        await asyncio.Event().wait()
        raise AssertionError

    world.queue.receive = noticing  # type: ignore[method-assign]
    world.runtime.work = endless
    world.queue.send(message())
    serving = world.serve()
    await polling.wait()
    world.drain.begin()
    world.drain.begin()  # at once
    async with asyncio.timeout(5):
        await serving
    assert waits == [20, 2], "the poll beside a message in hand is a short one"
    (returned,) = world.queue.messages
    assert returned.receives == 1
    assert returned.visible_at <= asyncio.get_running_loop().time()


async def test_an_unreachable_queue_does_not_end_the_agent() -> None:
    """The predecessor exits; we wait and go on."""
    world = World()
    receive, failing = world.queue.receive, [ServiceUnavailable("no route")]

    async def away_once(limit: int, wait_seconds: int) -> object:
        if failing:
            raise failing.pop()
        return await receive(limit, wait_seconds)

    world.queue.receive = away_once  # type: ignore[method-assign,assignment]
    await world.settled(message())
    assert world.states() == {"a": State.COMPLETED}


async def test_bulk_gets_its_share_and_normal_goes_first() -> None:
    """With both queues full about one job in `BULK_EVERY` is bulk; the rest of bulk comes when normal is done."""
    world = World(None, SQS_BULK_QUEUE_URL="bulk", BULK_EVERY="4")
    world.bulk = MemoryQueue(longest_wait=0.05)

    async def short(prepared: Prepared, report: Report) -> Result:
        await asyncio.sleep(0.01)
        return await two_files(prepared, report)

    world.runtime.work = short
    for index in range(30):
        world.queue.send(message(f"normal-{index}"))
        world.bulk.send(message(f"bulk-{index}"))
    async with world.running():
        await world.until_empty()
        async with asyncio.timeout(10):
            while world.bulk.messages:
                await world.bulk.changed()
    kinds = [name.split("-")[0] for name in world.runtime.ran]
    until_normal_was_done = kinds[: len(kinds) - kinds[::-1].index("normal")]
    assert 8 <= until_normal_was_done.count("bulk") <= 13
    assert len(kinds) == 60


async def test_a_normal_job_waits_for_one_running_bulk_job_and_no_more() -> None:
    """However many bulk jobs wait, here and in their queue."""
    world = World(None, SQS_BULK_QUEUE_URL="bulk")
    world.bulk = MemoryQueue(longest_wait=0.05)
    release, started = asyncio.Event(), asyncio.Event()

    async def work(prepared: Prepared, report: Report) -> Result:
        started.set()
        await release.wait()
        return await two_files(prepared, report)

    world.runtime.work = work
    for index in range(20):
        world.bulk.send(message(f"bulk-{index}"))
    prepare, in_line = world.runtime.prepare, asyncio.Event()

    async def noticing(job: Job, attempt: int, images: object) -> Prepared:
        if job.id == "normal":
            in_line.set()
        return await prepare(job, attempt, {})

    world.runtime.prepare = noticing  # type: ignore[method-assign]
    async with world.running():
        await started.wait()
        world.queue.send(message("normal"))
        async with asyncio.timeout(5):
            await in_line.wait()
            release.set()
            await world.until_empty()
    assert world.runtime.ran.index("normal") == 1
