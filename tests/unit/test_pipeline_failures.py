"""The life of a message when something fails: tried again, or final with its reason; nothing is lost."""

import asyncio

from darkroom_agent.errors import (
    OutOfMemory,
    RuntimeFailed,
    RuntimeRefused,
    ServiceUnavailable,
)
from darkroom_agent.ports import Prepared, Report, Result
from darkroom_contract.job import State

from .world import World, message, two_files


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
    publish, failing = world.topic.publish, [ServiceUnavailable("SNS is away")] * 2

    async def away_twice(*arguments: object, webhook: bool) -> None:
        if failing:
            raise failing.pop()
        await publish(*arguments, webhook=webhook)  # type: ignore[arg-type]

    world.topic.publish = away_twice  # type: ignore[method-assign,assignment]
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
