"""The adapter for ComfyUI: submits a workflow, follows it by websocket, believes its history alone."""

import asyncio
import hashlib
import uuid
from collections.abc import Mapping
from typing import Any

import aiohttp
import msgspec

from darkroom_agent.errors import Failure, ResultTooLarge, RuntimeFailed, RuntimeGone, RuntimeRefused, RuntimeWedged
from darkroom_agent.ports import FieldPath, InputImage, OutputFile, Prepared, Report, Result, RuntimeLimits
from darkroom_contract.job import Job, Task

from .comfyui_answers import (
    Place,
    RemoteFile,
    entry_of,
    failure_of,
    failure_of_reply,
    files_of,
    place_of,
    refusal,
    response_of,
    uploaded_name,
)
from .comfyui_events import Events, Track
from .comfyui_workflow import classes_of, encode_request, image_fields, new_handle, workflow_of
from .http import Reply, RuntimeHttp

_PROBE_SECONDS = 5.0
_CALL_SECONDS = 30.0
_FREE_SECONDS = 60.0
_VIEWS_AT_ONCE = 4
_LOOK_SECONDS = 5.0  # between two looks at the history while events arrive
_LOST_AFTER = 3  # looks at a history and a queue that both lack a job, before it is taken for lost
_SOON = 0.1  # seconds to the next look at a job that is about to move


