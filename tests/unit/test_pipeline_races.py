"""The life of a message that others have a say in: who cancels it, runs it too, or took its id."""

import asyncio
import json

from msgspec import json as msgspec_json

from darkroom_agent.ports import Prepared, Report, Result
from darkroom_contract.document import Artifact, JobDocument, cancel_key, document_key
from darkroom_contract.job import State, digest
from darkroom_contract.message import read_job

from .world import World, message, two_files


async def test_a_cancelled_queued_job_is_acknowledged_and_told() -> None:
    """The API made the document `cancelled`; the agent runs nothing and tells it."""
    world = World()
    asked = read_job(json.loads(message()))
    cancelled = JobDocument(id="a", runtime="sd", state=State.CANCELLED, request_digest=digest(asked))
    world.store.objects[document_key("a")] = msgspec_json.encode(cancelled)
    await world.settled(message())
    assert world.runtime.ran == []
    assert [told.status for told in world.topic.published] == [State.CANCELLED]
    assert world.queue.deleted == [message()]


async def test_a_running_job_is_cancelled_by_its_mark() -> None:
    """The runtime is interrupted, the job ends as `cancelled`, and the mark goes."""
    world = World(RUNNING_AFTER_SECONDS="0", CANCEL_POLL_SECONDS="0.2")

    async def until_cancelled(prepared: Prepared, report: Report) -> Result:
        world.store.objects[cancel_key("a")] = b""
        await asyncio.Event().wait()
        raise AssertionError

    world.runtime.work = until_cancelled
    await world.settled(message())
    assert world.runtime.interrupted == ["a"]
    assert world.store.document("a").state is State.CANCELLED
    assert cancel_key("a") not in world.store.objects


async def test_the_loser_of_a_race_discards_its_result() -> None:
    """Another attempt made the job final while this one ran: its artifacts stay, ours go, its end is told."""
    world = World()
    asked = read_job(json.loads(message()))
    theirs = "sd/a/0-aaaaaaaaaaaa.png"

    async def overtaken(prepared: Prepared, report: Report) -> Result:
        won = JobDocument(
            id="a",
            runtime="sd",
            state=State.COMPLETED,
            attempt=9,
            request_digest=digest(asked),
            artifacts=(Artifact(url=world.store.url(theirs), content_type="image/png", bytes=1, sha256="a" * 64),),
        )
        world.store.objects[theirs] = b"theirs"
        world.store.objects[document_key("a")] = msgspec_json.encode(won)
        return await two_files(prepared, report)

    world.runtime.work = overtaken
    await world.settled(message())
    assert world.store.document("a").attempt == 9
    assert world.store.artifacts() == [theirs]
    assert [told.attempt for told in world.topic.published] == [9]


async def test_the_winner_removes_what_a_lost_attempt_left() -> None:
    """But nothing that only looks alike: a job whose prefix lies below this one's keeps its artifacts."""
    world = World()
    world.runtime.work = two_files
    world.queue.send(message())
    world.queue.messages[0].receives = 1
    stray, other = "sd/a/0-bbbbbbbbbbbb.png", "sd/a/b/0-cccccccccccc.png"
    world.store.objects |= {stray: b"1", other: b"2"}
    async with world.running():
        await world.until_empty()
    assert stray not in world.store.objects
    assert other in world.store.objects
    assert len(world.store.artifacts()) == 3


async def test_a_lost_answer_to_the_final_write_is_no_conflict() -> None:
    """The write took effect, its answer was lost, the client sent it again: the conflict is with ourselves."""
    world = World()
    write = world.store.write_document

    async def twice(document: JobDocument, etag: str | None) -> str:
        await write(document, etag)
        return await write(document, etag)

    world.store.write_document = twice  # type: ignore[method-assign]
    await world.settled(message())
    assert world.store.document("a").state is State.COMPLETED
    assert len(world.topic.published) == 1


async def test_a_lost_lease_ends_the_work_and_leaves_the_message_alone() -> None:
    """Whoever has the message now goes on; this attempt is interrupted and writes nothing."""
    world = World(VISIBILITY_SECONDS="2", HEARTBEAT_SECONDS="0.5")
    started = asyncio.Event()

    interrupted = asyncio.Event()

    async def endless(prepared: Prepared, report: Report) -> Result:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            interrupted.set()
        raise AssertionError

    world.runtime.work = endless
    world.queue.send(message())
    async with world.running():
        await started.wait()
        world.queue.messages[0].receipt = "somebody else's"
        world.queue.messages[0].visible_at = float("inf")
        async with asyncio.timeout(5):
            await interrupted.wait()
    assert world.store.writes == []
    assert world.topic.published == []
    assert world.queue.deleted == []


async def test_another_request_under_a_used_id_goes_to_the_dlq_unaltered() -> None:
    """The first request's document is not touched."""
    world = World()
    await world.settled(message("a"))
    before = world.store.objects[document_key("a")]
    second = World()
    second.store = world.store
    await second.settled(message("a", input={"prompt": "another"}))
    assert second.store.objects[document_key("a")] == before
    assert second.queue.dead == [message("a", input={"prompt": "another"})]
