"""Jobs and workflows on a terminal. Pure.

All texts that come from outside go through `plain`: a prompt may hold a terminal's control codes, or rich's markup.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from darkroom_contract.api import JobView, QueueState, RuntimeView, Wait, WorkflowSummary
from darkroom_contract.job import State
from darkroom_contract.workflow import Parameter

from .texts import duration, plain
from .waterfall import waterfall

COLOURS = {
    State.QUEUED: "bright_black",
    State.RUNNING: "cyan",
    State.COMPLETED: "green",
    State.FAILED: "red",
    State.CANCELLED: "yellow",
    State.EXPIRED: "yellow",
}
_MARKS = {
    State.QUEUED: "○",
    State.RUNNING: "◐",
    State.COMPLETED: "●",
    State.FAILED: "✗",
    State.CANCELLED: "⊘",
    State.EXPIRED: "⊘",
}
_HEAD = "bright_black"


def state(job: JobView) -> Text:
    """A job's state in its colour, with how far it is."""
    done = f" {job.progress:.0%}" if job.progress is not None and not job.state.final else ""
    return Text(f"{_MARKS[job.state]} {job.state.value}{done}", style=COLOURS[job.state])


def waiting(queue: Wait | QueueState) -> str:
    """What a queued job waits for, in words."""
    about = queue.wait_seconds if isinstance(queue, Wait) else None
    return f"{queue.waiting} waiting, {queue.in_flight} at work" + (f", about {duration(about)}" if about else "")


def age(then: datetime | None, now: datetime) -> str:
    """How long ago, in whole units."""
    seconds = None if then is None else max(0.0, (now - then).total_seconds())
    return "–" if seconds is None else f"{seconds:.0f} s" if seconds < 10 else duration(seconds)


def whole_job(job: JobView) -> RenderableType:
    """All that a person wants to know of one job."""
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="bright_black", no_wrap=True)
    facts.add_column(overflow="fold")
    facts.add_row("job", Text(plain(job.id), style="bold"))
    facts.add_row("state", state(job))
    if job.error is not None:
        facts.add_row("error", Text(plain(f"{job.error.code}: {job.error.message}"), style="red"))
    facts.add_row("runtime", Text(plain(job.runtime)).append(f"  {job.task or 'unknown task'}", style="bright_black"))
    if job.attempt > 1:
        before = "1 attempt" if job.attempt == 2 else f"{job.attempt - 1} attempts"
        facts.add_row("attempt", Text(str(job.attempt)).append(f"  {before} before it, within queued", style=_HEAD))
    if job.submitted_at is not None:
        facts.add_row("submitted", f"{job.submitted_at:%Y-%m-%d %H:%M:%S %Z}")
    if job.queue is not None:
        facts.add_row("queue", waiting(job.queue))
    for name, text in (("tenant", job.tenant), ("trace", job.trace_id)):
        if text:
            facts.add_row(name, Text(plain(text)))
    for index, artifact in enumerate(job.artifacts):
        size = f"  {artifact.width}×{artifact.height}" if artifact.width else ""
        about = Text(f"{size}  {artifact.bytes / 1000:,.0f} kB", style="bright_black")
        facts.add_row("artifacts" if index == 0 else "", Text(plain(artifact.url)).append(about))
    return Group(facts, *waterfall(job))


def job_table(jobs: Iterable[JobView], now: datetime) -> RenderableType:
    """Jobs, a line each; ages are up to `now`."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style=_HEAD)
    table.add_column("job", overflow="fold")  # an id that is cut short is of no use
    table.add_column("state", no_wrap=True)
    table.add_column("runtime", overflow="fold")
    table.add_column("age", justify="right", no_wrap=True)
    table.add_column("files", justify="right")
    mistakes = []
    for job in jobs:
        files = str(len(job.artifacts)) if job.artifacts else ""
        table.add_row(Text(plain(job.id)), state(job), Text(plain(job.runtime)), age(job.submitted_at, now), files)
        if job.error is not None:
            name = (f"{plain(job.id)}  ", "bright_black")
            mistakes.append(Text.assemble(name, (plain(f"{job.error.code}: {job.error.message}"), "red")))
    if not table.row_count:
        return Text("no jobs", style="bright_black")
    return Group(table, Text(), *mistakes) if mistakes else table


def runtime_table(runtimes: Iterable[RuntimeView]) -> RenderableType:
    """Runtimes and how full their queues are."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style=_HEAD)
    for name in ("runtime", "type", "queue"):
        table.add_column(name, overflow="fold")
    for name in ("waiting", "at work", "oldest"):
        table.add_column(name, justify="right", no_wrap=True)
    for runtime in runtimes:
        for queue, depth in (("normal", runtime.queue), ("bulk", runtime.bulk_queue)):
            if depth is not None:
                oldest = "–" if depth.oldest_seconds is None else duration(depth.oldest_seconds)
                work = Text(str(depth.in_flight), style="cyan" if depth.in_flight else "")
                late = Text(str(depth.waiting), style="yellow" if depth.waiting and not depth.in_flight else "")
                table.add_row(Text(plain(runtime.name)), Text(plain(runtime.type)), queue, late, work, oldest)
            elif queue == "normal":
                table.add_row(Text(plain(runtime.name)), Text(plain(runtime.type)), queue, "?", "?", "?")
    return table if table.row_count else Text("no runtime is installed", style="bright_black")


def workflow_table(workflows: Iterable[WorkflowSummary]) -> Table:
    """Named workflows, a line each."""
    table = Table(
        "workflow",
        "title",
        "runtime",
        "task",
        "about",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        header_style=_HEAD,
    )
    for one in workflows:
        table.add_row(*(Text(text) for text in (one.name, one.title, one.runtime, one.task.value, one.description)))
    return table


def parameter_table(workflow: WorkflowSummary, parameters: Mapping[str, Parameter]) -> RenderableType:
    """A named workflow, and what its callers choose."""
    table = Table(
        "parameter",
        "type",
        "default",
        "may be",
        "about",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        header_style=_HEAD,
    )
    for name, one in parameters.items():
        about = ": ".join(text for text in (one.title, one.help) if text)
        table.add_row(name, one.type, Text(_default(one)), Text(_range(one)), Text(about))
    head = Text(f"{workflow.name}: {workflow.title}", style="bold")
    where = Text(f"{workflow.description}\n{workflow.task.value} on {workflow.runtime}".strip(), style="dim")
    return Group(head, where, table)


def _default(parameter: Parameter) -> str:
    if parameter.default is not None:
        return str(parameter.default)
    return "required" if parameter.required else "random" if parameter.seed else "as in the workflow"


def _range(parameter: Parameter) -> str:
    if parameter.choices:
        return ", ".join(str(choice) for choice in parameter.choices)
    low, high = (None if one is None else f"{one:.10g}" for one in (parameter.minimum, parameter.maximum))
    if low is not None and high is not None:
        return f"{low} … {high}"
    return f"≥ {low}" if low is not None else f"≤ {high}" if high is not None else ""
