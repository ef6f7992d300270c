"""The life of a message: what the design promises, on fakes of every seam."""

import asyncio
from datetime import UTC, datetime, timedelta

from darkroom_agent.ports import Prepared, Report, Result
from darkroom_contract.document import JobDocument, document_key
from darkroom_contract.job import State, Webhook

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


async def test_a_job_older_than_its_ttl_is_not_run() -> None:
    """It ends as `expired`, which is told."""
    world = World()
    old = (datetime.now(UTC) - timedelta(seconds=61)).isoformat()
    await world.settled(message(submitted_at=old, ttl_seconds=60))
    assert world.store.document("a").state is State.EXPIRED
    assert world.topic.published[0].status is State.EXPIRED
    assert world.runtime.ran == []


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
