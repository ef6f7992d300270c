"""Run the warm-up job that the release names, so that the first real job is as quick as the next."""

import asyncio

import structlog

from darkroom_contract.job import Job

from .errors import Failure
from .ports import Fetcher, Runtime, ignore_progress
from .story import clock
from .values import WarmUp

log = structlog.get_logger()

_LIMIT_SECONDS = 900  # loading a large model from a cold volume


async def warm_up(runtime: Runtime, inputs: Fetcher, wanted: WarmUp | None, runtime_name: str) -> None:
    """Run it and throw its images away. A warm-up that fails costs a slow first job, so it is told and no more."""
    if wanted is None:
        return
    began = clock()
    job = Job(id="warm-up", runtime=runtime_name, task=wanted.task, input=wanted.input)
    try:
        async with asyncio.timeout(_LIMIT_SECONDS):
            images = await inputs.fetch(runtime.image_fields(job))
            prepared = await runtime.prepare(job, 1, images)
            await (await runtime.run(prepared, ignore_progress))
    except (Failure, TimeoutError) as failure:
        log.error("runtime.warm_up_failed", error=str(failure) or "timeout")
    else:
        log.info("runtime.warm", seconds=round(clock() - began, 3))
