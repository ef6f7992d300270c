"""Many at once: requests sixteen at a time, jobs watched to their end with a bar each."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from darkroom_contract.api import JobView
from darkroom_contract.job import State, now

from .client import Client
from .failures import DarkroomError, NotReachable
from .show import COLOURS, job_table, whole_job
from .terminal import errors, tell, tell_failure
from .texts import duration, plain

_AT_ONCE = 16
_SHORTEST_BAR = 16  # fewer are done before a bar could be read


async def many[V, R](
    values: Sequence[V],
    act: Callable[[V], Awaitable[R]],
    what: str,
    progress: Progress | None = None,
    each: Callable[[R], None] = lambda _: None,
) -> list[R | DarkroomError]:
    """Do something for all, sixteen at a time; for each, in order, what came of it, or what went wrong.

    One failure does not stop the others, but an API that is not reachable does: the rest is not tried. `progress` is
    where a bar is shown; without one there is a bar where there are many. `each` hears of what went well as it goes,
    in order: who is interrupted knows how far it came.
    """
    slots = asyncio.Semaphore(_AT_ONCE)
    lost: NotReachable | None = None
    in_turn = _InTurn(each)
    with progress or _bar_for(len(values)) as shown:
        bar = shown.add_task(what, total=len(values), state="")

        async def one(index: int, value: V) -> R | DarkroomError:
            nonlocal lost
            async with slots:
                outcome: R | DarkroomError
                try:
                    outcome = lost or await act(value)
                except DarkroomError as error:
                    lost = error if isinstance(error, NotReachable) else lost
                    outcome = error
            shown.advance(bar)
            in_turn.take(index, outcome)
            return outcome

        return await asyncio.gather(*(one(index, value) for index, value in enumerate(values)))


def _bar_for(number: int) -> Progress:
    return Progress(
        *(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()),
        console=errors,
        transient=True,
        disable=number < _SHORTEST_BAR,
        redirect_stdout=False,  # results may go to a file while the bar is on the terminal
    )


class _InTurn[R]:
    """Passes outcomes on in their order, whatever order they come in."""

    def __init__(self, each: Callable[[R], None]) -> None:
        self._each = each
        self._waiting: dict[int, R | DarkroomError] = {}
        self._next = 0

    def take(self, index: int, outcome: R | DarkroomError) -> None:
        """Keep an outcome until its turn; pass on those whose turn it is."""
        self._waiting[index] = outcome
        while self._next in self._waiting:
            ready = self._waiting.pop(self._next)
            self._next += 1
            if not isinstance(ready, DarkroomError):
                self._each(ready)


def sift[R](outcomes: Sequence[R | DarkroomError], names: Sequence[str]) -> tuple[list[R], int]:
    """Say what went wrong, by its name, the same reason again only counted; what went well, and the exit status."""
    good, status, said = [], 0, dict[str, int]()
    for outcome, name in zip(outcomes, names, strict=True):
        if not isinstance(outcome, DarkroomError):
            good.append(outcome)
            continue
        status = max(status, outcome.exit_status)
        times = said[str(outcome)] = said.get(str(outcome), 0) + 1
        if times == 1:
            tell_failure(outcome, name)
    for reason, times in said.items():
        if times > 1:
            errors.print(Text(f"and {times - 1} more: {plain(reason)}", style="red"), soft_wrap=True)
    return good, status


async def until_ended(darkroom: Client, ids: Sequence[str], folder: Path | None, *, as_json: bool) -> int:
    """Watch jobs to their end, save what they made, and tell; the exit status, 1 if one did not complete."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(16), TextColumn("{task.fields[state]}"))
    progress = Progress(*columns, TimeElapsedColumn(), console=errors, transient=True)

    async def one(job_id: str) -> tuple[JobView, tuple[Path, ...]]:
        bar = progress.add_task(escape(plain(job_id)), total=1.0, state="")
        try:
            async for job in darkroom.watch(job_id):
                done = 1.0 if job.state.final else job.progress or 0.0
                wait = job.queue and job.queue.wait_seconds
                about = f"{job.state}, about {duration(wait)}" if wait else job.state.value
                progress.update(bar, completed=done, state=f"[{COLOURS[job.state]}]{about}")
            return job, await darkroom.save(job, folder) if folder is not None else ()
        finally:
            progress.remove_task(bar)

    outcomes = await many(ids, one, f"{len(ids)} {'job' if len(ids) == 1 else 'jobs'}", progress)
    ended, status = sift(outcomes, ids)
    jobs = [job for job, _ in ended]
    if jobs:
        tell(jobs, whole_job(jobs[0]) if len(ids) == 1 else job_table(jobs, now()), as_json=as_json)
    if folder is not None:
        files = sum(len(saved) for _, saved in ended)
        errors.print(Text(f"{files} {'file' if files == 1 else 'files'} in {plain(str(folder))}"), soft_wrap=True)
    return max(status, 0 if all(job.state is State.COMPLETED for job in jobs) else 1)
