"""In-memory stand-ins for the seams of `ports.py`: for tests, and for anyone who wants to see the pipeline run."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec

from darkroom_contract.document import JobDocument, cancel_key, document_key
from darkroom_contract.job import Job, Task
from darkroom_contract.notification import Notification

from .errors import InputUnavailable, LeaseLost
from .ports import (
    Conflict,
    Delivery,
    FieldPath,
    InputImage,
    OutputFile,
    Prepared,
    Report,
    Result,
    StoredDocument,
)
from .record import document_of


@dataclass(slots=True)
class _Message:
    body: str
    sent_at: datetime
    visible_at: float = 0.0
    receives: int = 0
    receipt: str = ""
    trace_header: str | None = None


class MemoryQueue:
    """A queue with visibility, receive counts and a dead-letter queue, as SQS has them."""

    def __init__(self, visibility: float = 60.0, most_receives: int = 5, longest_wait: float = 20.0) -> None:
        """`visibility` in seconds; after `most_receives` deliveries a message goes to `dead`.

        `longest_wait` bounds every long poll, so that a test need not wait for it.
        """
        self._longest_wait = longest_wait
        self.visibility = visibility
        self.most_receives = most_receives
        self.messages: list[_Message] = []
        self.dead: list[str] = []
        self.deleted: list[str] = []
        self.extended: list[tuple[str, int]] = []
        self._changed = asyncio.Event()

    @property
    def name(self) -> str:
        """Its name, for logs and metrics."""
        return "memory"

    async def changed(self) -> None:
        """Wait until a message came, went or changed its visibility."""
        event = self._changed
        event.clear()
        await event.wait()

    def send(self, body: str, trace_header: str | None = None) -> None:
        """Put a message in."""
        self.messages.append(_Message(body, datetime.now(UTC), trace_header=trace_header))
        self._changed.set()

    async def receive(self, limit: int, wait_seconds: int) -> list[Delivery]:
        """Take up to `limit` messages, waiting up to `wait_seconds` for the first."""
        loop = asyncio.get_running_loop()
        until = loop.time() + min(wait_seconds, self._longest_wait)
        while not (taken := self._take(limit, loop.time())) and loop.time() < until:
            self._changed.clear()
            nearest = min((m.visible_at for m in self.messages), default=until)
            try:
                async with asyncio.timeout_at(min(until, max(nearest, loop.time() + 0.001))):
                    await self._changed.wait()
            except TimeoutError:
                continue
        return taken

    def _take(self, limit: int, now: float) -> list[Delivery]:
        taken: list[Delivery] = []
        for message in [one for one in self.messages if one.visible_at <= now][:limit]:
            if message.receives >= self.most_receives:
                self.messages.remove(message)
                self.dead.append(message.body)
                self._changed.set()
                continue
            message.receives += 1
            message.visible_at = now + self.visibility
            message.receipt = f"{id(message)}-{message.receives}"
            taken.append(
                Delivery(
                    message.body,
                    message.receipt,
                    message.receives,
                    message.sent_at,
                    message.visible_at,
                    message.trace_header,
                    str(id(message)),
                )
            )
        return taken

    async def extend(self, receipt: str, seconds: int) -> None:
        """Keep a message invisible for `seconds` from now."""
        self.extended.append((receipt, seconds))
        self._of(receipt).visible_at = asyncio.get_running_loop().time() + seconds
        self._changed.set()

    async def delete(self, receipt: str) -> None:
        """Acknowledge a message."""
        message = self._of(receipt)
        self.messages.remove(message)
        self.deleted.append(message.body)
        self._changed.set()

    def _of(self, receipt: str) -> _Message:
        for message in self.messages:
            if message.receipt == receipt:
                return message
        raise LeaseLost("the receipt no longer holds the message")


class MemoryStore:
    """A bucket with conditional writes."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.others: dict[tuple[str, str], bytes] = {}
        """Objects of other buckets, by bucket and key."""
        self.writes: list[JobDocument] = []

    def url(self, key: str) -> str:
        """The `s3://` address of a key."""
        return f"s3://memory/{key}"

    def document(self, job_id: str) -> JobDocument:
        """The job document as it lies there."""
        return msgspec.json.decode(self.objects[document_key(job_id)], type=JobDocument)

    def artifacts(self) -> list[str]:
        """Keys of everything that is no job document or mark."""
        return sorted(key for key in self.objects if not key.startswith("jobs/"))

    async def read_document(self, job_id: str) -> StoredDocument | None:
        """The job's document, or None."""
        data = self.objects.get(document_key(job_id))
        return None if data is None else StoredDocument(document_of(job_id, data), _etag(data))

    async def write_document(self, document: JobDocument, etag: str | None) -> str:
        """Create or change the document conditionally."""
        key = document_key(document.id)
        there = self.objects.get(key)
        if (None if there is None else _etag(there)) != etag:
            raise Conflict
        self.objects[key] = msgspec.json.encode(document)
        self.writes.append(document)
        return _etag(self.objects[key])

    async def put_artifact(self, key: str, data: bytes, content_type: str) -> None:
        """Store one output file."""
        self.objects[key] = data

    async def list_keys(self, prefix: str) -> list[str]:
        """All keys below a prefix."""
        return [key for key in self.objects if key.startswith(prefix)]

    async def delete_keys(self, keys: list[str]) -> None:
        """Remove objects."""
        for key in keys:
            self.objects.pop(key, None)

    async def read_object(self, bucket: str, key: str, limit: int) -> bytes:
        """The bytes of any object."""
        data = self.objects.get(key) if bucket == "memory" else self.others.get((bucket, key))
        if data is None or len(data) > limit:
            raise InputUnavailable(f"s3://{bucket}/{key}: missing or larger than {limit} bytes")
        return data

    async def cancel_requested(self, job_id: str) -> bool:
        """Whether the cancel mark lies there."""
        return cancel_key(job_id) in self.objects


