"""Plots as SVG, for light and dark pages: a burst from nothing, and what each knob trades."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape

from .answers import Answer
from .day import Outcome
from .parameters import Parameters
from .questions import Question

_STYLE = """<style>
text{font:12px system-ui,sans-serif;fill:#57606a}.t{font-weight:600;fill:#24292f}.bg{fill:#fff}.g{stroke:#d0d7de}
.l{fill:none;stroke-width:2}
.w{stroke:#bf5b04}.p{stroke:#0969da}.b{stroke:#1a7f37}.n{stroke:#8250df;stroke-dasharray:5 3}
.c{stroke:#0969da;stroke-width:1.5;opacity:.5}.d{fill:#fff;stroke:#0969da;stroke-width:2}.u{fill:#0969da}
text.p{fill:#0969da;stroke:none}text.b{fill:#1a7f37;stroke:none}text.n{fill:#8250df;stroke:none}
@media(prefers-color-scheme:dark){
.bg,.d{fill:#0d1117}text{fill:#9da7b3}.t{fill:#e6edf3}.g{stroke:#30363d}.u{fill:#0969da}}
</style>"""

_HEAD, _ROW = 26, 16

type Point = tuple[float, float]


def burst(outcome: Outcome, begin: float, end: float) -> str:
    """Waiting jobs, pods, nodes and busy GPUs, from one moment to another."""
    samples = [one for one in outcome.samples if begin <= one.at <= end]
    upper = Frame(60, 40, 680, 150, (0, end - begin), (0, _above(max(one.waiting for one in samples))))
    lower = Frame(60, 250, 680, 150, (0, end - begin), (0, _above(max(max(one.nodes, one.pods) for one in samples))))
    series: dict[str, Callable[[int], float]] = {
        "n": lambda at: samples[at].nodes, "p": lambda at: samples[at].pods, "b": lambda at: samples[at].busy,
    }  # fmt: skip
    times = [one.at - begin for one in samples]
    body = [
        _text(60, 24, "Jobs that wait", "t"),
        upper.grid(lambda y: f"{y:.0f}", _minutes),
        upper.line([(at, one.waiting) for at, one in zip(times, samples, strict=True)], "l w"),
        _text(60, 234, "Nodes", "t n"), _text(115, 234, "pods wanted", "t p"), _text(210, 234, "GPUs at work", "t b"),
        lower.grid(lambda y: f"{y:.0f}", _minutes),
        *(lower.line([(at, value(n)) for n, at in enumerate(times)], f"l {name}") for name, value in series.items()),
    ]  # fmt: skip
    return _svg(780, 440, body)


def choices(questions: Sequence[Question], found: Mapping[Parameters, Answer]) -> str:
    """A row for each setting: its waits (p50, p95, p99) and its price; what the chart has is filled."""
    every = [found[case.parameters] for question in questions for case in question.cases]
    seconds, dollars = _above(max(one.p99 for one in every)), _above(max(one.dollars for one in every))
    bottom = 48 + sum(_HEAD + _ROW * len(question.cases) for question in questions)
    waits = Frame(130, 40, 400, bottom - 40, (0, seconds), (0, 1))
    prices = Frame(570, 40, 190, bottom - 40, (0, dollars), (0, 1))
    body = [
        _text(130, 24, "Wait: p50, p95 and p99", "t"), _text(570, 24, "$ for 1,000 images", "t"),
        waits.rules(lambda x: f"{x:.0f} s", 4), prices.rules(lambda x: f"${x:.0f}", 2),
    ]  # fmt: skip
    y = 48.0
    for question in questions:
        y += _HEAD
        body.append(_text(12, y - 7, question.knob, "t"))
        for case in question.cases:
            one = found[case.parameters]
            kind = "d u" if case.usual else "d"
            across = [waits.at((wait, 0))[0] for wait in (one.p50, one.p95, one.p99)]
            body.append(_text(118, y + 11, case.label, "t" if case.usual else "", "end"))
            body.append(_line(across[0], y + 7, across[2], y + 7, "c"))
            body += [f'<circle class="{kind}" cx="{x:.1f}" cy="{y + 7:.1f}" r="3.5"/>' for x in across]
            width = prices.at((one.dollars, 0))[0] - 570
            body.append(f'<rect class="{kind}" x="570" y="{y + 3:.1f}" width="{width:.1f}" height="8"/>')
            y += _ROW
    return _svg(780, round(bottom) + 34, body)


class Frame:
    """A rectangle with axes; it knows where a value lies."""

    def __init__(self, left: float, top: float, width: float, height: float, across: Point, up: Point) -> None:
        self._left, self._top, self._width, self._height = left, top, width, height
        self._across, self._up = across, up

    def at(self, point: Point) -> Point:
        """Where a point lies on the picture."""
        (x, y), (x0, x1), (y0, y1) = point, self._across, self._up
        across, up = (x - x0) / (x1 - x0), (y - y0) / (y1 - y0)
        return self._left + across * self._width, self._top + (1 - up) * self._height

    def line(self, points: Iterable[Point], kind: str) -> str:
        """A line through points."""
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in map(self.at, points))
        return f'<polyline class="{kind}" points="{path}"/>'

    def grid(self, upward: Callable[[float], str], across: Callable[[float], str], steps: int = 5) -> str:
        """Horizontal lines, and labels of both axes."""
        parts = []
        for number in range(steps + 1):
            x, y = self.at((_part(self._across, number / steps), up := _part(self._up, number / steps)))
            parts.append(_line(self._left, y, self._left + self._width, y))
            parts.append(_text(self._left - 6, y + 4, upward(up), "", "end"))
            parts.append(self._below(x, across(_part(self._across, number / steps))))
        return "".join(parts)

    def rules(self, across: Callable[[float], str], steps: int) -> str:
        """Vertical lines, and labels below."""
        parts = []
        for number in range(steps + 1):
            value = _part(self._across, number / steps)
            x, _ = self.at((value, 0))
            parts += [_line(x, self._top, x, self._top + self._height), self._below(x, across(value))]
        return "".join(parts)

    def _below(self, x: float, label: str) -> str:
        return _text(x, self._top + self._height + 18, label, "", "middle")


def _part(span: Point, share: float) -> float:
    return span[0] + share * (span[1] - span[0])


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f} min"


def _above(value: float) -> float:
    """The next round number."""
    step = 10.0 ** math.floor(math.log10(max(value, 1e-9)))
    return next(step * one for one in (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10) if step * one >= value)


def _line(x1: float, y1: float, x2: float, y2: float, kind: str = "g") -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" x2="{x2:.1f}" y1="{y1:.1f}" y2="{y2:.1f}"/>'


def _text(x: float, y: float, said: str, kind: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">{escape(said)}</text>'


def _svg(width: int, height: int, body: Iterable[str]) -> str:
    inside = "\n".join(body)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">'
        f'{_STYLE}<rect class="bg" width="{width}" height="{height}"/>\n{inside}\n</svg>\n'
    )
