"""The adapter for AUTOMATIC1111's WebUI API, and for those that speak it: Forge, reForge, SD.Next, sd.cpp's server."""

import asyncio
import base64
import difflib
from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any

import msgspec
import structlog

from darkroom_agent.errors import Failure, RuntimeFailed, RuntimeGone, RuntimeRefused, RuntimeWedged
from darkroom_agent.guarded import guarded
from darkroom_agent.ports import FieldPath, InputImage, Prepared, Report, Result, RuntimeLimits
from darkroom_contract.job import Job, Task

from .http import Opened, RuntimeHttp
from .sdwebui_answers import decode_images, failure_of, images_of, model_of, response_of, same_model

log = structlog.get_logger()

_PATHS = {
    Task.TEXT_TO_IMAGE: "/sdapi/v1/txt2img",
    Task.IMAGE_TO_IMAGE: "/sdapi/v1/img2img",
    Task.EXTRA_SINGLE_IMAGE: "/sdapi/v1/extra-single-image",
    Task.EXTRA_BATCH_IMAGES: "/sdapi/v1/extra-batch-images",
}
_PROBE_SECONDS = 5.0
_BESIDE = 1024 * 1024  # characters of base64 from which coding would be felt by others
_CONTROLNET_IMAGES = ("image", "mask", "input_image", "mask_image")


