"""The store or the topic is away: nothing is received, what is in hand waits, and no job loses an attempt."""

import asyncio
from itertools import pairwise
from typing import Any

import structlog

from darkroom_agent.breaker import Breaker
from darkroom_agent.errors import ServiceUnavailable
from darkroom_agent.fakes import MemoryStore
from darkroom_agent.patient_store import PatientStore, probe_store
from darkroom_agent.ports import Prepared, Report, Result
from darkroom_contract.job import State

from .world import World, message, two_files


class Outage:
    """Makes every call of a store fail while `away` is set; `asked` tells that one did."""

    def __init__(self, store: MemoryStore) -> None:
        self.away = True
        self.asked = asyncio.Event()
        for name in ("read_document", "write_document", "put_artifact", "list_keys", "delete_keys", "cancel_requested"):
            setattr(store, name, self._failing(getattr(store, name)))

    def _failing(self, call: Any) -> Any:
        async def asked(*arguments: Any) -> Any:
            if self.away:
                self.asked.set()
                raise ServiceUnavailable("S3: no route to host")
            return await call(*arguments)

        return asked

    async def noticed(self) -> None:
        """Wait until a call has failed once more."""
        self.asked.clear()
        async with asyncio.timeout(5):
            await self.asked.wait()


def attempts(world: World) -> dict[str, int]:
    """By job, the attempt that ended it."""
    return {document.id: document.attempt for document in world.store.writes if document.state.final}


async def test_an_agent_without_a_store_takes_nothing() -> None:
    """A bucket that is wrong from the beginning costs no job an attempt."""
    world = World()
    outage = Outage(world.store)
    world.queue.send(message())
    with structlog.testing.capture_logs() as logs:
        async with world.running():
            for _ in range(5):
                await outage.noticed()
            assert world.queue.messages[0].receives == 0
            outage.away = False
            await world.until_empty()
    assert attempts(world) == {"a": 1}
    assert [one["event"] for one in logs].count("store.unreachable") == 1, "it is told once"


async def test_an_outage_costs_no_attempt() -> None:
    """It begins while jobs run: their results wait for it, others stay in the queue, all end in their first attempt."""
    world = World(MAX_ATTEMPTS="2", PREFETCH="1")
    outage = Outage(world.store)
    outage.away = False

    async def work(prepared: Prepared, report: Report) -> Result:
        outage.away = outage.away or prepared.job.id == "b"
        return await two_files(prepared, report)

    world.runtime.work = work
    names = "abcdefgh"
    for name in names:
        world.queue.send(message(name))
    async with world.running():
        for _ in range(5):
            await outage.noticed()
        assert sum(one.receives for one in world.queue.messages) < len(names), "those in hand, and no more"
        outage.away = False
        await world.until_empty()
    assert attempts(world) == dict.fromkeys(names, 1)
    assert sorted(world.runtime.ran) == sorted(names), "and each ran once"
    assert world.queue.dead == []


async def test_an_outage_of_the_topic_costs_no_attempt() -> None:
    """The final document waits with its lease for its notification; nothing more is received meanwhile."""
    world = World(MAX_ATTEMPTS="2", PREFETCH="1")
    publish, away, asked = world.topic.publish, [True], asyncio.Event()

    async def failing(*arguments: Any, **names: Any) -> None:
        if away:
            asked.set()
            raise ServiceUnavailable("SNS: no route to host")
        if arguments:
            await publish(*arguments, **names)

    async def probe() -> None:
        if world.store.writes:  # it begins once a job is final
            await failing()

    world.topic.publish, world.topic.probe = failing, probe  # type: ignore[method-assign]
    names = "abcdefgh"
    for name in names:
        world.queue.send(message(name))
    async with world.running():
        for _ in range(5):
            await asked.wait()
            asked.clear()
        receives = [one.receives for one in world.queue.messages]
        assert max(receives) == 1, "what is final waits to be told"
        assert sum(receives) < len(names), "those in hand, and no more"
        away.clear()
        await world.until_empty()
    assert attempts(world) == dict.fromkeys(names, 1)
    assert sorted(one.id for one in world.topic.published) == sorted(names), "each is told once"


async def test_an_agent_that_leaves_waits_for_no_store() -> None:
    """What is in hand goes back at once."""
    world = World(BACKOFF_BASE_SECONDS="0", GRACE_SECONDS="60")
    outage = Outage(world.store)
    outage.away = False

    async def work(prepared: Prepared, report: Report) -> Result:
        outage.away = True
        return await two_files(prepared, report)

    world.runtime.work = work
    serving = world.serve()
    async with asyncio.timeout(5):
        world.queue.send(message())
        await outage.noticed()
        world.drain.begin()
        await serving
    assert world.queue.messages[0].visible_at <= asyncio.get_running_loop().time()
    assert world.queue.deleted == []


async def test_what_only_one_job_meets_is_no_outage() -> None:
    """It is tried once more, and then is the message's own; others go on in between."""
    world = World()
    put = world.store.put_artifact

    async def refuse_one(key: str, data: bytes, content_type: str) -> None:
        if key.startswith("sd/cursed/"):
            raise ServiceUnavailable("S3 PutObject: InvalidRequest")
        await put(key, data, content_type)

    world.store.put_artifact = refuse_one  # type: ignore[method-assign]
    world.queue.send(message("cursed"))
    for name in "abc":
        world.queue.send(message(name))
    async with world.running():
        async with asyncio.timeout(10):
            while len(world.states()) < 3 or not world.queue.dead:
                await world.queue.changed()
    assert {name: world.states().get(name) for name in "abc"} == dict.fromkeys("abc", State.COMPLETED)
    assert world.queue.dead == [message("cursed")]


async def test_pauses_grow_until_a_write_comes_through() -> None:
    """Where probes succeed and jobs' calls do not, few messages are spent on it."""
    began: list[float] = []
    now = asyncio.get_running_loop().time

    async def works() -> None:
        began.append(now())

    breaker = Breaker("part", "it", works, first_pause=0.02)
    watching = asyncio.create_task(breaker.watch())
    try:
        async with asyncio.timeout(5):
            await breaker.well.wait()
            for _ in range(4):
                breaker.trip(ServiceUnavailable("AccessDenied"))
                assert not breaker.well.is_set()
                await breaker.well.wait()
            gaps = [later - earlier for earlier, later in pairwise(began)]
            assert all(gap >= 0.02 * 2**index for index, gap in enumerate(gaps)), gaps
            breaker.worked()
            breaker.trip(ServiceUnavailable("SlowDown"))
            asked = now()
            await breaker.well.wait()
            assert began[-1] - asked < 0.16, "from the beginning again"
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def test_the_probe_leaves_nothing() -> None:
    """A write whose condition cannot hold."""
    store = MemoryStore()
    await probe_store(store)
    assert store.objects == {}


async def test_buckets_of_others_are_not_waited_for() -> None:
    """An input's bucket that fails opens no breaker; the output bucket's own objects are waited for."""
    store = MemoryStore()
    outage = Outage(store)
    breaker = Breaker("store", "S3", lambda: probe_store(store), first_pause=0.01)
    patient = PatientStore(store, "memory", breaker, asyncio.Event())
    store.others["photos", "a"] = b"x"
    assert await patient.read_object("photos", "a", 10) == b"x"
    waiting = asyncio.create_task(patient.read_object("memory", "b", 10))
    watching = asyncio.create_task(breaker.watch())
    await outage.noticed()
    assert not waiting.done()
    store.objects["b"] = b"y"
    outage.away = False
    assert await waiting == b"y"
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
