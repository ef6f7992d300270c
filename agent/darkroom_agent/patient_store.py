"""The output bucket, whose outages are waited out."""

import asyncio

from darkroom_contract.document import JobDocument
from darkroom_contract.job import State

from .breaker import Breaker
from .patience import Patience
from .ports import Conflict, Store, StoredDocument

_NOBODY = JobDocument(id="darkroom-probe", runtime="none", state=State.QUEUED, attempt=1)
_NO_ETAG = '"00000000000000000000000000000000"'


async def probe_store(store: Store) -> None:
    """Try a write as jobs do it, under a condition that cannot hold: permission is asked for, and nothing is left.

    Raises:
        ServiceUnavailable: documents cannot be written now.
    """
    try:
        await store.write_document(_NOBODY, _NO_ETAG)
    except Conflict:
        return


class PatientStore:
    """The output bucket behind its breaker."""

    def __init__(self, store: Store, bucket: str, breaker: Breaker, leaving: asyncio.Event) -> None:
        """`bucket` is the output bucket's name; `leaving` is set when the agent leaves."""
        self._store = store
        self._bucket = bucket
        self._breaker = breaker
        self._patience = Patience(breaker, leaving)

    def url(self, key: str) -> str:
        """The `s3://` address of a key in the output bucket."""
        return self._store.url(key)

    async def read_document(self, job_id: str) -> StoredDocument | None:
        """The job's document, or None if there is none."""
        return await self._patience.call(lambda: self._store.read_document(job_id))

    async def write_document(self, document: JobDocument, etag: str | None) -> str:
        """Create or change the document conditionally; returns the new ETag."""
        written = await self._patience.call(lambda: self._store.write_document(document, etag))
        self._breaker.worked()
        return written

    async def put_artifact(self, key: str, data: bytes, content_type: str) -> None:
        """Store one output file."""
        await self._patience.call(lambda: self._store.put_artifact(key, data, content_type))

    async def list_keys(self, prefix: str) -> list[str]:
        """All keys below a prefix of the output bucket."""
        return await self._patience.call(lambda: self._store.list_keys(prefix))

    async def delete_keys(self, keys: list[str]) -> None:
        """Remove objects of the output bucket; missing ones are no error."""
        await self._patience.call(lambda: self._store.delete_keys(keys))

    async def read_object(self, bucket: str, key: str, limit: int) -> bytes:
        """The bytes of any object, at most `limit` of them; other buckets' outages are not ours to wait for."""
        if bucket != self._bucket:
            return await self._store.read_object(bucket, key, limit)
        return await self._patience.call(lambda: self._store.read_object(bucket, key, limit))

    async def cancel_requested(self, job_id: str) -> bool:
        """Whether the caller asked to stop this running job."""
        return await self._patience.call(lambda: self._store.cancel_requested(job_id))