class SDWebUI:
    """One WebUI. It runs one job at a time, and further requests wait inside it: the agent's slots keep them out."""

    tasks = frozenset(_PATHS)

    def __init__(self, base_url: str, limits: RuntimeLimits, *, dynamic_model: bool = False) -> None:
        """`dynamic_model`: switch the checkpoint when a job names another than the loaded one."""
        self._http = RuntimeHttp(base_url, limits.answer_bytes)
        self._limits = limits
        self._dynamic_model = dynamic_model
        self._loaded: str | None = None
        self._has_progress = True
        self._stuck: str | None = None
        self._choices: dict[str, set[str]] = {}

    @property
    def loaded_model(self) -> str | None:
        """The checkpoint that is known to be loaded."""
        return self._loaded

    def image_fields(self, job: Job) -> list[tuple[FieldPath, str]]:
        """`init_images`, `mask`, `image`, `imageList`, and ControlNet's units. Nothing else is ever fetched."""
        body = job.input
        found: list[tuple[FieldPath, Any]] = [((name,), body.get(name)) for name in ("mask", "image")]
        found += [(("init_images", i), image) for i, image in _items(body.get("init_images"))]
        for i, one in _items(body.get("imageList")):
            found.append((("imageList", i, "data"), one.get("data") if isinstance(one, dict) else None))
        found += _controlnet(body.get("alwayson_scripts"))
        return [(path, value) for path, value in found if isinstance(value, str) and value]

    async def prepare(self, job: Job, attempt: int, images: Mapping[FieldPath, InputImage]) -> Prepared:
        """Put the images into the request, as base64."""
        body = deepcopy(job.input) if images else dict(job.input)
        for path, image in images.items():
            _put(body, path, await _base64(image.data))
        settings = body.get("override_settings")
        model = settings.get("sd_model_checkpoint") if isinstance(settings, dict) else None
        if self._dynamic_model and isinstance(settings, dict) and isinstance(model, str):
            # The switch is made before the run: as an override an unknown name would be passed over in silence.
            body["override_settings"] = {k: v for k, v in settings.items() if k != "sd_model_checkpoint"}
        if job.task in (Task.TEXT_TO_IMAGE, Task.IMAGE_TO_IMAGE):
            body["override_settings_restore_afterwards"] = True
        return Prepared(job, attempt, msgspec.json.encode(body), model=model if isinstance(model, str) else None)

    async def run(self, prepared: Prepared, report: Report) -> asyncio.Task[Result]:
        """Run one request. The head of its answer comes when the work is done; grids come first in it."""
        await self._check_choices(prepared.job)
        if self._dynamic_model and prepared.model is not None:
            await self._switch(prepared.model)
        before = await self._overridden(prepared.job)
        request = asyncio.create_task(self._http.open("POST", _PATHS[prepared.job.task], json=prepared.payload))
        try:
            opened = await guarded(_finished(request), self._follow(report))
        except (asyncio.CancelledError, RuntimeWedged):
            await asyncio.shield(self._interrupt(request))
            _throw_away(request)
            raise
        if opened.status != 200:
            raise failure_of(await opened.read())
        await self._restore_options(before)
        return asyncio.create_task(self._result(prepared, opened))

    async def _overridden(self, job: Job) -> dict[str, Any]:
        """The options that a job is about to override, as they are."""
        overrides = job.input.get("override_settings")
        keys = set(overrides) - {"sd_model_checkpoint"} if isinstance(overrides, dict) else set()
        if not keys:
            return {}
        return {key: value for key, value in (await self._options()).items() if key in keys}

    async def _result(self, prepared: Prepared, opened: Opened) -> Result:
        answer = (await opened.read()).json()
        if not isinstance(answer, dict):
            raise RuntimeFailed("the runtime's answer is no object")
        response, images = response_of(answer), images_of(answer)
        if not images and prepared.job.input.get("send_images") is not False:
            raise RuntimeFailed("the runtime answered without an image", response=response)
        self._check_model(prepared.model, response)
        beside = sum(len(image) for image in images) > _BESIDE
        files = await asyncio.to_thread(decode_images, images) if beside else decode_images(images)
        return Result(files, response)

    def _check_model(self, wanted: str | None, response: dict[str, Any]) -> None:
        """An unknown checkpoint is passed over in silence: only the answer tells which one made the images."""
        used = model_of(response)
        if used is not None:
            self._loaded = used
        if wanted is not None and used is not None and not same_model(wanted, used):
            said = f"the job asks for the checkpoint {wanted}, the runtime used {used}"
            raise (RuntimeFailed if self._dynamic_model else RuntimeRefused)(said, response=response)

    async def _check_choices(self, job: Job) -> None:
        """An unknown sampler or scheduler is replaced in silence: refuse it before the GPU works for nothing."""
        for field, path in (("sampler_name", "/sdapi/v1/samplers"), ("scheduler", "/sdapi/v1/schedulers")):
            wanted = job.input.get(field)
            if not isinstance(wanted, str) or not wanted:
                continue
            known = await self._known(path)
            if known and wanted.lower() not in known:
                near = ", ".join(difflib.get_close_matches(wanted.lower(), known, 3)) or "none is near"
                raise RuntimeRefused(f"$.input.{field}: the runtime does not know {wanted!r} (near: {near})")

    async def _known(self, path: str) -> set[str]:
        if path not in self._choices:
            reply = await self._http.request("GET", path, seconds=_PROBE_SECONDS)
            entries = reply.json() if reply.status == 200 else []
            self._choices[path] = {
                name.lower()
                for entry in (entries if isinstance(entries, list) else [])
                if isinstance(entry, dict)
                for name in (entry.get("name"), entry.get("label"), *(entry.get("aliases") or []))
                if isinstance(name, str)
            }
        return self._choices[path]

    async def _switch(self, wanted: str) -> None:
        """Load another checkpoint, and make sure that it really is."""
        if self._loaded is None:
            self._loaded = (await self._options()).get("sd_model_checkpoint")
        if self._loaded is not None and same_model(self._loaded, wanted):
            return
        title = await self._title(wanted)
        reply = await self._http.request(
            "POST", "/sdapi/v1/options", json=msgspec.json.encode({"sd_model_checkpoint": title})
        )
        self._loaded = None
        if reply.status != 200:
            raise failure_of(reply)
        current = (await self._options()).get("sd_model_checkpoint")
        if not isinstance(current, str) or not same_model(current, title):
            raise RuntimeFailed(f"the runtime was to load the checkpoint {title}, but has {current}")
        self._loaded = current

    async def _options(self) -> dict[str, Any]:
        reply = await self._http.request("GET", "/sdapi/v1/options", seconds=_PROBE_SECONDS)
        options = reply.json() if reply.status == 200 else {}
        return options if isinstance(options, dict) else {}

    async def _set_options(self, options: dict[str, Any]) -> None:
        reply = await self._http.request("POST", "/sdapi/v1/options", json=msgspec.json.encode(options))
        if reply.status != 200:
            raise failure_of(reply)

    async def _restore_options(self, before: dict[str, Any]) -> None:
        """Undo a job's override_settings: the runtime itself restores only keys that had been set before (recorded)."""
        if not before:
            return
        try:
            await self._set_options(before)
        except Failure as failure:
            log.warning("runtime.options_not_restored", error=failure.message)

    async def _title(self, wanted: str) -> str:
        """The title that the runtime knows a checkpoint by; its folder is read again once before giving up."""
        titles: list[str] = []
        for refresh in (False, True):
            if refresh:
                await self._http.request("POST", "/sdapi/v1/refresh-checkpoints", json=b"{}")
            reply = await self._http.request("GET", "/sdapi/v1/sd-models")
            entries = reply.json() if reply.status == 200 else []
            titles = [entry["title"] for entry in entries if isinstance(entry, dict) and "title" in entry]
            for title in titles:
                if same_model(title, wanted):
                    return title
        near = ", ".join(titles[:5]) or "none"
        raise RuntimeRefused(f"the runtime has no checkpoint {wanted!r} (it has: {near})")

    async def _follow(self, report: Report) -> None:
        """Guard a run: report its progress, and find out when nothing moves any more."""
        loop = asyncio.get_running_loop()
        last: object = None
        moved = loop.time()
        while self._has_progress:
            await asyncio.sleep(self._limits.poll_seconds)
            try:
                state = await self._progress()
            except RuntimeGone:
                continue  # the request itself will tell
            if state is None:
                self._has_progress = False
                return
            seen = (state.get("progress"), state.get("state"))
            if seen != last:
                last, moved = seen, loop.time()
                report(float(state.get("progress") or 0.0))
            elif loop.time() - moved > self._limits.stall_seconds:
                raise RuntimeWedged(f"no progress for {self._limits.stall_seconds:g} s")

    async def _progress(self) -> dict[str, Any] | None:
        """What the server works on, or None where it does not tell (sd.cpp)."""
        reply = await self._http.request(
            "GET", "/sdapi/v1/progress", params={"skip_current_image": "true"}, seconds=_PROBE_SECONDS
        )
        if reply.status in (404, 405, 501):
            return None
        state = reply.json() if reply.status == 200 else {}
        return state if isinstance(state, dict) else {}

    async def _interrupt(self, request: asyncio.Task[Opened] | None) -> None:
        """Stop whatever runs (`/interrupt` is global) and wait until it has stopped."""
        try:
            async with asyncio.timeout(self._limits.interrupt_seconds):
                await self._http.request("POST", "/sdapi/v1/interrupt", json=b"{}", seconds=_PROBE_SECONDS)
                if request is not None:
                    await asyncio.wait((request,))
                else:
                    while await self._is_busy():  # noqa: ASYNC110 (the server tells nobody when it is idle)
                        await asyncio.sleep(0.2)
        except TimeoutError:
            self._stuck = f"an interrupted job did not stop within {self._limits.interrupt_seconds:g} s"
        except Failure:
            return  # it is gone, and its job with it

    async def _is_busy(self) -> bool:
        state = await self._progress()
        return state is not None and bool((state.get("state") or {}).get("job_count"))

    async def probe(self) -> None:
        """Ask gently. A job that nobody waits for any more (a client that left) is interrupted first."""
        if self._stuck is not None:
            stuck, self._stuck = self._stuck, None
            raise RuntimeWedged(stuck)
        try:
            reply = await self._http.request("GET", "/sdapi/v1/options", seconds=_PROBE_SECONDS)
            if reply.status in (401, 403):
                raise RuntimeGone(
                    f"the runtime wants credentials: {reply.status}; put user:password@ into API_BASE_URL"
                )
            if reply.status >= 500:
                raise RuntimeGone(f"the runtime answered {reply.status}")
            if self._has_progress and await self._is_busy():
                await self._interrupt(None)
        except RuntimeGone:
            # Whatever comes back is another process: it knows other models, samplers and endpoints.
            self._loaded, self._choices, self._has_progress = None, {}, True
            raise

    async def free_memory(self) -> None:
        """Unload the checkpoint; the next job loads it again (recorded: it does so by itself)."""
        await self._http.request("POST", "/sdapi/v1/unload-checkpoint", json=b"{}", seconds=60)

    async def memory_bytes(self) -> int | None:
        """Resident memory of the server's process."""
        reply = await self._http.request("GET", "/sdapi/v1/memory", seconds=_PROBE_SECONDS)
        if reply.status != 200:
            return None
        try:
            return int(reply.json()["ram"]["used"])
        except (KeyError, TypeError, ValueError):
            return None

    async def close(self) -> None:
        """Close connections."""
        await self._http.close()


