"""The job document: the state of a job in S3, and in the end its whole story. Also where it lies."""

import hashlib
from datetime import datetime
from typing import Annotated, Any

from msgspec import Meta, Struct

from .job import State, Task, Webhook


class Artifact(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One output file. `url` is its `s3://` address; width and height are pixels where the format has them."""

    url: str
    content_type: str
    bytes: int
    sha256: str
    width: int | None = None
    height: int | None = None


class Error(Struct, frozen=True, kw_only=True):
    """Why a job did not complete. `code` is stable and for programs, `message` is for people."""

    code: str
    message: str
    retryable: bool


class Timings(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Seconds that a job spent in each stage; `nodes` has ComfyUI's seconds per node, `node_classes` what each is."""

    queued: float | None = None
    prepare: float | None = None
    runtime: float | None = None
    store: float | None = None
    nodes: dict[str, float] | None = None
    node_classes: dict[str, str] | None = None


class JobDocument(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`jobs/<h>/<id>.json`. It names its attempt, so that who wrote it can be told.

    `progress` is 0 … 1 while the job runs. `request_digest` tells the same request from another under the same id.
    `webhook` is the caller's, as the job named it: whoever sends it needs nothing else. `cost` is USD for the attempt's
    seconds on the GPU, and none where their price is not known.
    """

    id: str
    runtime: str
    task: Task | None = None
    state: State
    attempt: int = 0
    submitted_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    artifacts: tuple[Artifact, ...] = ()
    response: Any = None
    error: Error | None = None
    timings: Timings = Timings()
    progress: Annotated[float, Meta(ge=0, le=1)] | None = None
    cost: float | None = None
    trace_id: str | None = None
    context: Any = None
    tenant: str | None = None
    request_digest: str | None = None
    webhook: Webhook | None = None

    @property
    def wants_webhook(self) -> bool:
        """Whether the caller asked to be told of the state that the job is in."""
        return self.webhook is not None and self.state in self.webhook.events


def document_key(job_id: str) -> str:
    """Key of a job's document. Sixteen ranges by hash, for S3 takes 3,500 writes a second per key range."""
    return f"{_stem(job_id)}.json"


def cancel_key(job_id: str) -> str:
    """Key of the object that asks a running job's agent to stop it."""
    return f"{_stem(job_id)}.cancel"


def request_key(job_id: str, request_digest: str) -> str:
    """Key of a job that is too large for the topic: what `job_ref` names."""
    return f"jobs/requests/{_range(job_id)}/{job_id}/{request_digest}.json"


def outbox_key(job_id: str) -> str:
    """Key of a message that is not published yet: the API removes it when it is."""
    return f"{OUTBOX_PREFIX}{_range(job_id)}/{job_id}.json"


OUTBOX_PREFIX = "jobs/outbox/"


def _stem(job_id: str) -> str:
    return f"jobs/{_range(job_id)}/{job_id}"


def _range(job_id: str) -> str:
    return hashlib.sha256(job_id.encode()).hexdigest()[0]


def artifact_name(index: int, sha256: str, extension: str) -> str:
    """Name of an artifact below its job's prefix: its content is in its name, so no attempt overwrites another's."""
    return f"{index}-{sha256[:12]}.{extension}"
