"""The adapter for the OpenAI images API, as sd.cpp's server, vLLM-Omni, SGLang and LocalAI speak it.

The API knows no progress and no cancel. A job that is given up goes on inside the server: the adapter keeps its
request and its slot until then, and throws the answer away. Only where nothing but such jobs fills all slots is the
server not ready.
"""

import asyncio
from collections.abc import Mapping

from darkroom_agent.errors import RuntimeFailed, RuntimeGone, RuntimeWedged
from darkroom_agent.ports import FieldPath, InputImage, Prepared, Report, Result, RuntimeLimits
from darkroom_contract.job import Job, Task

from . import images as coded
from .http import Opened, RuntimeHttp
from .openai_answers import failure_of, images_of, response_of, serves_models
from .openai_request import encode, image_fields

_PATHS = {
    Task.TEXT_TO_IMAGE: "/v1/images/generations",
    Task.IMAGE_TO_IMAGE: "/v1/images/edits",
}
_PROBE_SECONDS = 5.0


class OpenAIImages:
    """One server. It may run several jobs at once where it batches: `slots` says how many, as the agent's own do."""

    tasks = frozenset(_PATHS)
    loaded_model = None

    def __init__(self, base_url: str, limits: RuntimeLimits, api_key: str | None = None, slots: int = 1) -> None:
        """`base_url` may hold `user:password@`; the paths begin with `/v1`. `api_key` is sent as a bearer token."""
        self._http = RuntimeHttp(base_url, limits.answer_bytes, api_key)
        self._limits = limits
        self._slots = slots
        self._free = asyncio.Semaphore(slots)
        self._given_up: dict[asyncio.Task[Opened], float] = {}
        """Requests that nobody waits for any more, and since when."""

    def image_fields(self, job: Job) -> list[tuple[FieldPath, str]]:
        """`image` and `mask` of an edit."""
        return image_fields(job.task, job.input)

    async def prepare(self, job: Job, attempt: int, images: Mapping[FieldPath, InputImage]) -> Prepared:
        """Write the request, with its images in it."""
        body = await encode(job.task, job.input, images)
        return Prepared(job, attempt, body.data, content_type=body.content_type)

    async def run(self, prepared: Prepared, report: Report) -> asyncio.Task[Result]:
        """Run one request; the head of its answer comes when the work is done. Nothing is ever reported."""
        await self._free.acquire()  # the agent's slot is ours, but a job that was given up may still have the server's
        request = asyncio.create_task(
            self._http.open(
                "POST", _PATHS[prepared.job.task], body=prepared.payload, content_type=prepared.content_type
            )
        )
        request.add_done_callback(lambda _: self._free.release())
        try:
            opened = await asyncio.shield(request)
        except asyncio.CancelledError:
            await asyncio.shield(self._give_up(request))
            raise
        if opened.status != 200:
            raise failure_of(await opened.read())
        return asyncio.create_task(_result(opened))

    async def _give_up(self, request: asyncio.Task[Opened]) -> None:
        """Wait for a job that cannot be stopped to end by itself, and remember it if it takes too long."""
        self._given_up[request] = asyncio.get_running_loop().time()
        request.add_done_callback(self._thrown_away)
        await asyncio.wait((request,), timeout=self._limits.interrupt_seconds)

    def _thrown_away(self, request: asyncio.Task[Opened]) -> None:
        """The answer to a job that was given up: nobody must take it for a result."""
        self._given_up.pop(request, None)
        if not request.cancelled() and request.exception() is None:
            request.result().close()

    async def probe(self) -> None:
        """Ask for the models; a server that works on nothing but what was given up is not ready, or wedged in the end.

        Where one slot is free or runs a job that somebody waits for, a restart would cost more than it frees.
        """
        if len(self._given_up) >= self._slots:
            seconds = asyncio.get_running_loop().time() - max(self._given_up.values())
            if seconds >= self._limits.stall_seconds:
                raise RuntimeWedged(f"no job that was given up has ended within {seconds:.0f} s")
            raise RuntimeGone("it still works on what was given up, for this API cannot cancel")
        reply = await self._http.request("GET", "/v1/models", seconds=_PROBE_SECONDS)
        if reply.status == 404:
            raise RuntimeGone("what listens there does not speak the OpenAI API (no /v1/models)")
        if not serves_models(reply):
            raise RuntimeGone(f"GET /v1/models: {failure_of(reply).message}")

    async def free_memory(self) -> None:
        """There is no way to ask for it."""

    async def memory_bytes(self) -> int | None:
        """The server does not tell."""
        return None

    async def close(self) -> None:
        """Close connections; what was given up is left alone."""
        for request in tuple(self._given_up):
            request.cancel()
        await asyncio.gather(*self._given_up, return_exceptions=True)
        await self._http.close()


async def _result(opened: Opened) -> Result:
    answer = (await opened.read()).json()
    if not isinstance(answer, dict):
        raise RuntimeFailed("the runtime's answer is no object")
    return Result(await coded.decode(images_of(answer)), response_of(answer))
