"""The webhook: what a caller's URL is sent when a job has ended, in the frame of Standard Webhooks."""

from collections.abc import Callable
from datetime import datetime

import msgspec
from msgspec import Struct

from .api import ArtifactView
from .document import JobDocument
from .job import now
from .notification import Notification, notification_of


class WebhookData(Notification, frozen=True, kw_only=True):
    """The notification, with an address for each artifact that needs no credentials for an hour."""

    artifacts: tuple[ArtifactView, ...] = ()


class WebhookEvent(Struct, frozen=True, kw_only=True):
    """The body of a webhook. `type` is `job.` with the state; `timestamp` is when the job ended."""

    type: str
    timestamp: datetime
    data: WebhookData


def event_of(document: JobDocument, output_url: str, download_url: Callable[[str], str]) -> WebhookEvent:
    """Tell a final job document; but for the signatures of its addresses, it is the same however often it is told."""
    artifacts = tuple(
        ArtifactView(**msgspec.structs.asdict(artifact), download_url=download_url(artifact.url))
        for artifact in document.artifacts
    )
    told = msgspec.structs.asdict(notification_of(document, output_url)) | {"artifacts": artifacts}
    return WebhookEvent(
        type=f"job.{document.state.value}",
        timestamp=document.finished_at or now(),
        data=WebhookData(**told),
    )


def event_id(document: JobDocument) -> str:
    """The `webhook-id` header: one for each final state of a job, however often it is sent."""
    return f"{document.id}.{document.state.value}"
