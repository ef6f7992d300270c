"""Commit an outcome: artifacts, then the job document, then the notification. Only then may the message go."""

import asyncio
import hashlib
import re
from typing import Any

import msgspec
import structlog
from msgspec.structs import replace

from darkroom_contract.document import Artifact, Error, JobDocument, artifact_name, cancel_key, document_key
from darkroom_contract.job import Job, State, now
from darkroom_contract.notification import notification_of

from .guarded import together
from .lease import Lease
from .media import UNKNOWN, sniff
from .ports import OutputFile, Store, Topic
from .record import Record
from .settle import Fate, Outcome, fate_of_final
from .story import Story, clock
from .traces import Attributes, Traces

log = structlog.get_logger()

_AT_ONCE = 8  # uploads of one job side by side
_HASH_BESIDE = 8 * 1024 * 1024  # bytes from which hashing would be felt by others
_RESPONSE_BYTES = 2 * 1024 * 1024  # whoever asks for a job gets its whole document; a Lambda function answers 6 MB
_LEFT_OUT = "…"
_ARTIFACT = re.compile(r"\d+-[0-9a-f]{12}\.[a-z0-9]+")


class Commit:
    """Writes ends. All of it may be done twice: names are made of contents, and a final document never changes."""

    def __init__(self, store: Store, topic: Topic, traces: Traces) -> None:
        self._store = store
        self._topic = topic
        self._traces = traces

    async def final(
        self, document: JobDocument, outcome: Outcome, job: Job | None, record: Record, lease: Lease, story: Story
    ) -> None:
        """Make a job final and tell it.

        Raises:
            Superseded: the job was final already; what this attempt stored is `again`'s to remove.
            LeaseLost, ServiceUnavailable: it could not be done; it may be done again.
        """
        began = clock()
        story.store = 0.0
        artifacts: list[Artifact] = []
        with self._traces.stage("store"):
            if outcome.result is not None and job is not None:
                artifacts = await self._store_files(outcome.result.files, job, lease)
            story.store = clock() - began
            response = shortened(document.response)
            document = replace(document, artifacts=tuple(artifacts), response=response, timings=story.timings())
            await record.write(document)
        began = clock()
        with self._traces.stage("notify"):
            await self._tell(document)
        story.notify = clock() - began
        if story.was_followed:
            await self._store.delete_keys([cancel_key(document.id)])
        if document.attempt > 1 and job is not None:
            await self.sweep(document, job.artifact_prefix)
        _log_end(document)

    async def again(self, document: JobDocument, prefix: str | None, attempt: int) -> Fate:
        """Tell once more what is final, and remove what lost attempts left. Nothing is run."""
        await self._tell(document)
        await self._store.delete_keys([cancel_key(document.id)])
        await self.sweep(document, prefix)
        log.info("job.already_final", state=document.state.value, by_attempt=document.attempt, attempt=attempt)
        return fate_of_final(document.state, retryable=document.error is not None and document.error.retryable)

    async def _tell(self, document: JobDocument) -> None:
        url = self._store.url(document_key(document.id))
        told = notification_of(document, url)
        await self._topic.publish(told, document.tenant, webhook=document.wants_webhook)

    async def _store_files(self, files: tuple[OutputFile, ...], job: Job, lease: Lease) -> list[Artifact]:
        artifacts: dict[int, Artifact] = {}
        room = asyncio.Semaphore(_AT_ONCE)

        async def store(index: int, data: bytes) -> None:
            async with room:
                artifacts[index] = await self._store_file(index, data, job, lease)

        await together(*(store(index, file.data) for index, file in enumerate(files)))
        return [artifacts[index] for index in sorted(artifacts)]

    async def _store_file(self, index: int, data: bytes, job: Job, lease: Lease) -> Artifact:
        media = sniff(data) or UNKNOWN
        digest = await _sha256(data)
        key = job.artifact_prefix + artifact_name(index, digest, media.extension)
        lease.check()
        told: Attributes = {
            "darkroom.artifact.index": index,
            "darkroom.bytes": len(data),
            "darkroom.content_type": media.content_type,
        }
        with self._traces.stage("artifact", told):
            await self._store.put_artifact(key, data, media.content_type)
        return Artifact(
            url=self._store.url(key),
            content_type=media.content_type,
            bytes=len(data),
            sha256=digest,
            width=media.width,
            height=media.height,
        )

    async def sweep(self, document: JobDocument, prefix: str | None) -> None:
        """Remove, below `prefix`, all artifacts that the final document does not name: lost attempts left them.

        Only names that an artifact of this very job can have: another job's prefix may lie below this one's.
        """
        if prefix is None:
            return
        named = {artifact.url for artifact in document.artifacts}
        strays = [
            key
            for key in await self._store.list_keys(prefix)
            if _ARTIFACT.fullmatch(key.removeprefix(prefix)) and self._store.url(key) not in named
        ]
        if strays:
            await self._store.delete_keys(strays)


def final_document(blank: JobDocument, outcome: Outcome, state: State, story: Story, cost: float | None) -> JobDocument:
    """The final document but for the artifacts, which are not stored yet."""
    failure = outcome.failure
    error = None if failure is None else Error(code=failure.code, message=failure.message, retryable=failure.retryable)
    answered = outcome.result.response if outcome.result else failure.response if failure else None
    return replace(
        blank,
        state=state,
        started_at=story.started_at,
        finished_at=now(),
        response=answered,
        error=error,
        cost=None if cost is None else round(cost, 8),
    )


def shortened(response: Any) -> Any:
    """A runtime's response as it fits a job document: a part that is too long for it is left out, or else all."""
    if _fits(response):
        return response
    if isinstance(response, dict):
        parts = {name: value if _fits(value) else _LEFT_OUT for name, value in response.items()}
        if _fits(parts):
            return parts
    return _LEFT_OUT


def _fits(value: Any) -> bool:
    return len(msgspec.json.encode(value)) <= _RESPONSE_BYTES


async def _sha256(data: bytes) -> str:
    if len(data) >= _HASH_BESIDE:
        return await asyncio.to_thread(lambda: hashlib.sha256(data).hexdigest())
    return hashlib.sha256(data).hexdigest()


def _log_end(document: JobDocument) -> None:
    error = document.error
    log.info(
        f"job.{document.state.value}",
        artifacts=len(document.artifacts),
        timings=document.timings,
        **({} if error is None else {"code": error.code, "error": error.message}),
    )
