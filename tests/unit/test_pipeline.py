"""The life of a message: what the design promises, on fakes of every seam."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

from msgspec import json as msgspec_json

from darkroom_agent.errors import (
    OutOfMemory,
    RuntimeFailed,
    RuntimeRefused,
    ServiceUnavailable,
)
from darkroom_agent.ports import Prepared, Report, Result
from darkroom_contract.document import Artifact, JobDocument, cancel_key, document_key
from darkroom_contract.job import State, Webhook, digest
from darkroom_contract.message import read_job

from .world import World, message, two_files


async def test_a_job_is_stored_told_and_only_then_acknowledged() -> None:
    """Artifacts, document and notification are there when the message is deleted, and tell the same story."""
    world = World()
    world.runtime.work = two_files
    at_delete: list[tuple[int, int]] = []
    delete = world.queue.delete

    async def spying(receipt: str) -> None:
        at_delete.append((len(world.store.artifacts()), len(world.topic.published)))
        await delete(receipt)

    world.queue.delete = spying  # type: ignore[method-assign]
    await world.settled(message("a", context={"mine": [1]}, prefix="out/x"))

    document = world.store.document("a")
    assert at_delete == [(2, 1)]
    assert document.state is State.COMPLETED
    assert document.response == {"info": {"seed": 7}}
    assert document.timings.nodes == {"3": 0.25}
    assert [artifact.url.rsplit(".", 1)[1] for artifact in document.artifacts] == ["png", "bin"]
    assert document.artifacts[0].content_type == "image/png"
    assert (document.artifacts[0].width, document.artifacts[0].height) == (64, 48)
    assert document.artifacts[0].url == f"s3://memory/out/x/a/0-{document.artifacts[0].sha256[:12]}.png"
    told = world.topic.published[0]
    assert (told.status, told.result, told.context) == (State.COMPLETED, True, {"mine": [1]})
    assert told.image_url == tuple(artifact.url for artifact in document.artifacts)
    assert told.output_url == f"s3://memory/{document_key('a')}"


async def test_a_short_job_costs_one_write_of_its_document() -> None:
    """`running` is written only for a job that has run for a while."""
    world = World()
    await world.settled(message())
    assert [document.state for document in world.store.writes] == [State.COMPLETED]


async def test_a_delivery_of_a_final_job_is_told_again_and_runs_nothing() -> None:
    """At-least-once delivery: the second one costs no GPU."""
    world = World()
    await world.settled(message())
    again = World()
    again.store = world.store
    await again.settled(message())
    assert again.runtime.ran == []
    assert again.topic.published == world.topic.published
    assert again.queue.deleted == [message()]


async def test_a_retryable_failure_goes_back_and_a_later_attempt_completes() -> None:
    """The message comes back by its visibility; the document tells which attempt made it."""
    world = World()
    answers = [RuntimeFailed("hiccup")]

    async def second_time_lucky(prepared: Prepared, report: Report) -> Result:
        if answers:
            raise answers.pop()
        return await two_files(prepared, report)

    world.runtime.work = second_time_lucky
    await world.settled(message())
    document = world.store.document("a")
    assert (document.state, document.attempt) == (State.COMPLETED, 2)
    assert world.runtime.ran == ["a", "a"]
    assert len(world.topic.published) == 1


async def test_after_the_last_attempt_the_job_fails_and_the_message_is_left_to_the_dlq() -> None:
    """`failed` with the reason, and the message where an operator looks."""
    world = World(MAX_ATTEMPTS="3")

    async def never(prepared: Prepared, report: Report) -> Result:
        raise RuntimeFailed("always", response={"error": "boom"})

    world.runtime.work = never
    await world.settled(message())
    document = world.store.document("a")
    assert world.runtime.ran == ["a"] * 3
    assert (document.state, document.attempt) == (State.FAILED, 3)
    assert document.error is not None
    assert (document.error.code, document.error.message, document.error.retryable) == ("runtime_failed", "always", True)
    assert document.response == {"error": "boom"}
    assert world.queue.dead == [message()]
    assert {told.status for told in world.topic.published} == {State.FAILED}


async def test_a_permanent_failure_is_final_at_once() -> None:
    """What the runtime refuses is not tried again."""
    world = World()

    async def refuse(prepared: Prepared, report: Report) -> Result:
        raise RuntimeRefused("no such sampler")

    world.runtime.work = refuse
    await world.settled(message())
    document = world.store.document("a")
    assert document.state is State.FAILED
    assert document.error is not None
    assert not document.error.retryable
    assert world.runtime.ran == ["a"]
    assert world.queue.deleted == [message()]


async def test_out_of_memory_is_tried_once_more_after_freeing_memory() -> None:
    """More attempts than two would not help."""
    world = World(MAX_ATTEMPTS="4")

    async def too_big(prepared: Prepared, report: Report) -> Result:
        raise OutOfMemory("CUDA out of memory")

    world.runtime.work = too_big
    await world.settled(message())
    assert world.runtime.ran == ["a", "a"]
    assert world.runtime.freed == 2
    assert world.store.document("a").state is State.FAILED


async def test_a_job_that_takes_its_agents_with_it_ends_as_failed() -> None:
    """When every attempt was killed, the delivery after the last one writes the final state, and runs nothing."""
    world = World(MAX_ATTEMPTS="2")
    world.queue.send(message())
    world.queue.messages[0].receives = 2
    async with world.running():
        await world.until_empty()
    document = world.store.document("a")
    assert document.state is State.FAILED
    assert document.error is not None
    assert document.error.code == "attempts_exhausted"
    assert world.runtime.ran == []
    assert world.queue.dead == [message()]


async def test_a_job_older_than_its_ttl_is_not_run() -> None:
    """It ends as `expired`, which is told."""
    world = World()
    old = (datetime.now(UTC) - timedelta(seconds=61)).isoformat()
    await world.settled(message(submitted_at=old, ttl_seconds=60))
    assert world.store.document("a").state is State.EXPIRED
    assert world.topic.published[0].status is State.EXPIRED
    assert world.runtime.ran == []


async def test_a_job_that_takes_too_long_is_interrupted_and_tried_again() -> None:
    """timeout_seconds bounds one attempt."""
    world = World()

    async def slow_once(prepared: Prepared, report: Report) -> Result:
        if prepared.attempt == 1:
            await asyncio.Event().wait()
        return await two_files(prepared, report)

    world.runtime.work = slow_once
    await world.settled(message(timeout_seconds=1))
    assert world.runtime.interrupted == ["a"]
    assert (world.store.document("a").state, world.store.document("a").attempt) == (State.COMPLETED, 2)


async def test_a_webhook_is_asked_for_where_the_job_names_one() -> None:
    """The document carries it, and the notification of a state that it names says so; of another state, not."""
    world = World()
    await world.settled(
        message("told", webhook={"url": "https://example.com/hook"}),
        message("untold", webhook={"url": "https://example.com/hook", "events": ["failed"]}),
        message("without"),
    )
    assert world.topic.webhooks == ["told"]
    assert world.store.document("told").webhook == Webhook(url="https://example.com/hook")
    assert world.store.document("untold").webhook is not None
    assert world.store.document("without").webhook is None


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


async def test_a_long_job_shows_that_it_runs_and_how_far_it_is() -> None:
    """The document is `running` with progress, and names when it started."""
    world = World(RUNNING_AFTER_SECONDS="0", CANCEL_POLL_SECONDS="0.2", PROGRESS_SECONDS="0.5")
    shown = asyncio.Event()
    write = world.store.write_document

    async def noticing(document: JobDocument, etag: str | None) -> str:
        if document.progress == 0.5:
            shown.set()
        return await write(document, etag)

    world.store.write_document = noticing  # type: ignore[method-assign]

    async def half(prepared: Prepared, report: Report) -> Result:
        report(0.5)
        await shown.wait()
        return await two_files(prepared, report)

    world.runtime.work = half
    await world.settled(message())
    assert [d.state for d in world.store.writes] == [State.RUNNING, State.COMPLETED]
    assert world.store.writes[0].started_at is not None


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


async def test_an_unreachable_store_loses_nothing() -> None:
    """No artifact, no document, though the store works for others: the message goes back, the next attempt does all."""
    world = World()
    put, failing = world.store.put_artifact, [ServiceUnavailable("S3 is away")] * 2

    async def away_once(key: str, data: bytes, content_type: str) -> None:
        if failing:
            raise failing.pop()
        await put(key, data, content_type)

    world.store.put_artifact = away_once  # type: ignore[method-assign]
    await world.settled(message())
    assert world.store.document("a").attempt == 2
    assert world.queue.deleted == [message()]


async def test_a_failed_notification_is_made_up_for() -> None:
    """The document is final, the topic was away: the next delivery tells it, without running anything again."""
    world = World()
    publish, failing = world.topic.publish, [ServiceUnavailable("SNS is away")]

    async def away_once(*arguments: object, webhook: bool) -> None:
        if failing:
            raise failing.pop()
        await publish(*arguments, webhook=webhook)  # type: ignore[arg-type]

    world.topic.publish = away_once  # type: ignore[method-assign,assignment]
    await world.settled(message())
    assert world.runtime.ran == ["a"]
    assert len(world.topic.published) == 1
    assert world.queue.deleted == [message()]


async def test_a_mistake_of_our_own_fails_the_job_and_not_the_agent() -> None:
    """An exception that no table knows is told as what it is, and the next job runs."""
    world = World(MAX_ATTEMPTS="1")

    async def bug(prepared: Prepared, report: Report) -> Result:
        if prepared.job.id == "a":
            raise ZeroDivisionError("oops")
        return await two_files(prepared, report)

    world.runtime.work = bug
    await world.settled(message("a"), message("b"))
    error = world.store.document("a").error
    assert error is not None
    assert (error.code, error.message) == ("agent_failed", "ZeroDivisionError: oops")
    assert world.store.document("b").state is State.COMPLETED


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
