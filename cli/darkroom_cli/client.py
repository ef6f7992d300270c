"""A typed asynchronous client of the jobs API.

async with Client("https://api.example.com/prod", api_key="…") as darkroom:
    job = await darkroom.submit({"workflow": "portrait", "params": {"prompt": "an old sailor"}})
    job = await darkroom.finished(job.id)
    files = await darkroom.save(job, Path("out"))
"""

import asyncio
import hashlib
import mimetypes
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx
import msgspec

from darkroom_contract.api import (
    INPUT_TYPES,
    MAX_WAIT_SECONDS,
    Accepted,
    ArtifactView,
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

from .failures import DarkroomError, NotFound, NotReachable, Refused

_TRIES = 4
_AGAIN = frozenset({429, 502, 503, 504})
_LONGEST_PAUSE = 20.0
_LOOK_SECONDS = 1.0


class Client:
    """The API at `endpoint` (with its stage, if it has one), as the tenant of `api_key`."""

    def __init__(
        self, endpoint: str, api_key: str | None = None, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        """`transport` replaces the network, for tests."""
        headers = {"x-api-key": api_key} if api_key else {}
        timeout = httpx.Timeout(10.0, read=MAX_WAIT_SECONDS + 10.0)
        self._api = httpx.AsyncClient(
            base_url=endpoint.rstrip("/") + "/", headers=headers, timeout=timeout, transport=transport
        )
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
        """Submit a job. Tries are safe: one without an id gets an idempotency key.

        Raises:
            DarkroomError: it was refused, or the API cannot be reached.
        """
        headers = {} if "id" in request else {"Idempotency-Key": str(uuid.uuid4())}
        return await self._json("POST", "v1/jobs", Accepted, json=request, headers=headers)

    async def get(self, job_id: str, wait: int = 0) -> JobView:
        """A job as it stands, or as soon as it is final within `wait` seconds (at most 25)."""
        return await self._json("GET", f"v1/jobs/{quote(job_id, safe='')}", JobView, params={"wait": wait})

    async def watch(self, job_id: str) -> AsyncIterator[JobView]:
        """A job, again and again until it is final; the last one is."""
        while True:
            job = await self.get(job_id)
            yield job
            if job.state.final:
                return
            await asyncio.sleep(_LOOK_SECONDS)

    async def finished(self, job_id: str) -> JobView:
        """A job when it is final."""
        while not (job := await self.get(job_id, MAX_WAIT_SECONDS)).state.final:
            pass
        return job

    async def list(self, **filters: str | int) -> AsyncIterator[JobView]:
        """Jobs, the newest first; `filters` are `since`, `runtime`, `state` and a page's `limit`."""
        more: dict[str, str | int] = {}
        while True:
            page = await self._json("GET", "v1/jobs", JobList, params={**filters, **more})
            for job in page.jobs:
                yield job
            if page.next is None:
                return
            more = {"cursor": page.next}

    async def cancel(self, job_id: str) -> JobView:
        """Cancel a job: it is `cancelled` now, or `running` and about to be."""
        return await self._json("DELETE", f"v1/jobs/{quote(job_id, safe='')}", JobView)

    async def runtimes(self) -> tuple[RuntimeView, ...]:
        """The installed runtimes."""
        return (await self._json("GET", "v1/runtimes", RuntimeList)).runtimes

    async def workflows(self) -> tuple[WorkflowSummary, ...]:
        """The named workflows."""
        return (await self._json("GET", "v1/workflows", WorkflowList)).workflows

    async def workflow(self, name: str) -> WorkflowView:
        """A named workflow with its parameters."""
        return await self._json("GET", f"v1/workflows/{quote(name, safe='')}", WorkflowView)

    async def upload(self, file: Path) -> str:
        """Send an input image to the bucket; its `s3://` address.

        Raises:
            DarkroomError: it is no image that can be used, or could not be sent.
        """
        kind = mimetypes.guess_type(file.name)[0] or ""
        if kind not in INPUT_TYPES:
            raise Refused(f"{file}: images can be {', '.join(sorted(INPUT_TYPES.values()))}")
        data = await asyncio.to_thread(file.read_bytes)
        ticket = await self._json("POST", "v1/inputs", InputTicket, json={"content_type": kind, "bytes": len(data)})
        upload = ticket.upload
        await self._send(self._bucket, upload.method, upload.url, content=data, headers=upload.headers)
        return ticket.url

    async def save(self, job: JobView, folder: Path) -> tuple[Path, ...]:
        """Save a job's artifacts as `<folder>/<id>/<name>`, each checked by its SHA-256; files that are there stay."""
        return tuple([await self._save(artifact, folder / job.id) for artifact in job.artifacts])

    async def _save(self, artifact: ArtifactView, folder: Path) -> Path:
        path = folder / Path(artifact.url.rpartition("/")[2]).name
        if path.exists() and hashlib.sha256(await asyncio.to_thread(path.read_bytes)).hexdigest() == artifact.sha256:
            return path
        data = (await self._send(self._bucket, "GET", artifact.download_url)).content
        if hashlib.sha256(data).hexdigest() != artifact.sha256:
            raise DarkroomError(f"{artifact.url} came with another SHA-256 than its job document says")
        folder.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.name}.part")  # so that no half of a file has its name
        await asyncio.to_thread(part.write_bytes, data)
        part.replace(path)
        return path

    async def _json[T](self, method: str, path: str, model: type[T], **options: Any) -> T:
        answer = await self._send(self._api, method, path, **options)
        try:
            return msgspec.json.decode(answer.content, type=model)
        except (msgspec.DecodeError, UnicodeError) as error:
            raise NotReachable(f"{answer.url} is no Darkroom API: {error}") from error

    async def _send(self, client: httpx.AsyncClient, method: str, url: str, **options: Any) -> httpx.Response:
        for attempt in range(1, _TRIES + 1):
            try:
                answer = await client.request(method, url, **options)
            except httpx.InvalidURL as error:
                raise NotReachable(f"{url}: {error}") from error
            except httpx.HTTPError as error:
                if attempt == _TRIES:
                    raise NotReachable(f"{client.base_url}: {error or type(error).__name__}") from error
                await asyncio.sleep(_pause(None, attempt))
                continue
            if answer.is_success:
                return answer
            if answer.status_code not in _AGAIN or attempt == _TRIES:
                raise _refusal(answer)
            await asyncio.sleep(_pause(answer.headers.get("Retry-After"), attempt))
        raise AssertionError("unreachable")


def _pause(retry_after: str | None, attempt: int) -> float:
    asked = float(retry_after) if retry_after and retry_after.isdigit() else 0.25 * 2**attempt
    return min(asked, _LONGEST_PAUSE)


def _refusal(answer: httpx.Response) -> DarkroomError:
    """What a refusal means to the caller."""
    if answer.status_code in (401, 403):
        return NotReachable(f"the API key was not accepted ({answer.status_code}); set DARKROOM_API_KEY or --api-key")
    try:
        problem = msgspec.json.decode(answer.content, type=ProblemDocument)
    except (msgspec.DecodeError, UnicodeError):
        return DarkroomError(f"{answer.request.url.copy_with(query=None)} answered {answer.status_code}")
    return NotFound(problem.detail) if problem.status == 404 else Refused(problem.detail, problem)
