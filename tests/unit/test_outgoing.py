"""What a job becomes on its way: its document, its message or the reference to it, and what routes it."""

import json
from datetime import UTC, datetime

import msgspec

from darkroom_contract.job import Job, JobRef, Priority, State, Task, Webhook, digest
from darkroom_contract.message import read_message
from darkroom_contract.outgoing import TOPIC_BYTES, message_of, queued_document, routing

JOB = Job(
    id="a",
    runtime="sdxl",
    task=Task.PIPELINE,
    input={"prompt": {}},
    context={"order": 7},
    tenant="ann",
    priority=Priority.BULK,
    webhook=Webhook(url="https://x.example/"),
    submitted_at=datetime(2026, 11, 24, tzinfo=UTC),
)


def test_the_document_has_all_that_is_known_of_a_queued_job() -> None:
    """And nothing of what is not yet."""
    document = queued_document(JOB, digest(JOB))
    assert json.loads(msgspec.json.encode(document)) == {
        "id": "a",
        "runtime": "sdxl",
        "task": "pipeline",
        "state": "queued",
        "submitted_at": "2026-11-24T00:00:00Z",
        "context": {"order": 7},
        "tenant": "ann",
        "request_digest": digest(JOB),
        "webhook": {"url": "https://x.example/"},
    }
    assert document.state is State.QUEUED


def test_a_job_travels_by_itself_up_to_the_topics_limit() -> None:
    """One byte more, and it is stored, and travels by reference."""
    room = TOPIC_BYTES - len(msgspec.json.encode(JOB)) - len(',"x":""')
    fits = msgspec.structs.replace(JOB, input={**JOB.input, "x": "x" * room})
    message = message_of(fits, "outputs")
    assert (message.stored, read_message(message.text)) == (None, fits)
    large = msgspec.structs.replace(JOB, input={**JOB.input, "x": "x" * (room + 1)})
    message = message_of(large, "outputs")
    assert message.stored is not None
    key, data = message.stored
    assert msgspec.json.decode(data, type=Job) == large
    assert read_message(message.text) == JobRef(
        job_ref=f"s3://outputs/{key}",
        id="a",
        runtime="sdxl",
        task=Task.PIPELINE,
        tenant="ann",
        priority=Priority.BULK,
    )


def test_attributes_are_only_what_there_is() -> None:
    """A subscription's filter asks for them by name."""
    assert routing("sdxl", Priority.BULK, "ann") == {"runtime": "sdxl", "priority": "bulk", "tenant": "ann"}
    assert routing("sdxl", Priority.NORMAL, None) == {"runtime": "sdxl", "priority": "normal"}
