"""The job message: what the jobs topic and the queues carry, and how it is read."""

import hashlib
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from .decode import ContractError, convert, show

MAX_CONTEXT_BYTES = 8 * 1024
MAX_TIMEOUT_SECONDS = 21_600
MAX_DEPTH = 64
"""Levels of nesting in a message; a ComfyUI workflow needs about six."""


class Task(StrEnum):
    """What is asked of a runtime."""

    TEXT_TO_IMAGE = "text-to-image"
    IMAGE_TO_IMAGE = "image-to-image"
    EXTRA_SINGLE_IMAGE = "extra-single-image"
    EXTRA_BATCH_IMAGES = "extra-batch-images"
    PIPELINE = "pipeline"


class Priority(StrEnum):
    """Which of a runtime's queues a job goes through."""

    NORMAL = "normal"
    BULK = "bulk"


class Format(StrEnum):
    """Image formats that results can be converted to."""

    PNG = "png"
    JPEG = "jpeg"
    WEBP = "webp"
    AVIF = "avif"


class Metadata(StrEnum):
    """What becomes of the generation metadata inside an image."""

    KEEP = "keep"
    STRIP = "strip"


class State(StrEnum):
    """States of a job; the last four are final and never change."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"

    @property
    def final(self) -> bool:
        """Whether the job has ended."""
        return self not in (State.QUEUED, State.RUNNING)


# Names that S3, file systems and URLs take as they are; what a pattern cannot say is in _check_name.
JobId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=128)]
Prefix = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]*$", max_length=512)]
RuntimeName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=63)]
Tenant = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=128)]


class Output(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """How results are stored; every field left out leaves the runtime's bytes as they are."""

    format: Format | None = None
    quality: Annotated[int, Meta(ge=1, le=100)] | None = None
    metadata: Metadata = Metadata.KEEP


class Webhook(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Where the caller wants to be told, and of which final states (all by default)."""

    url: Annotated[str, Meta(pattern=r"^https?://", max_length=2048)]
    events: tuple[State, ...] = (State.COMPLETED, State.FAILED, State.CANCELLED, State.EXPIRED)


class Job(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One request for images, as it travels.

    `input` is the runtime's own request body, untouched. Times are in seconds; `timeout_seconds` bounds one attempt,
    `ttl_seconds` counts from `submitted_at`. `context` is returned untouched.
    """

    id: JobId
    runtime: RuntimeName
    task: Task
    input: dict[str, Any]
    prefix: Prefix | None = None
    context: Any = None
    timeout_seconds: Annotated[int, Meta(ge=1, le=MAX_TIMEOUT_SECONDS)] = 300
    ttl_seconds: Annotated[int, Meta(ge=1, le=1_209_600)] = 21_600
    tenant: Tenant | None = None
    priority: Priority = Priority.NORMAL
    output: Output | None = None
    webhook: Webhook | None = None
    submitted_at: Annotated[datetime, Meta(tz=True)] | None = None

    @property
    def artifact_prefix(self) -> str:
        """The key under which all artifacts of this job lie, with its final `/`."""
        return f"{(self.prefix or self.runtime).rstrip('/')}/{self.id}/"

    def expires_at(self, sent_at: datetime) -> datetime:
        """After this moment the job is not run; `sent_at` counts where the API set no `submitted_at`."""
        return (self.submitted_at or sent_at) + timedelta(seconds=self.ttl_seconds)


class JobRef(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A message whose job is too large for the topic: it lies in S3. The routing fields may be repeated."""

    job_ref: Annotated[str, Meta(pattern=r"^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/.+", max_length=1100)]
    id: JobId | None = None
    runtime: RuntimeName | None = None
    task: Task | None = None
    tenant: Tenant | None = None
    priority: Priority = Priority.NORMAL


def decode_job(value: Any) -> Job:
    """Make a job of a plain value, checking also what a JSON Schema cannot say.

    Raises:
        ContractError: the first mistake that was found.
    """
    job = convert(value, Job)
    for field in ("id", "prefix", "runtime", "tenant"):
        _check_name(field, getattr(job, field))
    _check_prefix(job.artifact_prefix)
    size = len(msgspec.json.encode(job.context))
    if size > MAX_CONTEXT_BYTES:
        raise ContractError("$.context", f"at most {MAX_CONTEXT_BYTES} bytes of JSON", f"{size} bytes")
    _check_depth(value)
    return job


def digest(job: Job) -> str:
    """SHA-256 (hex) of what was asked: the same request has the same digest whenever and by whomever it was sent."""
    asked = msgspec.structs.replace(job, submitted_at=None)
    return hashlib.sha256(msgspec.json.encode(asked, order="sorted")).hexdigest()


def now() -> datetime:
    """The present, in UTC: every time in the contract has a zone."""
    return datetime.now(UTC)


def _check_name(field: str, text: str | None) -> None:
    if text is None:
        return
    parts = text.removesuffix("/").split("/")
    if ".." in text or text.endswith("\n") or any(part in ("", ".") for part in parts):
        raise ContractError(f"$.{field}", "a name without `..`, empty parts or line breaks", show(text))


def _check_prefix(prefix: str) -> None:
    if prefix.split("/", 1)[0] in ("jobs", "inputs"):
        raise ContractError("$.prefix", "another prefix than jobs/ and inputs/, which are Darkroom's own", show(prefix))


def _check_depth(value: Any) -> None:
    level, depth = [value], 0
    while level := [inner for outer in level for inner in _inner(outer)]:
        depth += 1
        if depth > MAX_DEPTH:
            raise ContractError("$", f"at most {MAX_DEPTH} levels of nesting", "more")


def _inner(value: Any) -> Any:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
