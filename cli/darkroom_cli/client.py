"""A typed asynchronous client of the jobs API.

Submit a job, wait for it, and save what it made:

    async with Client("https://api.example.com/prod", api_key="…") as darkroom:
        job = await darkroom.submit({"workflow": "portrait", "params": {"prompt": "an old sailor"}})
        job = await darkroom.finished(job.id)
        files = await darkroom.save(job, Path("out"))

Follow it as it goes:

        async for job in darkroom.watch(job_id):
            print(job.state, job.progress)

Send a picture along:

        url = await darkroom.upload(Path("lake.png"))
        await darkroom.submit({"workflow": "restyle", "params": {"image": url, "prompt": "in autumn"}})

All that can go wrong is a `DarkroomError` (see `failures`). What passes by itself (429, 502, 503, 504, a lost
connection) is tried again, as long as the API asks for by `Retry-After`.
"""

import asyncio
import email.utils
import time
import uuid
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx
import msgspec

from darkroom_contract.api import (
    MAX_WAIT_SECONDS,
    Accepted,
    InputTicket,
    JobList,
    JobView,
    ProblemDocument,
    RuntimeList,
    RuntimeView,
    WorkflowList,
    WorkflowSummary,
    WorkflowView,
)
from darkroom_contract.job import State

from .download import download, plain_name
from .failures import DarkroomError, NotFound, NotReachable, Refused
from .images import content_type

_TRIES = 5
_AGAIN = frozenset({429, 502, 503, 504})
_LONGEST_PAUSE = 30.0  # seconds, whatever Retry-After says
_SHORTEST_LOOK, _LONGEST_LOOK = 0.5, 5.0  # seconds between looks at a job


class Client:
    """The API at `endpoint` (with its stage, if it has one), as the tenant of `api_key`.

    An asynchronous context manager: connections are kept while it is open.
    """

    def __init__(
        self, endpoint: str, api_key: str | None = None, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        """`transport` replaces the network, for tests.

        Raises:
            NotReachable: the endpoint is no http(s) address, or the key is none that a header can hold.
        """
        base, headers = base_of(endpoint, api_key)
        timeout = httpx.Timeout(10.0, read=MAX_WAIT_SECONDS + 10.0)
        self._api = httpx.AsyncClient(base_url=base, headers=headers, timeout=timeout, transport=transport)
        # Buckets get no API key: their addresses are signed.
        self._bucket = httpx.AsyncClient(timeout=timeout, transport=transport)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._api.aclose()
        await self._bucket.aclose()

    async def submit(self, request: dict[str, Any]) -> Accepted:
        """Submit a job: `request` is the body of `POST /v1/jobs`. Tries are safe, for without an id it gets a key.

        Raises:
            DarkroomError: it was refused, or the API cannot be reached.
        """
        headers = {} if "id" in request else {"Idempotency-Key": str(uuid.uuid4())}
        return await self._json("POST", "v1/jobs", Accepted, json=request, headers=headers)

    async def get(self, job_id: str, wait: int = 0) -> JobView:
        """A job as it stands, or as soon as it is final within `wait` seconds (at most 25)."""
        return await self._json("GET", f"v1/jobs/{quote(job_id, safe='')}", JobView, params={"wait": wait})

    async def watch(self, job_id: str) -> AsyncIterator[JobView]:
        """A job each time that it has changed, until it is final; the last one is.

        Looks twice a second at first, and less often where nothing happens.
        """
        last: JobView | None = None
        pause = _SHORTEST_LOOK
        while True:
            job = await self.get(job_id)
            if last is None or _steps(job) != _steps(last):
                pause = _SHORTEST_LOOK
            if last is None or (_steps(job), job.queue) != (_steps(last), last.queue):
                yield job
            if job.state.final:
                return
            last = job
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, _LONGEST_LOOK)

    async def finished(self, job_id: str) -> JobView:
        """A job when it is final."""
        while not (job := await self.get(job_id, MAX_WAIT_SECONDS)).state.final:
            pass
        return job

    async def pages(
        self,
        *,
        since: datetime | str | None = None,
        runtime: str | None = None,
        state: State | None = None,
        limit: int = 20,
    ) -> AsyncIterator[JobList]:
        """Pages of jobs, the newest first, each of at most `limit` (1 to 100); a page may be short, or empty."""
        filters = {
            "since": since.isoformat() if isinstance(since, datetime) else since,
            "runtime": runtime,
            "state": state and state.value,
            "limit": str(limit),
        }
        given = {name: value for name, value in filters.items() if value is not None}
        while True:
            page = await self._json("GET", "v1/jobs", JobList, params=given)
            yield page
            if page.next is None:
                return
            given["cursor"] = page.next

    async def list(self, **filters: Any) -> AsyncIterator[JobView]:
        """Jobs, the newest first, without their responses; `filters` are those of `pages`."""
        async for page in self.pages(**filters):
            for job in page.jobs:
                yield job

    async def cancel(self, job_id: str) -> JobView:
        """Cancel a job: it is `cancelled` now, or `running` and about to be.

        Raises:
            Refused: it has ended otherwise.
        """
        return await self._json("DELETE", f"v1/jobs/{quote(job_id, safe='')}", JobView)

    async def runtimes(self) -> tuple[RuntimeView, ...]:
        """The installed runtimes and their queues."""
        return (await self._json("GET", "v1/runtimes", RuntimeList)).runtimes

    async def workflows(self) -> tuple[WorkflowSummary, ...]:
        """The named workflows."""
        return (await self._json("GET", "v1/workflows", WorkflowList)).workflows

    async def workflow(self, name: str) -> WorkflowView:
        """A named workflow with its parameters."""
        return await self._json("GET", f"v1/workflows/{quote(name, safe='')}", WorkflowView)

    async def upload(self, file: Path) -> str:
        """Send an input image to the bucket; its `s3://` address, to be used in requests.

        Raises:
            DarkroomError: it is no image that can be used, or could not be sent.
        """
        kind = content_type(file)
        data = await asyncio.to_thread(file.read_bytes)
        ticket = await self._json("POST", "v1/inputs", InputTicket, json={"content_type": kind, "bytes": len(data)})
        upload = ticket.upload
        answer = await _send(self._bucket, upload.method, upload.url, content=data, headers=upload.headers)
        if not answer.is_success:
            raise DarkroomError(f"{file}: the bucket answered {answer.status_code}")
        return ticket.url

    async def save(self, job: JobView, folder: Path) -> tuple[Path, ...]:
        """Save a job's artifacts as `<folder>/<id>/<name>`, each checked by its SHA-256.

        What is there already stays; what was begun is gone on with.

        Raises:
            DarkroomError: see `download`.
        """
        there = folder / plain_name(job.id)
        return tuple([await download(self._bucket, artifact, there) for artifact in job.artifacts])

    async def _json[T](self, method: str, path: str, model: type[T], **options: Any) -> T:
        answer = await _send(self._api, method, path, **options)
        if not answer.is_success:
            raise _refusal(answer)
        try:
            return msgspec.json.decode(answer.content, type=model)
        except (msgspec.DecodeError, UnicodeError) as error:
            where = answer.url.copy_with(query=None)
            raise NotReachable(f"{where} is no Darkroom API, or one of another version: {error}") from error


