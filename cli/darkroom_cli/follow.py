"""Many at once: requests sixteen at a time, jobs watched to their end with a bar each."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from darkroom_contract.api import JobView
from darkroom_contract.job import State

from .client import Client
from .show import COLOURS, job_table, whole_job
from .terminal import errors, tell

_AT_ONCE = 16


async def many[V, R](values: Sequence[V], act: Callable[[V], Awaitable[R]], what: str) -> list[R]:
    """Do something for all, sixteen at a time, with a bar where there are many."""
    slots = asyncio.Semaphore(_AT_ONCE)
    with Progress(console=errors, transient=True, disable=len(values) < _AT_ONCE) as progress:
        bar = progress.add_task(what, total=len(values))

        async def one(value: V) -> R:
            async with slots:
                result = await act(value)
            progress.advance(bar)
            return result

        return await asyncio.gather(*(one(value) for value in values))


async def until_ended(darkroom: Client, ids: Sequence[str], folder: Path | None, *, as_json: bool) -> int:
    """Watch jobs to their end, save what they made, and tell; 1 if one did not complete."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(20), TextColumn("{task.fields[state]}"))
    with Progress(*columns, TimeElapsedColumn(), console=errors, transient=True) as progress:

        async def one(job_id: str) -> JobView:
            bar = progress.add_task(job_id, total=1.0, state="queued")
            async for job in darkroom.watch(job_id):
                done = 1.0 if job.state.final else job.progress or 0.0
                shown = f"[{COLOURS.get(job.state.value, 'dim')}]{job.state.value}"
                progress.update(bar, completed=done, state=shown)
            if folder is not None:
                await darkroom.save(job, folder)
            progress.update(bar, visible=False)
            return job

        jobs = await many(ids, one, "waiting")
    tell(jobs if len(jobs) > 1 else jobs[0], job_table(jobs) if len(jobs) > 1 else whole_job(jobs[0]), as_json=as_json)
    if folder is not None:
        errors.print(f"saved in {folder}", highlight=False)
    return 0 if all(job.state is State.COMPLETED for job in jobs) else 1
