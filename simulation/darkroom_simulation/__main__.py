"""`python -m darkroom_simulation`: a day of traffic for every setting of every knob, as a table.

With --write the documentation's table and plots are made anew; with --check it is said whether they are up to date.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from .answers import Answer, answers
from .day import run
from .parameters import Parameters
from .plots import burst, choices
from .published import defaults
from .questions import Question, questions
from .tables import BEGIN, END, markdown, terminal
from .traffic import Arrival, Traffic

_ROOT = Path(__file__).parents[2]
_PAGE = _ROOT / "docs" / "discussion" / "scale-simulation.md"
_IMAGES = _ROOT / "docs" / "images"


def main(arguments: Sequence[str] | None = None) -> int:
    """Ask, show, and write or check; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m darkroom_simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=3, help="days for each setting, each by another chance")
    parser.add_argument("--scale", type=float, default=1.0, help="so many times the traffic (and a tenth is quick)")
    parser.add_argument("--write", action="store_true", help="make the documentation's table and plots anew")
    parser.add_argument("--check", action="store_true", help="say whether they are up to date")
    options = parser.parse_args(arguments)
    console, asked = Console(), questions()
    found = _answers(console, asked, _traffic(options.scale), range(1, options.seeds + 1))
    console.print(terminal(asked, found))
    console.print("Bold: what the chart has. Waits are from the sending of a job to its start on a GPU.", style="dim")
    if not (options.write or options.check):
        return 0
    pages = _pages(asked, found)
    stale = [path for path, text in pages.items() if not path.exists() or path.read_text() != text]
    for path in stale:
        if options.write:
            path.write_text(pages[path])
        else:
            console.print(f"{path.relative_to(_ROOT)} is out of date: run `make simulate`")
    return 1 if stale and options.check else 0


def _traffic(scale: float) -> Traffic:
    usual = Traffic()
    return replace(
        usual,
        night_per_hour=usual.night_per_hour * scale,
        noon_per_hour=usual.noon_per_hour * scale,
        burst_jobs=round(usual.burst_jobs * scale),
    )


def _answers(
    console: Console, asked: Sequence[Question], traffic: Traffic, seeds: Sequence[int]
) -> Mapping[Parameters, Answer]:
    cases = [case.parameters for question in asked for case in question.cases]
    columns = (TextColumn("simulating"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=len(set(cases)))
        return answers(cases, traffic, seeds, lambda: progress.advance(task))


def _pages(asked: Sequence[Question], found: Mapping[Parameters, Answer]) -> dict[Path, str]:
    """What is in the documentation, by path."""
    made = f"{BEGIN}\n\n{markdown(asked, found)}\n\n{END}"
    page = re.sub(f"{re.escape(BEGIN)}.*{re.escape(END)}", lambda _: made, _PAGE.read_text(), flags=re.DOTALL)
    one = [Arrival(600 + number * 0.4, 5.0) for number in range(150)]
    return {
        _PAGE: page,
        _IMAGES / "simulation-burst.svg": burst(run(defaults(), one, 1), 540, 1260),
        _IMAGES / "simulation-choices.svg": choices(asked, found),
    }


if __name__ == "__main__":
    sys.exit(main())
