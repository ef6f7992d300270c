"""A jobs API whose answers a test decides, behind a stage's path; its bucket has an origin of its own, as S3 has."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from darkroom_api.page import page_file
from darkroom_simulator.draw import draw, encode_png

STAGE = "/prod"
_EXAMPLES = Path(__file__).parents[2] / "examples" / "workflows"
_CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Headers": "*",
    "Access-Control-Allow-Methods": "GET, PUT",
}


@dataclass
class FakeApi:
    """What it knows and what it was asked.

    `refusal` answers the next submission, `input_refusal` each request for an upload, `bucket_status` each upload;
    `key` is the only one it takes. `looks` counts the looks at single jobs, `counts` those at the queues, `inputs` the
    requests for an upload.
    """

    url: str = ""
    bucket_url: str = ""
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    workflows: dict[str, dict[str, Any]] = field(default_factory=dict)
    pictures: dict[str, bytes] = field(default_factory=dict)
    submissions: list[dict[str, Any]] = field(default_factory=list)
    uploads: dict[str, bytes] = field(default_factory=dict)
    lists: list[dict[str, str]] = field(default_factory=list)
    inputs: int = 0
    looks: int = 0
    counts: int = 0
    bucket_status: int = 200
    refusal: tuple[int, dict[str, Any]] | None = None
    input_refusal: tuple[int, dict[str, Any]] | None = None
    key: str | None = None

    def add(self, job_id: str, state: str, prompt: str = "a lake at dawn", **more: Any) -> dict[str, Any]:
        """Put a job there, with its settings as the page leaves them."""
        values = {"prompt": prompt, "width": 640, "height": 480}
        self.jobs[job_id] = {
            "id": job_id,
            "runtime": "sd-webui",
            "task": "text-to-image",
            "state": state,
            "attempt": 0 if state == "queued" else 1,
            "submitted_at": "2026-11-24T12:00:00Z",
            "artifacts": [],
            "context": {"playground": {"source": "runtime:sd-webui", "values": values, "more": {}}},
            "links": {"self": f"{STAGE}/v1/jobs/{job_id}", "page": f"{STAGE}/#/jobs/{job_id}"},
            **more,
        }
        return self.jobs[job_id]

    def complete(self, job_id: str, pictures: int = 1, size: tuple[int, int] = (640, 480), seed: int = 3) -> None:
        """End a job with pictures of its prompt."""
        job = self.jobs[job_id]
        prompt = job["context"]["playground"]["values"]["prompt"]
        job |= {
            "state": "completed",
            "finished_at": "2026-11-24T12:00:04.200Z",
            "timings": {"queued": 0.81, "prepare": 0.12, "runtime": 3.1, "store": 0.17},
            "response": {"info": "<img src=x onerror=alert(1)>"},
            "artifacts": [self.artifact(f"{job_id}-{n}.png", prompt, seed + n, size) for n in range(pictures)],
        }

    def artifact(self, name: str, prompt: str, seed: int, size: tuple[int, int]) -> dict[str, Any]:
        """A picture in the bucket."""
        self.pictures[name] = encode_png(draw(prompt, seed, *size), {})
        facts = {"content_type": "image/png", "bytes": len(self.pictures[name]), "sha256": "0" * 64}
        where = {"url": f"s3://outputs/{name}", "download_url": f"{self.bucket_url}/{name}"}
        return {**where, **facts, "width": size[0], "height": size[1]}


@asynccontextmanager
async def fake_api() -> AsyncIterator[FakeApi]:
    """Serve it, and its bucket, on free ports of loopback."""
    api = FakeApi()
    for file in _EXAMPLES.glob("*.json"):
        api.workflows[file.stem] = json.loads(file.read_text())
    door, bucket = web.Application(), web.Application()
    handle = _Door(api)
    door.router.add_route("*", STAGE + "/{path:.*}", handle.answer)
    bucket.router.add_route("*", "/{name}", _Bucket(api).answer)
    runners = [web.AppRunner(app, access_log=None) for app in (door, bucket)]
    try:
        for runner in runners:
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0).start()
        ports = [runner.addresses[0][1] for runner in runners]
        api.url, api.bucket_url = f"http://127.0.0.1:{ports[0]}{STAGE}/", f"http://127.0.0.1:{ports[1]}"
        yield api
    finally:
        for runner in runners:
            await runner.cleanup()


class _Bucket:
    def __init__(self, api: FakeApi) -> None:
        self._api = api

    async def answer(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if request.method == "PUT" and self._api.bucket_status != 200:
            return web.Response(status=self._api.bucket_status, headers=_CORS)
        if request.method == "PUT":
            self._api.uploads[name] = await request.read()
        if request.method in {"PUT", "OPTIONS"}:
            return web.Response(headers=_CORS)
        return web.Response(body=self._api.pictures[name], content_type="image/png", headers=_CORS)


class _Door:
    def __init__(self, api: FakeApi) -> None:
        self._api = api

    async def answer(self, request: web.Request) -> web.Response:
        path = request.match_info["path"]
        found = page_file(f"/{path}", [self._api.bucket_url])
        if found:
            headers = {**found.headers, "Content-Type": found.content_type}
            return web.Response(body=found.body.encode(), headers=headers)
        if self._api.key and request.headers.get("x-api-key") != self._api.key:
            return web.json_response({"message": "Forbidden"}, status=403)
        status, body = await self._json(request, path.removeprefix("v1/"))
        return web.json_response(body, status=status)

    async def _json(self, request: web.Request, path: str) -> tuple[int, dict[str, Any]]:
        api = self._api
        if path == "runtimes":
            api.counts += 1
            return 200, {
                "runtimes": [
                    _runtime("sd-webui", "sdwebui", bulk=True),
                    _runtime("sd-comfyui", "comfyui"),
                    _runtime("flux", "openai"),
                ]
            }
        if path == "workflows":
            return 200, {"workflows": [_summary(one) for one in api.workflows.values()]}
        if path.startswith("workflows/"):
            workflow = api.workflows[path.split("/")[1]]
            return 200, {**_summary(workflow), "parameters": workflow["parameters"], "schema": {}}
        if path == "inputs":
            api.inputs += 1
            return api.input_refusal or (201, _ticket(api.bucket_url))
        if path == "jobs":
            return self._submit(await request.json()) if request.method == "POST" else self._list(dict(request.query))
        return self._job(request.method, path.removeprefix("jobs/"))

    def _submit(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        api = self._api
        if api.refusal:
            refusal, api.refusal = api.refusal, None
            return refusal
        api.submissions.append(body)
        job = api.add(
            f"job-{len(api.submissions)}", "queued", queue={"waiting": 3, "in_flight": 1, "wait_seconds": 24.0}
        )
        job["context"] = body.get("context")
        return 202, {key: job[key] for key in ("id", "state", "links")}

    def _list(self, query: dict[str, str]) -> tuple[int, dict[str, Any]]:
        self._api.lists.append(query)
        start, limit = int(query.get("cursor", 0)), int(query.get("limit", 20))
        state = query.get("state")
        jobs = [job for job in reversed(self._api.jobs.values()) if state in (None, job["state"])]
        more = str(start + limit) if start + limit < len(jobs) else None
        return 200, {"jobs": jobs[start : start + limit], "next": more}

    def _job(self, method: str, job_id: str) -> tuple[int, dict[str, Any]]:
        self._api.looks += 1
        job = self._api.jobs.get(job_id)
        if job is None:
            return 404, {"type": "/problems/no-such-job", "status": 404, "detail": f'there is no job "{job_id}"'}
        if method == "DELETE":
            job["state"] = "cancelled"
        return 200, job


def _ticket(bucket_url: str) -> dict[str, Any]:
    upload = {"method": "PUT", "url": f"{bucket_url}/one.png", "headers": {"Content-Type": "image/png"}}
    return {"url": "s3://outputs/inputs/one.png", "upload": upload, "expires_at": "2026-11-24T13:00:00Z"}


def _summary(workflow: dict[str, Any]) -> dict[str, Any]:
    return {key: workflow[key] for key in ("name", "title", "description", "runtime", "task")}


def _runtime(name: str, kind: str, *, bulk: bool = False) -> dict[str, Any]:
    queue = {"waiting": 2, "in_flight": 1, "oldest_seconds": 4.0}
    return {"name": name, "type": kind, "bulk": bulk, "queue": queue, "bulk_queue": None}
