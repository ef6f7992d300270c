"""Job documents as the API shows them: with addresses that can be fetched, and what a queued job waits for."""

import msgspec

from darkroom_contract.api import Accepted, ArtifactView, JobView, Links
from darkroom_contract.document import Artifact, JobDocument
from darkroom_contract.job import Priority, State

from .queues import Queues
from .store import Store

_SHOWN = set(JobDocument.__struct_fields__) - {"artifacts", "webhook"}


def accepted(document: JobDocument, base: str) -> Accepted:
    """The answer to a submission."""
    return Accepted(id=document.id, state=document.state, trace_id=document.trace_id, links=links(document.id, base))


def job_view(document: JobDocument, store: Store, queues: Queues, base: str) -> JobView:
    """A whole job."""
    queue = queues.wait(document.runtime, Priority.NORMAL) if document.state is State.QUEUED else None
    return _view(document, store, base, queue=queue)


def job_summary(document: JobDocument, store: Store, base: str) -> JobView:
    """A job in a list: without the runtime's response, which may be long."""
    return _view(msgspec.structs.replace(document, response=None), store, base)


def links(job_id: str, base: str) -> Links:
    """Where a job is, as paths below the API's own."""
    return Links(itself=f"{base}/v1/jobs/{job_id}", page=f"{base}/#/jobs/{job_id}")


def _view(document: JobDocument, store: Store, base: str, **more: object) -> JobView:
    fields = {name: getattr(document, name) for name in _SHOWN}
    artifacts = tuple(_artifact(artifact, store) for artifact in document.artifacts)
    return JobView(**fields, artifacts=artifacts, links=links(document.id, base), **more)  # type: ignore[arg-type]


def _artifact(artifact: Artifact, store: Store) -> ArtifactView:
    return ArtifactView(**msgspec.structs.asdict(artifact), download_url=store.download_url(artifact.url))
