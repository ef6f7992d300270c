"""The notification: what the results topic carries. A superset of the predecessor's."""

from typing import Any

import msgspec
from msgspec import Struct

from .decode import convert
from .document import Artifact, Error, JobDocument, Timings
from .job import State, Task
from .message import unwrap


class Notification(Struct, frozen=True, kw_only=True):
    """A final state, told. Every field is present, as the predecessor's subscribers expect of theirs.

    `status` is the state; `result` is true for `completed`; `image_url` and `output_url` are `s3://` addresses of the
    artifacts and of the job document.
    """

    id: str
    runtime: str
    status: State
    result: bool
    image_url: tuple[str, ...]
    output_url: str
    context: Any = None
    task: Task | None = None
    error: Error | None = None
    timings: Timings = Timings()
    artifacts: tuple[Artifact, ...] = ()
    attempt: int = 0
    trace_id: str | None = None
    cost: float | None = None


def notification_of(document: JobDocument, output_url: str) -> Notification:
    """Tell a final job document; the same document always gives the same notification."""
    return Notification(
        id=document.id,
        runtime=document.runtime,
        status=document.state,
        result=document.state is State.COMPLETED,
        image_url=tuple(artifact.url for artifact in document.artifacts),
        output_url=output_url,
        context=document.context,
        task=document.task,
        error=document.error,
        timings=document.timings,
        artifacts=document.artifacts,
        attempt=document.attempt,
        trace_id=document.trace_id,
        cost=document.cost,
    )


MAX_BYTES = 250 * 1024
"""A message that SNS takes (256 KiB with its attributes)."""


def encode_notification(notification: Notification) -> str:
    """JSON of a notification that fits the topic: what is too long is left to the job document at `output_url`."""
    for without in ((), ("artifacts",), ("artifacts", "timings", "image_url")):
        empty = {"artifacts": (), "timings": Timings(), "image_url": ()}
        shorter = msgspec.structs.replace(notification, **{name: empty[name] for name in without})
        text = msgspec.json.encode(shorter)
        if len(text) <= MAX_BYTES:
            break
    return text.decode()


def read_notification(body: str | bytes) -> Notification:
    """Make a notification of what a subscriber receives: wrapped by SNS or raw.

    Raises:
        ContractError: the first mistake that was found.
    """
    return convert(unwrap(body), Notification)
