"""Decode a delivery: from a message's body to a job, or to why it is none."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from darkroom_contract.decode import ContractError, parse
from darkroom_contract.document import JobDocument
from darkroom_contract.job import Job, JobRef, State, Task, digest
from darkroom_contract.message import LEGACY_RUNTIME, job_id_of, read_job, read_message

from .errors import Failure, InputUnavailable, InvalidRequest, Unprocessable
from .ports import Delivery, Store

MAX_JOB_BYTES = 16 * 1024 * 1024
"""Largest document that a job_ref may name; the API takes 6 MB."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a message asks for. `blank` is its job document before anything was done.

    `job` is None where the message names a job but is wrong; `problem` then says why.
    """

    blank: JobDocument
    job: Job | None = None
    problem: Failure | None = None


async def decode(delivery: Delivery, store: Store, buckets: frozenset[str], runtime_name: str) -> Request:
    """Read a message; where it is a reference, the job that it refers to (from one of `buckets`).

    Raises:
        Unprocessable: it is not even known which job the message is about.
        ServiceUnavailable: the referred job could not be read now.
    """
    try:
        message = read_message(delivery.body)
    except ContractError as error:
        return _wrong(job_id_of(delivery.body), delivery, runtime_name, InvalidRequest(str(error)))
    if isinstance(message, Job):
        return _asked(message, delivery, runtime_name)
    try:
        return _asked(await _referred(message, store, buckets), delivery, runtime_name)
    except (ContractError, InputUnavailable) as error:
        return _wrong(message.id, delivery, runtime_name, InvalidRequest(f"$.job_ref: {error}"))


async def _referred(reference: JobRef, store: Store, buckets: frozenset[str]) -> Job:
    where = urlsplit(reference.job_ref)
    if where.netloc not in buckets:
        raise InputUnavailable(f"the bucket {where.netloc} is not one that jobs may lie in")
    data = await store.read_object(where.netloc, where.path.removeprefix("/"), MAX_JOB_BYTES)
    job = read_job(parse(data))
    if reference.id not in (None, job.id):
        raise InputUnavailable(f"the document there is of job {job.id}")
    return job


def check(job: Job, tasks: frozenset[Task], runtime_name: str, runtime_type: str) -> None:
    """Check that this runtime is the right one for the job.

    Raises:
        InvalidRequest: it is not.
    """
    if job.runtime not in (runtime_name, LEGACY_RUNTIME):
        raise InvalidRequest(
            f'$.runtime: this queue serves the runtime "{runtime_name}", the job asks for "{job.runtime}"'
        )
    if job.task not in tasks:
        can = ", ".join(sorted(tasks))
        raise InvalidRequest(
            f'$.task: the runtime "{runtime_name}" ({runtime_type}) can {can}, the job asks for {job.task}'
        )


def _asked(job: Job, delivery: Delivery, runtime_name: str) -> Request:
    blank = JobDocument(
        id=job.id,
        runtime=runtime_name if job.runtime == LEGACY_RUNTIME else job.runtime,
        task=job.task,
        state=State.QUEUED,
        attempt=delivery.attempt,
        submitted_at=_submitted(job.submitted_at, delivery),
        context=job.context,
        tenant=job.tenant,
        request_digest=digest(job),
        webhook=job.webhook,
    )
    return Request(blank, job)


def _wrong(job_id: str | None, delivery: Delivery, runtime_name: str, problem: Failure) -> Request:
    if job_id is None:
        raise Unprocessable(problem.message)
    blank = JobDocument(
        id=job_id,
        runtime=runtime_name,
        state=State.QUEUED,
        attempt=delivery.attempt,
        submitted_at=delivery.sent_at,
        request_digest=hashlib.sha256(delivery.body.encode("utf-8", "surrogatepass")).hexdigest(),
    )
    return Request(blank, problem=problem)


def _submitted(submitted_at: datetime | None, delivery: Delivery) -> datetime:
    return submitted_at or delivery.sent_at
