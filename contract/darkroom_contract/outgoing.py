"""What a job becomes on its way to an agent: its queued document, its message, the attributes that route it. Pure."""

from dataclasses import dataclass

import msgspec

from .document import JobDocument, request_key
from .job import Job, JobRef, Priority, State, digest

TOPIC_BYTES = 240 * 1024
"""Longest job that travels by itself: SNS takes 256 KiB with the attributes."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message for the jobs topic. `stored` is the job's key and bytes where it is too large and travels as `job_ref`.

    What is `stored` must lie in the bucket before the message is sent.
    """

    text: str
    stored: tuple[str, bytes] | None = None


def queued_document(job: Job, request_digest: str, trace_id: str | None = None) -> JobDocument:
    """The document that says that a job was accepted; the digest is the job's, which whoever asks has at hand."""
    return JobDocument(
        id=job.id,
        runtime=job.runtime,
        task=job.task,
        state=State.QUEUED,
        submitted_at=job.submitted_at,
        trace_id=trace_id,
        context=job.context,
        tenant=job.tenant,
        request_digest=request_digest,
        webhook=job.webhook,
    )


def message_of(job: Job, bucket: str) -> Message:
    """The job as it travels; `bucket` is where a job lies that is too large to."""
    text = msgspec.json.encode(job)
    if len(text) <= TOPIC_BYTES:
        return Message(text.decode())
    # Named by its content: two requests that fight for one id must not overwrite each other's.
    key = request_key(job.id, digest(job))
    reference = JobRef(
        job_ref=f"s3://{bucket}/{key}",
        id=job.id,
        runtime=job.runtime,
        task=job.task,
        tenant=job.tenant,
        priority=job.priority,
    )
    return Message(msgspec.json.encode(reference).decode(), (key, text))


def routing(runtime: str, priority: Priority, tenant: str | None) -> dict[str, str]:
    """The message attributes that subscriptions filter by."""
    given = {"runtime": runtime, "priority": priority.value, "tenant": tenant}
    return {name: value for name, value in given.items() if value}
