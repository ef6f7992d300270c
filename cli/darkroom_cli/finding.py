"""What a check of an installation found, and how it is shown. Pure."""

from collections.abc import Callable, Iterable
from enum import StrEnum

from msgspec import Struct
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from .failures import DarkroomError
from .texts import plain


class Verdict(StrEnum):
    """How it stands with what was checked."""

    FINE = "fine"
    WARNING = "warning"
    WRONG = "wrong"
    SKIPPED = "skipped"


class Finding(Struct, frozen=True, kw_only=True):
    """What was checked, what was seen, and where something is to be done, why it matters and what to do."""

    name: str
    verdict: Verdict
    seen: str
    why: str | None = None
    todo: str | None = None


_MARKS = {
    Verdict.FINE: ("✓", "green"),
    Verdict.WARNING: ("!", "yellow"),
    Verdict.WRONG: ("✗", "red"),
    Verdict.SKIPPED: ("–", "bright_black"),
}


def fine(name: str, seen: str) -> Finding:
    """All is well."""
    return Finding(name=name, verdict=Verdict.FINE, seen=seen)


def warning(name: str, seen: str, why: str, todo: str) -> Finding:
    """Something that somebody should look at."""
    return Finding(name=name, verdict=Verdict.WARNING, seen=seen, why=why, todo=todo)


def wrong(name: str, seen: str, why: str, todo: str) -> Finding:
    """Something that does not work."""
    return Finding(name=name, verdict=Verdict.WRONG, seen=seen, why=why, todo=todo)


def skipped(name: str, seen: str, todo: str | None = None) -> Finding:
    """Something that could not be looked at."""
    return Finding(name=name, verdict=Verdict.SKIPPED, seen=seen, todo=todo)


def tried(name: str, why: str, todo: str, look: Callable[[], Finding]) -> Finding:
    """What a look finds; where it fails, that is what is wrong."""
    try:
        return look()
    except DarkroomError as error:
        return wrong(name, str(error), why, todo)


def report(findings: Iterable[Finding]) -> RenderableType:
    """All of them, a line each, with what to do below; and the sum."""
    table = Table.grid(padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    counts = dict.fromkeys(Verdict, 0)
    for one in findings:
        counts[one.verdict] += 1
        mark, colour = _MARKS[one.verdict]
        dim = "bright_black" if one.verdict is Verdict.SKIPPED else ""
        about = Text.assemble((plain(one.seen), dim or (colour if one.verdict is not Verdict.FINE else "")))
        if one.why:
            about.append(f"\n{one.why}", style="bright_black")
        if one.todo:
            about.append("\n→ ", style="bold").append(one.todo)
        table.add_row(Text(mark, style=f"bold {colour}"), Text(f"{plain(one.name)} ", style=dim or "bold"), about)
    sums = (Text(f"{number} {verdict}", style=_MARKS[verdict][1]) for verdict, number in counts.items() if number)
    return Group(table, Text(), Text("  ").join(sums))
