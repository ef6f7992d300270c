"""The way to the jobs topic: a message is stored before it is published, and removed after. None is forgotten.

The outbox object is written first, then the job document, then the message is published and the outbox object removed.
Whoever finds an outbox object that is old finds a message that may not have been published, and publishes it: twice at
worst, which the agent bears (promise 2).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import msgspec
import structlog
from msgspec import Struct

from darkroom_contract.document import JobDocument, outbox_key
from darkroom_contract.job import Job, Priority, State, digest
from darkroom_contract.outgoing import message_of, queued_document, routing
from darkroom_contract.trace import XRAY_HEADER, TraceContext

from .aws import aws_call
from .problems import Problem
from .store import Store

if TYPE_CHECKING:
    from types_boto3_sns import SNSClient

log = structlog.get_logger()


class Outbound(Struct, frozen=True, kw_only=True):
    """A message on its way to the jobs topic; `digest` tells the job that it belongs to, `trace` where it stands."""

    id: str
    message: str
    runtime: str
    priority: Priority
    tenant: str | None
    digest: str
    trace: TraceContext | None = None


class Topic:
    """The jobs topic."""

    def __init__(self, client: "SNSClient", arn: str) -> None:
        self._client = client
        self._arn = arn
        client.meta.events.register("before-call.sns.Publish", _carry)

    def publish(self, outbound: Outbound) -> None:
        """Publish a message; its group is the tenant, for SQS's fair queues."""
        attributes = routing(outbound.runtime, outbound.priority, outbound.tenant)
        group: Any = {"MessageGroupId": outbound.tenant} if outbound.tenant else {}
        with aws_call("publishing the job"), _standing_in(outbound.trace):
            self._client.publish(
                TopicArn=self._arn,
                Message=outbound.message,
                MessageAttributes={
                    name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
                },
                **group,
            )


# botocore hands its handlers nothing of the call's but what AWS is sent.
_TRACE: ContextVar[TraceContext | None] = ContextVar("_TRACE", default=None)


@contextmanager
def _standing_in(trace: TraceContext | None) -> Iterator[None]:
    token = _TRACE.set(trace)
    try:
        yield
    finally:
        _TRACE.reset(token)


def _carry(params: dict[str, Any], **_: Any) -> None:
    """Send the job's trace along, which SNS gives on to the queue. Of itself botocore sends Lambda's."""
    if (trace := _TRACE.get()) is not None:
        params["headers"][XRAY_HEADER] = trace.xray_header


def submit(job: Job, store: Store, topic: Topic, trace: TraceContext) -> JobDocument:
    """Make a job durable and send it on its way; the document that stands for it now.

    The same job again gives the document that is there, and sends the message again only if it was never sent.

    Raises:
        Problem: 409 if the id belongs to another request, 503 if the job could not be stored.
    """
    outbound = _outbound(job, store, trace)
    key = outbox_key(job.id)
    pending = not store.put(key, msgspec.json.encode(outbound), new=True)
    document = queued_document(job, outbound.digest, trace.xray_id)
    if not store.put_document(document, None):
        there = store.document(job.id)
        if there is None or there.value.request_digest not in (None, outbound.digest):
            if not pending:
                store.delete(key)
            raise Problem(409, "id-taken", f"the id {job.id} belongs to another request; choose another id")
        document = there.value
        if not pending or document.state is not State.QUEUED:
            store.delete(key)
            return document
    elif pending:  # of a request that left no document, and so was never accepted: ours takes its place
        store.put(key, msgspec.json.encode(outbound))
    _send(outbound, store, topic)
    return document


def deliver(outbound: Outbound, store: Store, topic: Topic) -> bool:
    """Publish a message that was found in the outbox, if its job still waits for it; whether it was published."""
    there = store.document(outbound.id)
    # A job that runs has had its message: another would have it run twice.
    wanted = there and there.value.state is State.QUEUED and there.value.request_digest == outbound.digest
    if wanted:
        topic.publish(outbound)
    store.delete(outbox_key(outbound.id))
    return bool(wanted)


def _send(outbound: Outbound, store: Store, topic: Topic) -> None:
    """Publish; a job that is stored is accepted, even if its message has to wait for the next sweep."""
    try:
        topic.publish(outbound)
        store.delete(outbox_key(outbound.id))
    except Problem:
        log.error("job waits in the outbox", job_id=outbound.id, runtime=outbound.runtime)


def _outbound(job: Job, store: Store, trace: TraceContext) -> Outbound:
    message = message_of(job, store.bucket)
    if message.stored is not None:
        store.put(*message.stored)
    return Outbound(
        id=job.id,
        message=message.text,
        runtime=job.runtime,
        priority=job.priority,
        tenant=job.tenant,
        digest=digest(job),
        trace=trace,
    )
