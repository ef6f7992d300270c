"""Where the time of a job went, stage by stage, as a waterfall. Pure."""

from collections.abc import Iterable
from datetime import datetime

from rich.bar import Bar
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from darkroom_contract.document import JobDocument

from .texts import plain

_WIDTH = 44  # columns of the whole time
_MOST_NODES = 8
_LEAST = 0.01  # seconds; of what is only reckoned, less is the clock's
_COLOURS = {
    "queued": "bright_black",
    "prepare": "yellow",
    "wait": "bright_black",
    "runtime": "cyan",
    "collect": "blue",
    "store": "magenta",
}


def stages_of(job: JobDocument) -> dict[str, float]:
    """Seconds of each stage in their order; empty where no time is known.

    `wait` (for the GPU) and `collect` (the result, and its conversion) are what lies between the others' moments.
    """
    known = job.timings
    if not any((known.queued, known.prepare, known.runtime, known.store)):
        return {}
    queued, prepare, runtime = known.queued or 0.0, known.prepare or 0.0, known.runtime or 0.0
    wait = _between(job.submitted_at, job.started_at) - queued - prepare
    collect = _between(job.started_at, job.finished_at) - runtime
    given = {"queued": queued, "prepare": prepare, "wait": wait, "runtime": runtime, "collect": collect}
    given["store"] = known.store or 0.0
    return {name: seconds for name, seconds in given.items() if name not in ("wait", "collect") or seconds >= _LEAST}


def waterfall(job: JobDocument) -> Iterable[RenderableType]:
    """One bar a stage, each where it began; ComfyUI's nodes, the longest first, below the runtime."""
    stages = stages_of(job)
    total = sum(stages.values())
    if not total:
        return
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bright_black", no_wrap=True)
    table.add_column(width=_WIDTH)
    table.add_column(justify="right", no_wrap=True)
    begun = 0.0
    for name, seconds in stages.items():
        table.add_row(name, Bar(total, begun, begun + seconds, color=_COLOURS[name]), f"{seconds:.2f} s")
        if name == "runtime":
            for label, taken in _nodes(job):
                bar = Bar(total, begun, min(begun + taken, total), color="blue")
                table.add_row(Text(f"  {plain(label)}"), bar, f"{taken:.2f} s")
        begun += seconds
    table.add_row("total", "", Text(f"{total:.2f} s", style="bold"))
    yield Text()
    yield table


def _nodes(job: JobDocument) -> list[tuple[str, float]]:
    """The longest of ComfyUI's nodes, by what they are where that is known."""
    classes = job.timings.node_classes or {}
    nodes = sorted((job.timings.nodes or {}).items(), key=lambda one: -one[1])
    return [(f"{classes.get(node, 'node')[:28]} {node[:12]}", taken) for node, taken in nodes[:_MOST_NODES]]


def _between(begin: datetime | None, end: datetime | None) -> float:
    return (end - begin).total_seconds() if begin and end else 0.0