async def _finished(request: asyncio.Task[Opened]) -> Opened:
    # Shielded: an interrupt must be heard by the server before its client hangs up.
    return await asyncio.shield(request)


def _throw_away(request: asyncio.Task[Opened]) -> None:
    """The answer to an interrupted job is a partial image without a mark: nobody must take it for a result."""
    if not request.done():
        request.cancel()
    elif not request.cancelled() and request.exception() is None:
        request.result().close()


def _items(value: Any) -> Iterable[tuple[int, Any]]:
    return enumerate(value) if isinstance(value, list) else ()


def _controlnet(scripts: Any) -> list[tuple[FieldPath, Any]]:
    """Images of ControlNet's units: `alwayson_scripts.controlnet.args[i].image`, as text or as `{image, mask}`."""
    found: list[tuple[FieldPath, Any]] = []
    for script, content in (scripts if isinstance(scripts, dict) else {}).items():
        if script.lower() != "controlnet" or not isinstance(content, dict):
            continue
        for i, unit in _items(content.get("args")):
            base: FieldPath = ("alwayson_scripts", script, "args", i)
            for name in _CONTROLNET_IMAGES if isinstance(unit, dict) else ():
                value = unit.get(name)
                inner = value.items() if isinstance(value, dict) else ()
                found += [((*base, name, key), text) for key, text in inner if key in ("image", "mask")]
                found.append(((*base, name), value))
    return found


def _put(body: Any, path: FieldPath, value: str) -> None:
    for step in path[:-1]:
        body = body[step]
    body[path[-1]] = value


async def _base64(data: bytes) -> str:
    if len(data) > _BESIDE:
        return await asyncio.to_thread(lambda: base64.b64encode(data).decode())
    return base64.b64encode(data).decode()
