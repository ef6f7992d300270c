"""What the jobs API answers: the API encodes these types, clients decode them; `api/openapi.yaml` describes them."""

from datetime import datetime
from typing import Any

from msgspec import Struct, field

from .document import Artifact, JobDocument
from .job import State, Task

MAX_WAIT_SECONDS = 25
"""Longest wait for a job's end in one request: API Gateway cuts an integration off after 29 s."""
MAX_BODY_BYTES = 6_000_000
"""Longest request body: Lambda takes events of 6 MiB, and the event has more in it than the body."""
MAX_INPUT_BYTES = 50_000_000
"""Longest input image that can be uploaded."""
INPUT_TYPES = {
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/webp": "webp",
    "image/avif": "avif",
    "image/gif": "gif",
}
"""Content types of input images, and the extension that each gets."""


class Links(Struct, frozen=True, kw_only=True):
    """Where a job is: `self` (JSON) and its `page` in the playground, as paths of the API's host."""

    itself: str = field(name="self")
    page: str


class Accepted(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Answer to a job that was accepted. `trace_id` is X-Ray's, under which all that happens to it is found."""

    id: str
    state: State
    links: Links
    trace_id: str | None = None


class QueueState(Struct, frozen=True, kw_only=True):
    """A runtime's queue: messages that wait, messages in an agent's hands, and the age of the oldest, if known."""

    waiting: int
    in_flight: int
    oldest_seconds: float | None = None


class Wait(Struct, frozen=True, kw_only=True):
    """What a queued job waits for. A position is unknowable in SQS; `wait_seconds` is an estimate, or null."""

    waiting: int
    in_flight: int
    wait_seconds: float | None = None


class ArtifactView(Artifact, frozen=True, kw_only=True, omit_defaults=True):
    """An artifact, and an address that needs no credentials for an hour."""

    download_url: str


class JobView(JobDocument, frozen=True, kw_only=True, omit_defaults=True):
    """A job document as the API gives it."""

    artifacts: tuple[ArtifactView, ...] = ()
    links: Links
    queue: Wait | None = None


class JobList(Struct, frozen=True, kw_only=True):
    """A page of jobs, the newest first, without their responses. It may be short while `next` is given."""

    jobs: tuple[JobView, ...]
    next: str | None = None


class RuntimeView(Struct, frozen=True, kw_only=True):
    """An installed runtime and its queues."""

    name: str
    type: str
    bulk: bool
    queue: QueueState | None = None
    bulk_queue: QueueState | None = None


class RuntimeList(Struct, frozen=True, kw_only=True):
    """All installed runtimes."""

    runtimes: tuple[RuntimeView, ...]


class InputRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An input image that is about to be uploaded."""

    content_type: str
    bytes: int


class Upload(Struct, frozen=True, kw_only=True):
    """How to send the bytes: this method, to this URL, with these headers."""

    method: str
    url: str
    headers: dict[str, str]


class InputTicket(Struct, frozen=True, kw_only=True):
    """Leave to upload an input image, whose address for jobs is `url`."""

    url: str
    upload: Upload
    expires_at: datetime


class WorkflowSummary(Struct, frozen=True, kw_only=True):
    """A named workflow, in a list."""

    name: str
    title: str
    description: str
    runtime: str
    task: Task


class WorkflowList(Struct, frozen=True, kw_only=True):
    """All named workflows."""

    workflows: tuple[WorkflowSummary, ...]


class WorkflowView(WorkflowSummary, frozen=True, kw_only=True):
    """A named workflow with its parameters, and the JSON Schema (2020-12) of `params`."""

    parameters: dict[str, Any]
    schema: dict[str, Any]


class Mistake(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that is wrong in a request.

    `pointer` is the field of the body (JSON Pointer as a URI fragment), `parameter` the one of the query or header.
    """

    detail: str
    pointer: str | None = None
    parameter: str | None = None


class ProblemDocument(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why a request was refused (RFC 9457). `type` ends in a stable code."""

    type: str
    title: str
    status: int
    detail: str
    errors: tuple[Mistake, ...] = ()