def base_of(endpoint: str, api_key: str | None) -> tuple[httpx.URL, dict[str, str]]:
    """What all requests begin with, and the headers that they have.

    Raises:
        NotReachable: the endpoint is no http(s) address, or the key is none that a header can hold.
    """
    if not endpoint.startswith(("http://", "https://")):
        raise NotReachable(f"{endpoint!r} is no address of an API: it begins with https://")
    if api_key and not (api_key.isascii() and api_key.isprintable()):
        raise NotReachable("the API key has characters that no key has; was it copied whole?")
    try:
        return httpx.URL(endpoint.rstrip("/") + "/"), {"x-api-key": api_key} if api_key else {}
    except httpx.InvalidURL as error:
        raise NotReachable(f"{endpoint}: {error}") from error


def _steps(job: JobView) -> tuple[State, float | None, int]:
    return job.state, job.progress, job.attempt


async def _send(client: httpx.AsyncClient, method: str, url: str, **options: Any) -> httpx.Response:
    """Send a request, again where that may help; the last answer."""
    for attempt in range(1, _TRIES + 1):
        try:
            answer = await client.request(method, url, **options)
        except httpx.InvalidURL as error:
            raise NotReachable(f"{url}: {error}") from error
        except httpx.HTTPError as error:
            if attempt == _TRIES:
                where = client.base_url.host or httpx.URL(url).host
                raise NotReachable(f"{where} does not answer: {str(error) or type(error).__name__}") from error
            await asyncio.sleep(0.25 * 2**attempt)
            continue
        if answer.status_code not in _AGAIN or attempt == _TRIES:
            break
        await asyncio.sleep(_pause(answer.headers.get("Retry-After"), attempt))
    return answer


def _pause(retry_after: str | None, attempt: int) -> float:
    """Seconds to wait: what was asked for, as a number or a date (RFC 9110, 10.2.3), else a little longer each time."""
    asked: float = 0.25 * 2**attempt
    if retry_after and retry_after.isdecimal():
        asked = float(retry_after)
    elif retry_after and (date := email.utils.parsedate_tz(retry_after)):
        asked = email.utils.mktime_tz(date) - time.time()
    return max(0.0, min(asked, _LONGEST_PAUSE))


def _refusal(answer: httpx.Response) -> DarkroomError:
    """What a refusal means to the caller."""
    if answer.status_code in (401, 403):
        return NotReachable(f"the API key was not accepted ({answer.status_code}); set DARKROOM_API_KEY or --api-key")
    where = answer.request.url.copy_with(query=None)
    try:
        problem = msgspec.json.decode(answer.content, type=ProblemDocument)
    except (msgspec.DecodeError, UnicodeError):
        if answer.status_code == 404:
            return NotFound(f"{where}: there is nothing")
        return DarkroomError(f"{where} answered {answer.status_code}")
    if problem.status == 404:
        return NotFound(problem.detail)
    return Refused(problem.detail, problem) if problem.status < 500 else DarkroomError(problem.detail)
