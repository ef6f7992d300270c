"""A store whose outages are waited out: a message in hand keeps its lease, for going back would cost it an attempt."""

import asyncio
from collections.abc import Awaitable, Callable

from darkroom_contract.document import JobDocument

from .breaker import Breaker
from .errors import ServiceUnavailable
from .guarded import guarded
from .ports import Store, StoredDocument


class PatientStore:
    """The output bucket behind its breaker.

    A call that fails opens the breaker, waits until the store works, and is made once more: what fails then is no
    outage, and is the message's own. Nothing waits once the agent leaves.
    """

    def __init__(self, store: Store, bucket: str, breaker: Breaker, leaving: asyncio.Event) -> None:
        """`bucket` is the output bucket's name; `leaving` is set when the agent leaves."""
        self._store = store
        self._bucket = bucket
        self._breaker = breaker
        self._leaving = leaving

    def url(self, key: str) -> str:
        """The `s3://` address of a key in the output bucket."""
        return self._store.url(key)

    async def read_document(self, job_id: str) -> StoredDocument | None:
        """The job's document, or None if there is none."""
        return await self._patiently(lambda: self._store.read_document(job_id))

    async def write_document(self, document: JobDocument, etag: str | None) -> str:
        """Create or change the document conditionally; returns the new ETag."""
        written = await self._patiently(lambda: self._store.write_document(document, etag))
        self._breaker.worked()
        return written

    async def put_artifact(self, key: str, data: bytes, content_type: str) -> None:
        """Store one output file."""
        await self._patiently(lambda: self._store.put_artifact(key, data, content_type))

    async def list_keys(self, prefix: str) -> list[str]:
        """All keys below a prefix of the output bucket."""
        return await self._patiently(lambda: self._store.list_keys(prefix))

    async def delete_keys(self, keys: list[str]) -> None:
        """Remove objects of the output bucket; missing ones are no error."""
        await self._patiently(lambda: self._store.delete_keys(keys))

    async def read_object(self, bucket: str, key: str, limit: int) -> bytes:
        """The bytes of any object, at most `limit` of them; other buckets' outages are not ours to wait for."""
        if bucket != self._bucket:
            return await self._store.read_object(bucket, key, limit)
        return await self._patiently(lambda: self._store.read_object(bucket, key, limit))

    async def cancel_requested(self, job_id: str) -> bool:
        """Whether the caller asked to stop this running job."""
        return await self._patiently(lambda: self._store.cancel_requested(job_id))

    async def _patiently[T](self, call: Callable[[], Awaitable[T]]) -> T:
        await self._until_well()
        try:
            return await call()
        except ServiceUnavailable as failure:
            self._breaker.trip(failure)
        await self._until_well()
        try:
            return await call()
        except ServiceUnavailable as failure:
            self._breaker.trip(failure)
            raise

    async def _until_well(self) -> None:
        if not self._breaker.well.is_set():
            await guarded(_set(self._breaker.well), self._unless_leaving())

    async def _unless_leaving(self) -> None:
        await self._leaving.wait()
        raise ServiceUnavailable(self._breaker.reason)


async def _set(event: asyncio.Event) -> None:
    await event.wait()
