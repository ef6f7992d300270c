"""The endpoints of jobs: submit, look, wait, list, cancel."""

import base64
import binascii
import hashlib
import re
import time
from datetime import datetime
from itertools import chain, repeat

import msgspec
import structlog

from darkroom_contract.api import MAX_WAIT_SECONDS, JobList
from darkroom_contract.decode import ContractError, convert, show
from darkroom_contract.document import JobDocument
from darkroom_contract.job import Job, RuntimeName, State, decode_job

from .door import Door
from .http import Answer, Request, json_answer
from .ids import time_of, uuid7
from .listing import DEFAULT_SPAN, newest_ids
from .outbox import submit
from .problems import Problem, of_parameter
from .store import Stored
from .submission import Caller, check, job_of
from .views import accepted, job_summary, job_view
from .webhook_policy import check_webhook

log = structlog.get_logger()

_LOOKS = (0.2, 0.3, 0.5)  # seconds between looks at a job that is waited for; the last one again and again
_PREFERRED_WAIT = re.compile(r"(?:^|[,;\s])wait\s*=\s*\"?(\d{1,6})\"?(?:$|[,;\s])", re.IGNORECASE)
_READ_AT_ONCE = 16
_MOST_READ = 400  # documents that one request for a list reads, if a filter lets few of them through


def post_job(door: Door, request: Request, _: str) -> Answer:
    """`POST /v1/jobs`: 202, or 200 with the whole job if it ended within the wait that was asked for."""
    body = request.json()
    caller = Caller(tenant=request.tenant, at=door.clock())
    job = job_of(body, _id_for(door, request, body), door.workflows.named, caller)
    check(job, door.settings.runtimes)
    check_webhook(job.webhook, door.settings.webhooks)
    return enter(door, request, job)


def enter(door: Door, request: Request, job: Job) -> Answer:
    """Queue a job that was checked, and wait for it if that is preferred."""
    document = queue(door, request, job)
    wait = _preferred_wait(request)
    if wait:
        document = _until_final(door, document, wait)
    if wait and document.state.final:
        return json_answer(200, job_view(document, door.store, door.queues, request.base))
    where = f"{request.base}/v1/jobs/{job.id}"
    return json_answer(202, accepted(document, request.base), Location=where)


def queue(door: Door, request: Request, job: Job) -> JobDocument:
    """Queue a job that was checked, as a part of the trace that its request belongs to."""
    structlog.contextvars.bind_contextvars(job_id=job.id, runtime=job.runtime)
    with door.segments.segment("submit", request.trace, {"job_id": job.id, "runtime": job.runtime}) as trace:
        document = submit(job, door.store, door.topic, trace)
    log.info("job.queued", task=job.task.value, tenant=job.tenant)
    return document


def get_job(door: Door, request: Request, job_id: str) -> Answer:
    """`GET /v1/jobs/{id}`, at once or when it is final."""
    request.only("wait")
    wait = _number(request, "wait", 0, MAX_WAIT_SECONDS, default=0)
    document = _visible(door, request, job_id).value
    if wait:
        document = _until_final(door, document, wait)
    return json_answer(200, job_view(document, door.store, door.queues, request.base))


def cancel_job(door: Door, request: Request, job_id: str) -> Answer:
    """`DELETE /v1/jobs/{id}`: 200 if it is cancelled, 202 if its agent was asked, 409 if it ended otherwise."""
    while True:
        there = _visible(door, request, job_id)
        document = there.value
        status = 200
        if document.state is State.RUNNING:
            door.store.ask_to_cancel(job_id)
            status = 202
        elif document.state is State.QUEUED:
            document = msgspec.structs.replace(document, state=State.CANCELLED, finished_at=door.clock())
            if not door.store.put_document(document, there.etag):
                continue  # an agent was quicker, or another who cancels: look again
            log.info("job.cancelled", job_id=job_id, runtime=document.runtime)
        elif document.state is not State.CANCELLED:
            raise Problem(409, "job-ended", f"the job is {document.state.value}, which does not change any more")
        return json_answer(status, job_view(document, door.store, door.queues, request.base))


def list_jobs(door: Door, request: Request, _: str) -> Answer:
    """`GET /v1/jobs`: the newest first, a page at a time."""
    request.only("since", "limit", "cursor", "runtime", "state")
    limit = _number(request, "limit", 1, 100, default=20)
    since = _moment(request, "since", door.clock() - DEFAULT_SPAN)
    before = _cursor(request)
    runtime, state = _runtime(request), _state(request)
    ids = newest_ids(door.store.page, door.pool, before, since, door.clock())
    found: list[JobDocument] = []
    last, read = None, 0
    while len(found) < limit and read < _MOST_READ:
        some = [one for _, one in zip(range(min(_READ_AT_ONCE, limit)), ids, strict=False)]
        if not some:
            last = None
            break
        for job_id, stored in zip(some, door.pool.map(door.store.document, some), strict=True):
            last, read = job_id, read + 1
            if stored and _listed(stored.value, request.tenant, runtime, state):
                found.append(stored.value)
                if len(found) == limit:
                    break
    jobs = tuple(job_summary(document, door.store, request.base) for document in found)
    return json_answer(200, JobList(jobs=jobs, next=last and _as_cursor(last)))


