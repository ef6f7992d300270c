"""A job's document as one attempt sees it: read once, changed conditionally, final once."""

import msgspec

from darkroom_contract.document import JobDocument

from .errors import Superseded, Unprocessable
from .lease import Lease
from .ports import Conflict, Store


def document_of(job_id: str, data: bytes) -> JobDocument:
    """What lies at a job's key.

    Raises:
        Unprocessable: it is not that job's document, nor ours to change: no JSON, of another shape, or another job's.
    """
    try:
        document = msgspec.json.decode(data, type=JobDocument)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise Unprocessable(f"what lies at the key of {job_id} is no job document: {error}") from error
    if document.id != job_id:
        raise Unprocessable(f"what lies at the key of {job_id} is another job's document")
    return document


class Record:
    """The document of one job during one attempt. It keeps the ETag that its next write must meet."""

    def __init__(self, store: Store, lease: Lease, blank: JobDocument) -> None:
        """`blank` has what is known of the job before anything was done."""
        self._store = store
        self._lease = lease
        self.blank = blank
        self._etag: str | None = None

    async def load(self) -> JobDocument | None:
        """Read what is there: the document, if one exists.

        Raises:
            Unprocessable: the id was used for another request, whose document must not be touched.
        """
        stored = await self._store.read_document(self.blank.id)
        if stored is None:
            return None
        if stored.document.request_digest not in (None, self.blank.request_digest):
            raise Unprocessable(f"the id {self.blank.id} belongs to another request")
        self._etag = stored.etag
        return stored.document

    async def cancel_requested(self) -> bool:
        """Whether the caller asked for the end of this running job."""
        return await self._store.cancel_requested(self.blank.id)

    async def write(self, document: JobDocument) -> None:
        """Write a state of the job over a state that is not final.

        Raises:
            Superseded: the job has become final, by another attempt or by a cancellation.
            LeaseLost: the message is no longer ours.
        """
        while True:
            self._lease.check()
            try:
                self._etag = await self._store.write_document(document, self._etag)
            except Conflict:
                await self._catch_up()
            else:
                return

    async def _catch_up(self) -> None:
        """After a conflict: whose document is it now?

        If it is our own, written by a call whose answer was lost, that is one that became final meanwhile, too: it is
        told and swept up after like another's.
        """
        stored = await self._store.read_document(self.blank.id)
        self._etag = None if stored is None else stored.etag
        if stored is not None and stored.document.state.final:
            raise Superseded(stored.document)
