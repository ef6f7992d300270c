"""A ComfyUI of recordings: one prompt is taken, its recorded events follow, and the history tells its end."""

from typing import Any

from aiohttp import web

from darkroom_agent.ports import Report, Result, RuntimeLimits, ignore_progress
from darkroom_agent.runtimes.comfyui import ComfyUI
from darkroom_contract.job import Job, Task

from .recorded_server import Recorded, serving
from .recordings import recording

LIMITS = RuntimeLimits(poll_seconds=0.05, stall_seconds=0.5, interrupt_seconds=0.5)
PICTURE = b"\x89PNG\r\n\x1a\n picture"


def read(name: str) -> Any:
    """One recording of ComfyUI."""
    return recording("comfyui", name)


def job_of(recorded: dict[str, Any]) -> Job:
    """The job whose workflow was sent there: the whole request, without what the adapter sets itself."""
    request = recorded.get("prompt_response", recorded)["request"]["json"]
    ours = ("client_id", "prompt_id", "number", "front")
    return Job(id="a", runtime="comfy", task=Task.PIPELINE, input={k: v for k, v in request.items() if k not in ours})


ANY_JOB = job_of(read("run_success"))


class Comfy:
    """Where the one prompt stands, and what the server answers because of that."""

    def __init__(self, events: list[dict[str, Any]], entry: dict[str, Any] | None, *, place: str | None = None) -> None:
        """`entry` is its history once taken, None while it runs; `place` the part of the queue where it then stands."""
        self.server = Recorded()
        self.prompt_id = ""
        self.node_errors: dict[str, Any] = {}
        self.entry = entry
        self.place = place
        self._events = events
        answer = self.server.answer
        answer("POST", "/prompt", self._prompt)
        answer("GET", "/queue", self._queue)
        answer("POST", "/queue", read("queue_delete_running"))
        answer("POST", "/interrupt", read("interrupt_right_id"))
        answer("GET", "/view", lambda *_: web.Response(body=PICTURE))

    def _prompt(self, _request: web.Request, body: Any) -> web.Response:
        self.prompt_id = body["prompt_id"]
        self.server.answer("GET", f"/history/{self.prompt_id}", self._history)
        self.server.events([renamed(event, self.prompt_id) for event in self._events])
        return web.json_response({"prompt_id": self.prompt_id, "number": 1, "node_errors": self.node_errors})

    def _history(self, _request: web.Request, _body: Any) -> web.Response:
        return self._told({} if self.entry is None else {self.prompt_id: self.entry})  # recorded: history_while_running

    def _queue(self, _request: web.Request, _body: Any) -> web.Response:
        parts: dict[str, list[Any]] = {"queue_running": [], "queue_pending": []}
        if self.place is not None:
            parts[self.place].append([1, self.prompt_id, {}, {}, []])
        return self._told(parts)

    @staticmethod
    def _told(body: Any) -> web.Response:
        return web.json_response(body)

    def asked(self, method: str, path: str) -> list[Any]:
        """Bodies of all such requests."""
        return [body for m, p, body in self.server.asked if (m, p) == (method, path)]


def renamed(event: dict[str, Any], prompt_id: str) -> dict[str, Any]:
    """A recorded event as it would be of another prompt."""
    data = event.get("data", {})
    return {**event, "data": {**data, "prompt_id": prompt_id}} if "prompt_id" in data else event


def comfy_of(name: str) -> Comfy:
    """One recorded run, from the prompt to its end."""
    recorded = read(name)
    comfy = Comfy(recorded["ws_events"], next(iter(recorded["history"]["body"].values())))
    comfy.node_errors = recorded["prompt_response"]["body"]["node_errors"]
    return comfy


def running(events: list[dict[str, Any]] | None = None, place: str = "queue_running") -> Comfy:
    """A job that never ends by itself: in the queue, absent from the history."""
    return Comfy(events or [], None, place=place)


async def run(server: Recorded, job: Job, limits: RuntimeLimits = LIMITS, report: Report = ignore_progress) -> Result:
    """Let the adapter run a job against a server, to its files."""
    async with serving(server) as url:
        adapter = ComfyUI(url, limits)
        try:
            return await (await adapter.run(await adapter.prepare(job, 1, {}), report))
        finally:
            await adapter.close()