def _listed(document: JobDocument, tenant: str | None, runtime: str | None, state: State | None) -> bool:
    return (
        (tenant is None or document.tenant == tenant)
        and (runtime is None or document.runtime == runtime)
        and (state is None or document.state is state)
    )


def _visible(door: Door, request: Request, job_id: str) -> Stored[JobDocument]:
    """A job that the caller may see; another tenant's is as unknown to it as one that never was.

    Raises:
        Problem: 404.
    """
    stored = door.store.document(job_id) if _is_id(job_id) else None
    if stored is None or request.tenant not in (None, stored.value.tenant):
        raise Problem(404, "no-such-job", f"there is no job {show(job_id)}")
    return stored


def _is_id(text: str) -> bool:
    try:
        decode_job({"id": text, "runtime": "x", "task": "pipeline", "input": {}})
    except ContractError:
        return False
    return True


def _until_final(door: Door, document: JobDocument, seconds: int) -> JobDocument:
    """The document when it is final or the time is over. S3 tells nobody who waits, so it is looked at now and then."""
    end = time.monotonic() + seconds
    for pause in chain(_LOOKS, repeat(_LOOKS[-1])):
        left = end - time.monotonic()
        if document.state.final or left <= 0:
            return document
        time.sleep(min(pause, left))
        stored = door.store.document(document.id)
        document = stored.value if stored else document
    raise AssertionError  # for the type checker: the pauses do not end


def _id_for(door: Door, request: Request, body: object) -> str:
    """The id for a job that names none: a new one, or the one that its idempotency key stands for."""
    new = uuid7(door.clock())
    key = request.headers.get("idempotency-key")
    if key is None or (isinstance(body, dict) and "id" in body):
        return new
    if not (0 < len(key) <= 255 and key.isprintable()):
        raise of_parameter("Idempotency-Key", "1 to 255 printable characters", show(key))
    name = hashlib.sha256(f"{request.tenant or ''}\n{key}".encode()).hexdigest()
    where = f"jobs/keys/{name}.json"
    if door.store.put(where, msgspec.json.encode({"id": new}), new=True):
        return new
    there = door.store.read(where)
    return msgspec.json.decode(there.value, type=dict[str, str])["id"] if there else new


def _preferred_wait(request: Request) -> int:
    """Seconds of `Prefer: wait=N` (RFC 7240); what cannot be understood or had is not an error there."""
    found = _PREFERRED_WAIT.search(request.headers.get("prefer", ""))
    return min(int(found[1]), MAX_WAIT_SECONDS) if found else 0


def _number(request: Request, name: str, low: int, high: int, default: int) -> int:
    text = request.query.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 10 and low <= int(text) <= high):
        raise of_parameter(name, f"integer {low} … {high}", show(text))
    return int(text)


def _moment(request: Request, name: str, default: datetime) -> datetime:
    text = request.query.get(name)
    if text is None:
        return default
    try:
        moment = msgspec.convert(text, datetime)
    except msgspec.ValidationError:
        moment = None
    if moment is None or moment.tzinfo is None or moment.year < 1970:
        raise of_parameter(name, "RFC 3339 date and time with zone", show(text))
    return moment


def _runtime(request: Request) -> str | None:
    text = request.query.get("runtime")
    if text is not None:
        try:
            convert(text, RuntimeName)
        except ContractError as error:
            raise of_parameter("runtime", error.expected, error.got) from error
    return text


def _state(request: Request) -> State | None:
    text = request.query.get("state")
    if text is None:
        return None
    try:
        return State(text)
    except ValueError as error:
        known = ", ".join(show(state.value) for state in State)
        raise of_parameter("state", f"one of {known}", show(text)) from error


def _as_cursor(job_id: str) -> str:
    return base64.urlsafe_b64encode(job_id.encode()).decode().rstrip("=")


def _cursor(request: Request) -> str | None:
    text = request.query.get("cursor")
    if text is None:
        return None
    try:
        job_id = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode("ascii")
    except (binascii.Error, ValueError):
        job_id = ""
    if time_of(job_id) is None:
        raise of_parameter("cursor", "the `next` of an earlier page", show(text))
    return job_id
