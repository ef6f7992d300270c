"""The adapter for AUTOMATIC1111's WebUI API, and for those that speak it: Forge, reForge, SD.Next, sd.cpp's server."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

import msgspec
import structlog

from darkroom_agent.errors import Failure, RuntimeFailed, RuntimeGone, RuntimeWedged
from darkroom_agent.guarded import guarded
from darkroom_agent.ports import FieldPath, InputImage, Prepared, Report, Result, RuntimeLimits
from darkroom_contract.job import Job, Task

from . import images as coded
from .http import Opened, RuntimeHttp
from .sdwebui_answers import failure_of, images_of, response_of
from .sdwebui_calls import Calls, Progress
from .sdwebui_catalogue import plain
from .sdwebui_process import Process
from .sdwebui_request import CHECKPOINT, checkpoint_of, image_fields, overrides, with_values

log = structlog.get_logger()

_PATHS = {
    Task.TEXT_TO_IMAGE: "/sdapi/v1/txt2img",
    Task.IMAGE_TO_IMAGE: "/sdapi/v1/img2img",
    Task.EXTRA_SINGLE_IMAGE: "/sdapi/v1/extra-single-image",
    Task.EXTRA_BATCH_IMAGES: "/sdapi/v1/extra-batch-images",
}
_AGAIN_SECONDS = 1.0  # between two interrupts of one job: one that comes before it has begun is lost
_IDLE_LOOK_SECONDS = 0.2


class SDWebUI:
    """One WebUI. It runs one job at a time, and further requests wait inside it: the agent's slots keep them out."""

    tasks = frozenset(_PATHS)

    def __init__(self, base_url: str, limits: RuntimeLimits, *, dynamic_model: bool = False) -> None:
        """`base_url` may hold `user:password@`. `dynamic_model`: switch to the checkpoint that a job names."""
        self._http = RuntimeHttp(base_url, limits.answer_bytes)
        self._calls = Calls(self._http)
        self._limits = limits
        self._dynamic_model = dynamic_model
        self._process = Process(self._calls)
        self._running = 0

    @property
    def loaded_model(self) -> str | None:
        """The checkpoint that is known to be loaded, by its plain name as in `Prepared.model`."""
        return None if self._process.loaded is None else plain(self._process.loaded)

    def image_fields(self, job: Job) -> list[tuple[FieldPath, str]]:
        """`init_images`, `mask`, `image`, `imageList`, and ControlNet's units. Nothing else is ever fetched."""
        return image_fields(job.task, job.input)

    async def prepare(self, job: Job, attempt: int, images: Mapping[FieldPath, InputImage]) -> Prepared:
        """Put the images into the request, as base64."""
        body = with_values(job.input, {path: await coded.encode(image.data) for path, image in images.items()})
        settings, wanted = overrides(body), checkpoint_of(body)
        if settings:
            if self._dynamic_model:
                # The switch is made before the run: as an override an unknown name is passed over in silence.
                settings = {key: value for key, value in settings.items() if key != CHECKPOINT}
            body |= {"override_settings": settings, "override_settings_restore_afterwards": True}
        return Prepared(job, attempt, msgspec.json.encode(body), model=None if wanted is None else plain(wanted))

    async def run(self, prepared: Prepared, report: Report) -> asyncio.Task[Result]:
        """Run one request; the head of its answer comes when the work is done.

        Files come in the answer's order, so that `info.infotexts[i]` is of file i: a grid is the first of them, before
        `info.index_of_first_image`.
        """
        with self._one_process():
            body = prepared.job.input
            await self._process.check_choices(body)
            wanted = checkpoint_of(body)
            if self._dynamic_model and wanted is not None:
                await self._process.switch(wanted)
            await self._process.pin_options(body)
            opened = await self._ask(prepared, report)
            if opened.status != 200:
                raise failure_of(await opened.read())
        return asyncio.create_task(self._result(prepared.job, opened))

    @contextmanager
    def _one_process(self) -> Iterator[None]:
        try:
            yield
        except RuntimeGone:
            self._process = Process(self._calls)
            raise

    async def _ask(self, prepared: Prepared, report: Report) -> Opened:
        request = asyncio.create_task(self._http.open("POST", _PATHS[prepared.job.task], body=prepared.payload))
        self._running += 1
        try:
            return await guarded(_finished(request), self._follow(report))
        except asyncio.CancelledError:
            await asyncio.shield(self._stop(request))
            raise
        except RuntimeWedged as wedged:
            if await asyncio.shield(self._stop(request)):
                raise RuntimeFailed(f"{wedged.message}; the job was interrupted") from None
            raise
        finally:
            self._running -= 1

    async def _follow(self, report: Report) -> None:
        """Guard a run: report its progress, and find out when nothing moves any more.

        Loading a checkpoint and decoding by the VAE show no progress: `stall_seconds` must be longer than those take.
        """
        now = asyncio.get_running_loop().time
        last, moved = None, now()
        while self._process.has_progress:
            await asyncio.sleep(self._limits.poll_seconds)
            state = await self._look()
            if state is not None and state != last:
                last, moved = state, now()
                report(min(max(state.progress, 0.0), 1.0))
            elif now() - moved > self._limits.stall_seconds:
                raise RuntimeWedged(f"no progress for {self._limits.stall_seconds:g} s")

    async def _look(self) -> Progress | None:
        try:
            state = await self._calls.progress()
        except Failure:
            return None  # the request itself will tell
        self._process.has_progress = state is not None
        return state

    async def _stop(self, request: asyncio.Task[Opened]) -> bool:
        """Interrupt a job, and wait until it has been answered; whether it was."""
        try:
            async with asyncio.timeout(self._limits.interrupt_seconds):
                while not request.done():
                    with suppress(Failure):
                        await self._calls.interrupt()
                    await asyncio.wait((request,), timeout=_AGAIN_SECONDS)
        except TimeoutError:
            self._process.stuck = f"an interrupted job did not stop within {self._limits.interrupt_seconds:g} s"
            return False
        finally:
            _throw_away(request)
        return True

    async def _result(self, job: Job, opened: Opened) -> Result:
        with self._one_process():
            answer = (await opened.read()).json()
            if not isinstance(answer, dict):
                raise RuntimeFailed("the runtime's answer is no object")
            response, images = response_of(job.task, answer), images_of(answer)
            if not images and job.input.get("send_images") is not False:
                raise RuntimeFailed("the runtime answered without an image", response=response)
            self._process.check_sampler(job.input, response)
            await self._process.check_checkpoint(job, response, switched=self._dynamic_model)
        return Result(await coded.decode(images), response)

    async def probe(self) -> None:
        """Ask gently. A job that nobody waits for any more (its client has left) is interrupted first."""
        try:
            with self._one_process():
                await self._probe()
        except (RuntimeGone, RuntimeWedged):
            raise
        except Failure as failure:
            raise RuntimeGone(failure.message, response=failure.response) from failure

    async def _probe(self) -> None:
        state = await self._calls.progress()
        self._process.has_progress = state is not None
        if state is None and await self._calls.options() is None:
            raise RuntimeGone("what listens there does not speak the sdwebui API (A1111 needs --api)")
        stuck = self._process.stuck
        if state is None or not state.busy:
            self._process.stuck = None
        if stuck is not None and (state is None or state.busy):
            raise RuntimeWedged(stuck)
        if state is not None and state.busy and not self._running:
            await self._interrupt_ghost()

    async def _interrupt_ghost(self) -> None:
        """Have the server leave a job of a client that left; without that it works on (recorded).

        One that does not stop is not taken for wedged: A1111 shows a failed upscale as running until the next job.
        """
        log.warning("runtime.busy_for_nobody")
        with suppress(TimeoutError):
            async with asyncio.timeout(self._limits.interrupt_seconds):
                while (state := await self._calls.progress()) is not None and state.busy:
                    await self._calls.interrupt()
                    await asyncio.sleep(_IDLE_LOOK_SECONDS)  # the server tells nobody when it is idle

    async def free_memory(self) -> None:
        """Take the checkpoint off the GPU and put it back."""
        await self._calls.reload_checkpoint()

    async def memory_bytes(self) -> int | None:
        """Resident memory of the server's process."""
        return await self._calls.used_memory()

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
