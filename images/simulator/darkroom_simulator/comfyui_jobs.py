"""ComfyUI's `/api/jobs`: the same prompts again, as jobs with states (since about 0.5.1)."""

import uuid
from collections.abc import Callable
from typing import Any

from aiohttp import web

from .comfyui_queue import Item, PromptQueue

_STATES = ("pending", "in_progress", "completed", "failed", "cancelled")
_DETAILS = ("outputs", "execution_status", "workflow")  # told of one job, not in a list


class Jobs:
    """The jobs of one imagined ComfyUI."""

    def __init__(self, queue: PromptQueue, interrupt: Callable[[], None]) -> None:
        """`interrupt` stops the running prompt."""
        self._queue = queue
        self._interrupt = interrupt

    def routes(self) -> list[web.RouteDef]:
        """Every path that was recorded."""
        return [
            web.get("/api/jobs", self._list),
            web.post("/api/jobs/cancel", self._cancel_many),
            web.get("/api/jobs/{prompt_id}", self._get),
            web.post("/api/jobs/{prompt_id}/cancel", self._cancel),
        ]

    async def _list(self, request: web.Request) -> web.Response:
        wanted = [state for state in request.query.get("status", "").split(",") if state]
        unknown = [state for state in wanted if state not in _STATES]
        if unknown:
            said = f"Invalid status value(s): {', '.join(unknown)}. Valid values: {', '.join(_STATES)}"
            return web.json_response({"error": said}, status=400)
        running = [self._queue.running] if self._queue.running else []
        jobs = [_finished(prompt_id, entry) for prompt_id, entry in self._queue.history.items()]
        jobs += [_open(item, "in_progress") for item in running] + [_open(i, "pending") for i in self._queue.pending]
        jobs = [job for job in jobs if not wanted or job["status"] in wanted]
        jobs.sort(key=lambda job: (job["create_time"], abs(job["priority"])), reverse=True)
        told = [{name: value for name, value in job.items() if name not in _DETAILS} for job in jobs]
        return web.json_response(
            {"jobs": told, "pagination": {"offset": 0, "limit": None, "total": len(told), "has_more": False}}
        )

    async def _get(self, request: web.Request) -> web.Response:
        job = self._job(request.match_info["prompt_id"])
        return web.json_response({"error": "Job not found"}, status=404) if job is None else web.json_response(job)

    async def _cancel(self, request: web.Request) -> web.Response:
        return web.json_response({"cancelled": await self._stop(request.match_info["prompt_id"])})

    async def _cancel_many(self, request: web.Request) -> web.Response:
        prompt_ids = (await request.json()).get("job_ids", [])
        invalid = [prompt_id for prompt_id in prompt_ids if not _is_uuid(prompt_id)]
        if invalid:
            said = "job_ids contains invalid id(s)"
            return web.json_response({"error": said, "invalid_ids": invalid}, status=400)
        return web.json_response({"cancelled": any([await self._stop(prompt_id) for prompt_id in prompt_ids])})

    async def _stop(self, prompt_id: str) -> bool:
        running = self._queue.running
        if running is not None and running.prompt_id == prompt_id:
            self._interrupt()
            return True
        return await self._queue.delete([prompt_id])

    def _job(self, prompt_id: str) -> dict[str, Any] | None:
        running = self._queue.running
        if running is not None and running.prompt_id == prompt_id:
            return _open(running, "in_progress")
        for item in self._queue.pending:
            if item.prompt_id == prompt_id:
                return _open(item, "pending")
        entry = self._queue.history.get(prompt_id)
        return None if entry is None else _finished(prompt_id, entry)


def _open(item: Item, status: str) -> dict[str, Any]:
    counts = {"outputs_count": 0, "previewable_outputs_count": 0}
    return {"id": item.prompt_id, "status": status, "priority": item.number, "create_time": item.created, **counts}


def _finished(prompt_id: str, entry: dict[str, Any]) -> dict[str, Any]:
    messages = dict(entry["status"]["messages"])
    number, _, graph, extra_data, _ = entry["prompt"]
    done, stopped = entry["status"]["status_str"] == "success", "execution_interrupted" in messages
    files = [
        {**file, "nodeId": node_id, "mediaType": kind}
        for node_id, output in entry["outputs"].items()
        for kind, items in output.items()
        for file in items
    ]
    job = {
        "id": prompt_id,
        "status": "completed" if done else "cancelled" if stopped else "failed",
        "priority": number,
        "create_time": extra_data["create_time"],
        "execution_start_time": messages["execution_start"]["timestamp"],
        "execution_end_time": entry["status"]["messages"][-1][1]["timestamp"],
        "outputs_count": len(files),
        "previewable_outputs_count": len(files),
        "outputs": entry["outputs"],
        "execution_status": entry["status"],
        "workflow": {"prompt": graph, "extra_data": extra_data},
    }
    if "execution_error" in messages:
        job["execution_error"] = messages["execution_error"]
    if files:
        job["preview_output"] = files[0]
    workflow = (extra_data.get("extra_pnginfo") or {}).get("workflow") or {}
    return job | ({"workflow_id": workflow["id"]} if "id" in workflow else {})


def _is_uuid(value: Any) -> bool:
    try:
        return isinstance(value, str) and str(uuid.UUID(value)) == value
    except ValueError:
        return False
