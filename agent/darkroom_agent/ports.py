"""The seams: what the pipeline needs of the world, and the frozen values that cross them.

Real ones live in `sqs.py`, `s3.py`, `sns.py` and `runtimes/`; in-memory fakes in `fakes.py`.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from darkroom_contract.document import JobDocument
from darkroom_contract.job import Job, Task
from darkroom_contract.notification import Notification


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivery of one message: what the queue handed out.

    `attempt` is ApproximateReceiveCount, `sent_at` SentTimestamp, `trace_header` the AWSTraceHeader; `message_id` is
    the same in every delivery of a message; `visible_at` is the moment (of the event loop's clock, seconds) when the
    queue hands it out again unless it is extended.
    """

    body: str
    receipt: str
    attempt: int
    sent_at: datetime
    visible_at: float
    trace_header: str | None = None
    message_id: str = ""


class Queue(Protocol):
    """A queue of job messages."""

    @property
    def name(self) -> str:
        """Its name, for logs and metrics."""

    async def receive(self, limit: int, wait_seconds: int) -> list[Delivery]:
        """Take up to `limit` (1 … 10) messages, waiting up to `wait_seconds` for the first."""

    async def extend(self, receipt: str, seconds: int) -> None:
        """Keep a message invisible for `seconds` from now. 0 hands it out again at once.

        Raises:
            LeaseLost: the receipt no longer holds the message.
        """

    async def delete(self, receipt: str) -> None:
        """Acknowledge a message: it is never delivered again."""


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A job document as it lay in the store, with the ETag that a conditional write needs."""

    document: JobDocument
    etag: str


class Store(Protocol):
    """The output bucket (and the buckets that inputs may come from)."""

    def url(self, key: str) -> str:
        """The `s3://` address of a key in the output bucket."""

    async def read_document(self, job_id: str) -> StoredDocument | None:
        """The job's document, or None if there is none.

        Raises:
            Unprocessable: what lies there is no document of this job.
        """

    async def write_document(self, document: JobDocument, etag: str | None) -> str:
        """Create (etag None) or change the document conditionally; returns the new ETag.

        Raises:
            Conflict: the document is no longer as `etag` says.
        """

    async def put_artifact(self, key: str, data: bytes, content_type: str) -> None:
        """Store one output file."""

    async def list_keys(self, prefix: str) -> list[str]:
        """All keys below a prefix of the output bucket."""

    async def delete_keys(self, keys: list[str]) -> None:
        """Remove objects of the output bucket; missing ones are no error."""

    async def read_object(self, bucket: str, key: str, limit: int) -> bytes:
        """The bytes of any object, at most `limit` of them.

        Raises:
            InputUnavailable: it is missing, may not be read or is larger than `limit`.
        """

    async def cancel_requested(self, job_id: str) -> bool:
        """Whether the caller asked to stop this running job."""


class Conflict(Exception):
    """A conditional write found another document than it expected."""


class Topic(Protocol):
    """The results topic."""

    async def publish(self, notification: Notification, tenant: str | None, *, webhook: bool) -> None:
        """Tell a final state to whoever listens; `webhook` says that the caller wants to be told of it by one."""

    async def probe(self) -> None:
        """Whether it takes notifications now; nothing is told. Raises ServiceUnavailable where it does not."""


type FieldPath = tuple[str | int, ...]
"""Where a value stands inside a job's input, from its root."""


@dataclass(frozen=True, slots=True)
class InputImage:
    """One input image as fetched: its bytes, its media type by signature, and the name it came under."""

    data: bytes
    content_type: str
    name: str


class Fetcher(Protocol):
    """Brings input images, whatever they are named by."""

    async def fetch(self, fields: list[tuple[FieldPath, str]]) -> dict[FieldPath, InputImage]:
        """Fetch what stands in these fields: URLs, `s3://` addresses or base64.

        Raises:
            InputUnavailable: one of them cannot be had, or may not.
            InputInterrupted: one of them could not be had this time.
        """


@dataclass(frozen=True, slots=True)
class Prepared:
    """A job that can run at once: `payload` is the encoded request of this `content_type`, with its images in place.

    `model` names the checkpoint that it needs, if the runtime switches; `handle` is the adapter's own name for this
    attempt (ComfyUI's prompt_id).
    """

    job: Job
    attempt: int
    payload: bytes
    model: str | None = None
    handle: str = ""
    content_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class OutputFile:
    """One file that a runtime made: its bytes and the name the runtime gave it, if any."""

    data: bytes
    name: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """What a runtime made of a request: files, its answer without their bytes, ComfyUI's seconds and class per node."""

    files: tuple[OutputFile, ...]
    response: Any
    nodes: Mapping[str, float] | None = None
    node_classes: Mapping[str, str] | None = None


type Report = Callable[[float], None]
"""Called with the progress of a running job, 0 … 1. A call also means that the job moves."""


def ignore_progress(_: float) -> None:
    """A Report that nobody reads."""


@dataclass(frozen=True, slots=True)
class RuntimeLimits:
    """Bounds that an adapter keeps.

    `answer_bytes`: of one answer or output file together. `stall_seconds`: without any sign of progress a running job
    is taken for wedged. `poll_seconds`: between two looks at progress where the runtime does not push it.
    `interrupt_seconds`: how long an interrupted job may take to stop.
    """

    answer_bytes: int = 256 * 1024 * 1024
    stall_seconds: float = 180.0
    poll_seconds: float = 1.0
    interrupt_seconds: float = 30.0


class Runtime(Protocol):
    """An adapter: one per runtime type, in the registry of `runtimes/__init__.py`.

    Every method raises only failures of `errors.py`.
    """

    tasks: frozenset[Task]

    @property
    def loaded_model(self) -> str | None:
        """The checkpoint that is known to be loaded, for choosing who runs next."""

    async def probe(self) -> None:
        """Return when the runtime could run a job now.

        Raises:
            RuntimeGone: it cannot yet.
        """

    def image_fields(self, job: Job) -> list[tuple[FieldPath, str]]:
        """Exactly the fields of the input that hold images, and what stands there (a URL, `s3://` or base64)."""

    async def prepare(self, job: Job, attempt: int, images: Mapping[FieldPath, InputImage]) -> Prepared:
        """Put fetched images into the request. Runs beside another job: it may upload, but not use the GPU."""

    async def run(self, prepared: Prepared, report: Report) -> "asyncio.Task[Result]":
        """Run one request until the GPU is free again; the task brings what it made.

        The result's bytes travel while the next job runs already, and so do failures of that way. Cancelling `run`
        interrupts the runtime and waits until it is idle again.
        """

    async def free_memory(self) -> None:
        """Ask the runtime to give back what memory it can, after OutOfMemory."""

    async def memory_bytes(self) -> int | None:
        """Main memory that the runtime uses, or None if it does not tell."""

    async def close(self) -> None:
        """Close connections."""
