"""Jobs on a terminal: tables, and the seconds of each stage as a waterfall. Pure: values in, renderables out."""

from collections.abc import Iterable, Mapping

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from darkroom_contract.api import JobView, RuntimeView, WorkflowSummary
from darkroom_contract.document import Timings
from darkroom_contract.workflow import Parameter

COLOURS = {"completed": "green", "failed": "red", "cancelled": "yellow", "expired": "yellow", "running": "cyan"}
_WIDTH = 40  # columns of the whole time


def state(job: JobView) -> Text:
    """A job's state in its colour, with how far it is."""
    done = f" {job.progress:.0%}" if job.progress is not None and not job.state.final else ""
    return Text(f"{job.state.value}{done}", style=COLOURS.get(job.state.value, "dim"))


def whole_job(job: JobView) -> RenderableType:
    """All that a person wants to know of one job."""
    facts = Table.grid(padding=(0, 2))
    facts.add_row("job", job.id)
    facts.add_row("state", state(job))
    facts.add_row("runtime", f"{job.runtime} ({job.task.value if job.task else 'unknown task'})")
    facts.add_row("attempt", str(job.attempt))
    if job.error is not None:
        facts.add_row("error", Text(f"{job.error.code}: {job.error.message}", style="red"))
    if job.queue is not None:
        about = "" if job.queue.wait_seconds is None else f", about {job.queue.wait_seconds:.0f} s"
        facts.add_row("queue", f"{job.queue.waiting} waiting, {job.queue.in_flight} in work{about}")
    for artifact in job.artifacts:
        size = f"{artifact.width}×{artifact.height}, " if artifact.width else ""
        facts.add_row("artifact", f"{artifact.url} ({size}{artifact.bytes / 1000:.0f} kB)")
    return Group(facts, waterfall(job.timings))


def waterfall(timings: Timings) -> RenderableType:
    """One bar a stage, each where it began; ComfyUI's nodes below the runtime."""
    stages = [(name, getattr(timings, name) or 0.0) for name in ("queued", "prepare", "runtime", "store")]
    total = sum(seconds for _, seconds in stages)
    if not total:
        return Text()
    table = Table.grid(padding=(0, 2))
    begun = 0.0
    for name, seconds in stages:
        table.add_row(name, _bar(begun / total, seconds / total, "cyan"), f"{seconds:.2f} s")
        if name == "runtime":
            for node, taken in sorted((timings.nodes or {}).items(), key=lambda one: -one[1])[:8]:
                table.add_row(f"  node {node}", _bar(begun / total, taken / total, "blue"), f"{taken:.2f} s")
        begun += seconds
    return table


def _bar(start: float, length: float, colour: str) -> Text:
    before = min(round(start * _WIDTH), _WIDTH - 1)
    wide = max(1, min(round(length * _WIDTH), _WIDTH - before))
    return Text(" " * before).append("█" * wide, style=colour).append(" " * (_WIDTH - before - wide))


def job_table(jobs: Iterable[JobView]) -> Table:
    """Jobs, a line each."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("job", overflow="fold")  # an id that is cut short is of no use
    for name in ("state", "runtime", "submitted"):
        table.add_column(name)
    table.add_column("files", justify="right")
    for job in jobs:
        at = job.submitted_at.strftime("%Y-%m-%d %H:%M:%S") if job.submitted_at else "–"
        table.add_row(job.id, state(job), job.runtime, at, str(len(job.artifacts)))
    return table


def runtime_table(runtimes: Iterable[RuntimeView]) -> Table:
    """Runtimes and how full their queues are."""
    table = Table("runtime", "type", "queue", box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("waiting", "in work", "oldest s"):
        table.add_column(name, justify="right")
    for runtime in runtimes:
        for queue, depth in (("normal", runtime.queue), ("bulk", runtime.bulk_queue)):
            if depth is not None:
                oldest = "–" if depth.oldest_seconds is None else f"{depth.oldest_seconds:.0f}"
                table.add_row(runtime.name, runtime.type, queue, str(depth.waiting), str(depth.in_flight), oldest)
    return table


def workflow_table(workflows: Iterable[WorkflowSummary]) -> Table:
    """Named workflows, a line each."""
    table = Table("workflow", "title", "runtime", "task", "about", box=box.SIMPLE_HEAD, pad_edge=False)
    for one in workflows:
        table.add_row(*(Text(text) for text in (one.name, one.title, one.runtime, one.task.value, one.description)))
    return table


def parameter_table(workflow: WorkflowSummary, parameters: Mapping[str, Parameter]) -> RenderableType:
    """A named workflow, and what its callers choose."""
    table = Table("parameter", "type", "default", "may be", "about", box=box.SIMPLE_HEAD, pad_edge=False)
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
