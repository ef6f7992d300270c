"""The answers as a table: in the terminal, and in the documentation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rich.table import Table

from .answers import Answer
from .parameters import Parameters
from .questions import Case, Question

_HEADS = ("wait p50", "p95", "p99", "$ for 1,000", "GPU busy")
BEGIN, END = "<!-- Made by `make simulate`. -->", "<!-- End of what `make simulate` makes. -->"


def terminal(questions: Sequence[Question], found: Mapping[Parameters, Answer]) -> Table:
    """For the terminal; what the chart has is bold."""
    table = Table(title="A day of traffic with bursts, one knob at a time", title_justify="left")
    table.add_column("knob", no_wrap=False, overflow="fold")
    table.add_column("setting", justify="right")
    for head in _HEADS:
        table.add_column(head, justify="right")
    for question in questions:
        for first, case, cells in _rows(question, found):
            table.add_row(question.knob if first else "", case.label, *cells, style="bold" if case.usual else None)
        table.add_section()
    return table


def markdown(questions: Sequence[Question], found: Mapping[Parameters, Answer]) -> str:
    """For the documentation; what the chart has is bold."""
    lines = [f"| knob | setting | {' | '.join(_HEADS)} |", f"|---|---|{'---|' * len(_HEADS)}"]
    for question in questions:
        for first, case, cells in _rows(question, found):
            knob = f"{question.title} `{question.knob}`" if first else ""
            label = f"**{case.label}**" if case.usual else case.label
            lines.append(f"| {knob} | {label} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _rows(question: Question, found: Mapping[Parameters, Answer]) -> Iterator[tuple[bool, Case, list[str]]]:
    for number, case in enumerate(question.cases):
        one = found[case.parameters]
        waits = [f"{wait:.1f} s" if wait < 10 else f"{wait:.0f} s" for wait in (one.p50, one.p95, one.p99)]
        yield number == 0, case, [*waits, f"{one.dollars:.2f}", f"{one.busy:.0%}"]
