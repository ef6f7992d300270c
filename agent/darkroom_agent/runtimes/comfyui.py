"""The adapter for ComfyUI: submits a workflow, follows it by websocket, believes its history alone."""

import asyncio
import hashlib
import uuid
from collections.abc import Mapping
from typing import Any

import aiohttp

from darkroom_agent.errors import Failure, ResultTooLarge, RuntimeFailed, RuntimeGone, RuntimeRefused, RuntimeWedged
from darkroom_agent.ports import FieldPath, InputImage, OutputFile, Prepared, Report, Result, RuntimeLimits
from darkroom_contract.job import Job, Task

from .comfyui_answers import RemoteFile, failure_of, files_of, refusal, response_of
from .comfyui_events import Events, Track
from .comfyui_workflow import encode_request, image_fields, new_handle, workflow_of
from .http import RuntimeHttp

_PROBE_SECONDS = 5.0
_CALL_SECONDS = 30.0
_VIEWS_AT_ONCE = 4
_LOOK_SECONDS = 5.0  # between two looks at the history while events arrive
_GRACE_LOOKS = 3  # looks at a queue and a history that both lack a job, before it is taken for lost
_SHORT_PAUSE = 0.05  # the history is written just after the last event


class ComfyUI:
    """One ComfyUI server."""

    tasks = frozenset({Task.PIPELINE})
    loaded_model: str | None = None

    def __init__(self, base_url: str, limits: RuntimeLimits) -> None:
        """`base_url` is `http://host:port`."""
        self._http = RuntimeHttp(base_url, limits.answer_bytes)
        self._limits = limits
        self._client_id = uuid.uuid4().hex
        self._events = Events(base_url, self._client_id)
        self._stuck: str | None = None

    def image_fields(self, job: Job) -> list[tuple[FieldPath, str]]:
        """The inputs of LoadImage and LoadImageMask that are no file names."""
        return image_fields(job.input)

    async def prepare(self, job: Job, attempt: int, images: Mapping[FieldPath, InputImage]) -> Prepared:
        """Upload the images, and write the names that the server gave them into the workflow."""
        workflow_of(job.input)
        files = {path: await self._upload(image) for path, image in images.items()}
        handle = new_handle()
        payload = encode_request(job.input, files, handle, self._client_id)
        return Prepared(job, attempt, payload, handle=handle)

    async def _upload(self, image: InputImage) -> str:
        """Upload one image; the name is always the one that the server answers."""
        # Named by content: the input folder has no way to delete, and the same image must not fill it twice.
        name = f"{hashlib.sha256(image.data).hexdigest()[:20]}.{image.content_type.rpartition('/')[2]}"
        form = aiohttp.FormData({"subfolder": "darkroom", "overwrite": "true", "type": "input"})
        form.add_field("image", image.data, filename=name, content_type=image.content_type)
        reply = await self._http.request("POST", "/upload/image", form=form, seconds=_CALL_SECONDS)
        if reply.status == 413:
            raise RuntimeRefused(f"an input image is too large for the runtime: {reply.text()}")
        if reply.status != 200:
            raise RuntimeFailed(f"the runtime answered {reply.status} to an upload: {reply.text()}")
        answer = reply.json()
        return f"{answer['subfolder']}/{answer['name']}" if answer.get("subfolder") else str(answer["name"])

    async def run(self, prepared: Prepared, report: Report) -> asyncio.Task[Result]:
        """Run one workflow until the history tells its end; its files are fetched after that."""
        graph, _ = workflow_of(prepared.job.input)
        track = Track(len(graph), report)
        await self._events.connect(self._http.session)
        self._events.track(prepared.handle, track)
        prompt_id = prepared.handle
        try:
            prompt_id = await self._submit(prepared)
            if prompt_id != prepared.handle:  # servers before 0.3.44 give names of their own
                self._events.track(prompt_id, track)
            entry = await self._until_in_history(prompt_id, track)
        except (asyncio.CancelledError, RuntimeWedged):
            await asyncio.shield(self._cancel(prompt_id))
            raise
        finally:
            self._events.forget(prepared.handle)
            self._events.forget(prompt_id)
        failure = failure_of(entry)
        if failure is not None:
            raise failure
        return asyncio.create_task(self._result(entry, list(graph), track))

    async def _submit(self, prepared: Prepared) -> str:
        """Put the workflow into the server's queue; its prompt_id."""
        try:
            reply = await self._http.request("POST", "/prompt", json=prepared.payload, seconds=_CALL_SECONDS)
        except RuntimeGone:
            # It may have arrived: sending it again would run it twice.
            if await self._history(prepared.handle) is None and not await self._is_queued(prepared.handle):
                raise
            return prepared.handle
        if reply.status == 400:
            raise refusal(reply.json())
        if reply.status != 200:
            # Malformed requests are answered 500 too, but what we send is checked before.
            raise RuntimeFailed(f"the runtime answered {reply.status} to the workflow: {reply.text()}")
        answer = reply.json()
        prompt_id = str(answer.get("prompt_id") or prepared.handle)
        if answer.get("node_errors"):
            # The valid outputs run, the others are dropped in silence: half a result is none.
            await self._cancel(prompt_id)
            raise refusal(answer)
        return prompt_id

    async def _until_in_history(self, prompt_id: str, track: Track) -> dict[str, Any]:
        """Wait for the job's entry in the history: it is there when the job has ended, and not before."""
        looks = _GRACE_LOOKS
        while True:
            hurried = await self._wait_for(track)
            if (entry := await self._history(prompt_id)) is not None:
                return entry
            if await self._is_queued(prompt_id):
                looks = _GRACE_LOOKS
                self._check_stall(track)
            else:
                looks -= 1
                if looks == 0:
                    raise RuntimeGone("the runtime has lost the workflow: it was restarted")
            if hurried or looks < _GRACE_LOOKS:
                await asyncio.sleep(_SHORT_PAUSE)
            await self._events.connect(self._http.session)

    async def _wait_for(self, track: Track) -> bool:
        """Wait until the history is worth a look; whether an event said so."""
        seconds = (
            min(_LOOK_SECONDS, self._limits.stall_seconds) if self._events.connected else self._limits.poll_seconds
        )
        try:
            async with asyncio.timeout(seconds):
                await track.look.wait()
        except TimeoutError:
            return False
        # `execution_error` need not be the end (ExecutionBlocked): the next event will say so again.
        track.look.clear()
        return True

    def _check_stall(self, track: Track) -> None:
        if asyncio.get_running_loop().time() - track.moved > self._limits.stall_seconds:
            raise RuntimeWedged(f"no progress for {self._limits.stall_seconds:g} s")

    async def _history(self, prompt_id: str) -> dict[str, Any] | None:
        reply = await self._http.request("GET", f"/history/{prompt_id}", seconds=_CALL_SECONDS)
        answer = reply.json() if reply.status == 200 else {}
        entry = answer.get(prompt_id) if isinstance(answer, dict) else None
        return entry if isinstance(entry, dict) else None

    async def _is_queued(self, prompt_id: str) -> bool:
        """Whether the job runs or waits."""
        return prompt_id in await self._queue("queue_running", "queue_pending")

    async def _queue(self, *parts: str) -> set[str]:
        reply = await self._http.request("GET", "/queue", seconds=_CALL_SECONDS)
        answer = reply.json() if reply.status == 200 else {}
        return {str(item[1]) for part in parts for item in answer.get(part, ()) if len(item) > 1}

    async def _result(self, entry: dict[str, Any], order: list[str], track: Track) -> Result:
        remote = files_of(entry, order)
        response = response_of(entry)
        if not remote:
            # Also how a blocked execution ends: as a success without outputs.
            raise RuntimeRefused("the workflow ended without any output", response=response)
        files = await self._view_all(remote)
        return Result(tuple(files), response, dict(track.nodes))

    async def _view_all(self, remote: list[RemoteFile]) -> list[OutputFile]:
        room = asyncio.Semaphore(_VIEWS_AT_ONCE)
        left = self._limits.answer_bytes

        async def view(file: RemoteFile) -> OutputFile:
            nonlocal left
            async with room:
                reply = await self._http.request("GET", "/view", params=file.query())
            if reply.status != 200:
                raise RuntimeFailed(f"the runtime answered {reply.status} for its output {file.filename}")
            left -= len(reply.body)
            if left < 0:
                raise ResultTooLarge(f"the outputs are larger than {self._limits.answer_bytes} bytes")
            return OutputFile(reply.body, file.filename)

        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(view(file)) for file in remote]
        except BaseExceptionGroup as several:
            raise several.exceptions[0] from several.exceptions[0].__cause__
        return [task.result() for task in tasks]

    async def _cancel(self, prompt_id: str) -> None:
        """Take the job out of the queue, interrupt it if it runs, and wait until it is neither."""
        try:
            async with asyncio.timeout(self._limits.interrupt_seconds):
                await self._http.request("POST", "/queue", json=b'{"delete": ["%s"]}' % prompt_id.encode())
                while prompt_id in await self._queue("queue_running"):
                    # Targeted: servers before 0.3.56 stop whatever runs, which here is the same.
                    await self._http.request("POST", "/interrupt", json=b'{"prompt_id": "%s"}' % prompt_id.encode())
                    await asyncio.sleep(0.2)
        except TimeoutError:
            self._stuck = f"an interrupted workflow did not stop within {self._limits.interrupt_seconds:g} s"
        except Failure:
            return  # it is gone, and the job with it

    async def probe(self) -> None:
        """Ask for the queue: it answers as soon as the server serves."""
        if self._stuck is not None:
            stuck, self._stuck = self._stuck, None
            raise RuntimeWedged(stuck)
        reply = await self._http.request("GET", "/queue", seconds=_PROBE_SECONDS)
        if reply.status != 200:
            raise RuntimeGone(f"the runtime answered {reply.status}")
        await self._events.connect(self._http.session)

    async def free_memory(self) -> None:
        """Unload models and free what was cached."""
        await self._http.request("POST", "/free", json=b'{"unload_models": true, "free_memory": true}', seconds=60)

    async def memory_bytes(self) -> int | None:
        """None: `/system_stats` tells the machine's memory, not the server's own."""
        return None

    async def close(self) -> None:
        """Close connections."""
        await self._events.close()
        await self._http.close()