class ComfyUI:
    """One ComfyUI server, 0.3.56 or newer (older ones interrupt whatever runs)."""

    tasks = frozenset({Task.PIPELINE})
    loaded_model: str | None = None

    def __init__(self, base_url: str, limits: RuntimeLimits) -> None:
        """`base_url` is `http://host:port`."""
        self._http = RuntimeHttp(base_url, limits.answer_bytes)
        self._limits = limits
        # A busy interpreter answers late: it is given as long as a job may stand still.
        self._patience = max(_CALL_SECONDS, limits.stall_seconds)
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
        """Upload one image; the name is always the one that the server answers.

        Named by content, and without `overwrite`: the same image again is left as it lies (recorded:
        upload_image_same_again). It neither fills the input folder nor is rewritten while a running job reads it.
        """
        name = f"{hashlib.sha256(image.data).hexdigest()[:20]}.{image.content_type.rpartition('/')[2]}"
        form = aiohttp.FormData({"subfolder": "darkroom", "type": "input"})
        form.add_field("image", image.data, filename=name, content_type=image.content_type)
        reply = await self._http.request("POST", "/upload/image", form=form, seconds=self._patience)
        if reply.status == 400:  # bodyless: the form is ours, so it is not the caller's fault (recorded)
            raise RuntimeFailed("the runtime answered 400 to an upload")
        if reply.status != 200:
            raise failure_of_reply(reply, "the upload of an input image")
        return uploaded_name(reply.json())

    async def run(self, prepared: Prepared, report: Report) -> asyncio.Task[Result]:
        """Run one workflow until the history tells its end; its files are fetched after that."""
        graph, _ = workflow_of(prepared.job.input)
        track = Track(classes_of(graph), report)
        await self._events.connect(self._http.session)
        self._events.track(prepared.handle, track)
        prompt_id = prepared.handle
        try:
            prompt_id = await self._submit(prepared)
            if prompt_id != prepared.handle:  # servers before 0.3.44 give names of their own
                self._events.track(prompt_id, track)
            entry = await self._until_in_history(prompt_id, track)
        except (asyncio.CancelledError, Failure) as reason:
            # Whatever went wrong, the job may still have the GPU.
            await asyncio.shield(self._withdraw(prompt_id, track, reason))
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
            reply = await self._post(prepared.payload)
        except RuntimeGone:
            # It may have arrived: sending it again would run it twice.
            if await self._history(prepared.handle) is None and await self._place(prepared.handle) is Place.NOWHERE:
                raise
            return prepared.handle
        if reply.status == 400:
            raise refusal(reply.json())
        if reply.status != 200:
            raise failure_of_reply(reply, "the workflow")
        answer = reply.json()
        if not isinstance(answer, dict) or answer.get("node_errors"):
            # The valid outputs run, the others are dropped in silence: half a result is none. `run` takes it back.
            raise refusal(answer)
        return str(answer.get("prompt_id") or prepared.handle)

    async def _post(self, payload: bytes) -> Reply:
        sending = asyncio.ensure_future(self._http.request("POST", "/prompt", body=payload, seconds=self._patience))
        try:
            return await asyncio.shield(sending)
        except asyncio.CancelledError:
            # Only what the server has taken can be taken back.
            await asyncio.wait((sending,), timeout=self._limits.interrupt_seconds)
            sending.cancel()
            raise

    async def _until_in_history(self, prompt_id: str, track: Track) -> dict[str, Any]:
        """Wait for the job's entry in the history: it is there when the job has ended, and not before."""
        absent = 0
        while absent < _LOST_AFTER:
            await self._wait_for(track, _SOON if absent else self._look_seconds())
            if (entry := await self._history(prompt_id)) is not None:
                return entry
            place = await self._place(prompt_id)
            absent = absent + 1 if place is Place.NOWHERE else 0
            if place is not Place.RUNNING or not self._events.connected:
                track.excuse()
            elif asyncio.get_running_loop().time() - track.moved > self._limits.stall_seconds:
                raise RuntimeWedged(f"no progress for {self._limits.stall_seconds:g} s")
            await self._events.connect(self._http.session)
        raise RuntimeGone("the runtime has lost the workflow: it was restarted")

    def _look_seconds(self) -> float:
        """Seconds to the next look at the history if no event asks for one."""
        return min(_LOOK_SECONDS, self._limits.stall_seconds) if self._events.connected else self._limits.poll_seconds

    @staticmethod
    async def _wait_for(track: Track, seconds: float) -> None:
        """Wait until an event makes the history worth a look, or for so long."""
        try:
            async with asyncio.timeout(seconds):
                await track.look.wait()
        except TimeoutError:
            return
        track.look.clear()

    async def _history(self, prompt_id: str) -> dict[str, Any] | None:
        return entry_of(await self._ask(f"/history/{prompt_id}"), prompt_id)

    async def _place(self, prompt_id: str) -> Place:
        return place_of(await self._ask("/queue"), prompt_id)

    async def _ask(self, path: str) -> Any:
        reply = await self._http.request("GET", path, seconds=self._patience)
        if reply.status != 200:
            raise failure_of_reply(reply, f"GET {path}")
        return reply.json()

    async def _withdraw(self, prompt_id: str, track: Track, reason: BaseException) -> None:
        """Stop a job that nobody waits for any more, and remember if it does not stop."""
        stopped = await self._stop(prompt_id, track)
        if isinstance(reason, RuntimeWedged):
            if stopped:
                raise RuntimeFailed(f"{reason.message}, until it was interrupted") from reason
        elif not stopped:
            self._stuck = f"an interrupted workflow did not stop within {self._limits.interrupt_seconds:g} s"

    async def _stop(self, prompt_id: str, track: Track) -> bool:
        """Take the job out of the queue, or interrupt it, until it is neither there nor running; whether it is."""
        try:
            async with asyncio.timeout(self._limits.interrupt_seconds):
                while (place := await self._place(prompt_id)) is not Place.NOWHERE:
                    if place is Place.PENDING:
                        await self._order("/queue", {"delete": [prompt_id]})
                    else:
                        await self._order("/interrupt", {"prompt_id": prompt_id})
                    await self._wait_for(track, _SOON)
        except TimeoutError:
            return False
        except Failure:
            return True  # the server is gone, and the job with it
        return True

    async def _order(self, path: str, what: dict[str, Any]) -> None:
        await self._http.request("POST", path, body=msgspec.json.encode(what), seconds=self._patience)

    async def _result(self, entry: dict[str, Any], order: list[str], track: Track) -> Result:
        remote = files_of(entry, order)
        response = response_of(entry)
        if not remote:
            # Also how a blocked execution ends: as a success without outputs. Only the events tell why.
            why = f": {track.error}" if track.error else ""
            raise RuntimeRefused(f"the workflow ended without any output{why}", response=response)
        files = await self._view_all(remote)
        return Result(tuple(files), response, dict(track.nodes), track.ran())

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
            return OutputFile(bytes(reply.body), file.filename)

        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(view(file)) for file in remote]
        except BaseExceptionGroup as several:
            raise several.exceptions[0] from several.exceptions[0].__cause__
        return [task.result() for task in tasks]

    async def probe(self) -> None:
        """Ask for the queue: it answers as soon as the server serves.

        Raises:
            RuntimeGone: it does not.
            RuntimeWedged: a cancelled job did not stop; raised once.
        """
        if self._stuck is not None:
            stuck, self._stuck = self._stuck, None
            raise RuntimeWedged(stuck)
        reply = await self._http.request("GET", "/queue", seconds=_PROBE_SECONDS)
        if reply.status != 200:
            raise RuntimeGone(f"the runtime answered {reply.status}")
        await self._events.connect(self._http.session)

    async def free_memory(self) -> None:
        """Unload models and free what was cached."""
        body = b'{"unload_models": true, "free_memory": true}'
        await self._http.request("POST", "/free", body=body, seconds=_FREE_SECONDS)

    async def memory_bytes(self) -> int | None:
        """None: `/system_stats` tells the machine's memory, not the server's own."""
        return None

    async def close(self) -> None:
        """Close connections."""
        await self._events.close()
        await self._http.close()