def _etag(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


class MemoryTopic:
    """A topic that remembers."""

    def __init__(self) -> None:
        self.published: list[Notification] = []
        self.webhooks: list[str] = []
        """Ids of the jobs whose notifications ask for a webhook."""

    async def publish(self, notification: Notification, tenant: str | None, *, webhook: bool) -> None:
        """Remember it."""
        self.published.append(notification)
        if webhook:
            self.webhooks.append(notification.id)

    async def probe(self) -> None:
        """It works."""


class NoInputs:
    """A fetcher for jobs without input images."""

    async def fetch(self, fields: list[tuple[FieldPath, str]]) -> dict[FieldPath, InputImage]:
        """Nothing, of nothing."""
        if fields:
            raise InputUnavailable("this fetcher fetches nothing")
        return {}


async def _one_file(prepared: Prepared, report: Report) -> Result:
    report(1.0)
    return Result((OutputFile(f"picture of {prepared.job.id}".encode()),), {"ok": True})


async def _bring(result: Result) -> Result:
    return result


@dataclass
class FakeRuntime:
    """A runtime whose `work` is any coroutine function; it remembers what it was asked to do."""

    work: Callable[[Prepared, Report], Awaitable[Result]] = _one_file
    tasks: frozenset[Task] = frozenset(Task)
    loaded_model: str | None = None
    ran: list[str] = field(default_factory=list)
    interrupted: list[str] = field(default_factory=list)
    freed: int = 0
    memory: int | None = None
    probes: list[Exception] = field(default_factory=list)
    """What the next probes raise; when empty, the runtime is ready."""

    async def probe(self) -> None:
        """Ready, unless told otherwise."""
        if self.probes:
            raise self.probes.pop(0)

    def image_fields(self, job: Job) -> list[tuple[FieldPath, str]]:
        """The images that the input lists under `images`."""
        return [(("images", index), image) for index, image in enumerate(job.input.get("images", []))]

    async def prepare(self, job: Job, attempt: int, images: Mapping[FieldPath, InputImage]) -> Prepared:
        """Take the job as it is."""
        return Prepared(job, attempt, b"{}", model=job.input.get("model"))

    async def run(self, prepared: Prepared, report: Report) -> asyncio.Task[Result]:
        """Do the work, and remember an interruption."""
        self.ran.append(prepared.job.id)
        try:
            result = await self.work(prepared, report)
            return asyncio.create_task(_bring(result))
        except asyncio.CancelledError:
            self.interrupted.append(prepared.job.id)
            raise

    async def free_memory(self) -> None:
        """Remember that it was asked for."""
        self.freed += 1

    async def memory_bytes(self) -> int | None:
        """As told."""
        return self.memory

    async def close(self) -> None:
        """Nothing to close."""
