"""Draw the overview of Terraform's dashboards from a recording, as CloudWatch would: docs/images/dashboard.svg.

`tests/recorded/dashboard.json` has the widgets as Terraform writes them, and what two runtimes' agents measured.
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from tests.metric_math import Series, evaluate

ROOT = Path(__file__).resolve().parent.parent
RECORDED = ROOT / "tests" / "recorded" / "dashboard.json"
PICTURE = ROOT / "docs" / "images" / "dashboard.svg"

_WIDE, _HIGH, _GAP, _HEAD = 380, 190, 12, 34
_DAY = 86_400
_COLOURS = ("#2a78b8", "#e07b39", "#3d9a50", "#b0413e")
_STYLE = (
    "text{font:11px system-ui,sans-serif;fill:#5b6570}.h{font-size:16px;font-weight:600;fill:#16191f}"
    ".t{font-size:12px;font-weight:600;fill:#16191f}.n{font-size:26px;fill:#16191f}"
    ".c{fill:#fff;stroke:#d5dbdb}.g{stroke:#eaeded}.l{fill:none;stroke-width:1.6}"
)

type Line = tuple[str, Series]


def lines(panel: Mapping[str, Any], series: Mapping[str, Series], times: Sequence[int]) -> list[Line]:
    """What a widget shows: label and values of each visible line."""
    by_id: dict[str, Series] = {}
    shown: list[Line] = []
    for line in panel["metrics"]:
        options = line[-1] if isinstance(line[-1], dict) else {}
        texts = [one for one in line if isinstance(one, str)]
        if texts:
            dimensions = [f"{name}={value}" for name, value in zip(texts[2::2], texts[3::2], strict=True)]
            words = (*texts[:2], *dimensions, options.get("stat", panel.get("stat", "Sum")))
            values = series.get(" ".join(words), {})
        else:
            values = evaluate(options["expression"], by_id, times)
        by_id[options.get("id", "")] = values
        if options.get("visible", True):
            shown.append((options.get("label", ""), values))
    return shown


def chart(shown: Sequence[Line], times: Sequence[int], *, stacked: bool) -> Iterator[str]:
    """A widget's lines, one upon the other if stacked, with the scale at the left."""
    left, right, top, bottom = 52, _WIDE - 12, 34, _HIGH - 34
    tops = dict.fromkeys(times, 0.0)
    drawn: list[tuple[str, list[tuple[int, float, float]]]] = []
    for label, values in shown:
        points = []
        for time in times:
            below = tops[time] if stacked else 0.0
            if time in values or stacked:
                points.append((time, below, below + values.get(time, 0.0)))
                tops[time] = points[-1][2]
        drawn.append((label, points))
    most = max((above for _, points in drawn for *_, above in points), default=0) or 1
    y = {share: bottom - (bottom - top) * share for share in (0, 0.5, 1)}
    for share, at in y.items():
        yield f'<path class="g" d="M{left} {at:.0f}H{right}"/>'
        yield f'<text x="{left - 5}" y="{at + 4:.0f}" text-anchor="end">{_number(most * share)}</text>'

    def place(time: int, value: float) -> str:
        return f"{left + (right - left) * time / (len(times) - 1):.1f} {bottom - (bottom - top) * value / most:.1f}"

    for index, (label, points) in enumerate(drawn):
        colour = _COLOURS[index % len(_COLOURS)]
        if points:
            outline = "L".join(place(time, above) for time, _, above in points)
            if stacked:
                floor = "L".join(place(time, below) for time, below, _ in reversed(points))
                yield f'<path fill="{colour}" opacity=".25" d="M{outline}L{floor}Z"/>'
            yield f'<path class="l" stroke="{colour}" d="M{outline}"/>'
        at = left + index * 110
        yield f'<path stroke="{colour}" stroke-width="3" d="M{at} {_HIGH - 14}h12"/>'
        yield f'<text x="{at + 17}" y="{_HIGH - 10}">{escape(label)}</text>'


def numbers(shown: Sequence[Line]) -> Iterator[str]:
    """A widget of single values: the last of each line."""
    for index, (label, values) in enumerate(shown):
        last = _number(values[max(values)]) if values else "–"
        yield f'<text class="n" x="{24 + index * 180}" y="100">{last}</text>'
        yield f'<text x="{24 + index * 180}" y="122">{escape(label)}</text>'


def _number(value: float) -> str:
    return f"{value:.2g}" if value < 1 else f"{value:.3g}" if value < 1000 else f"{value:.0f}"


def draw(recorded: Mapping[str, Any]) -> str:
    """The whole picture, SVG."""
    times = range(recorded["periods"])
    series = {name: {int(time): value for time, value in one.items()} for name, one in recorded["series"].items()}
    parts, y = [], _GAP
    for section in recorded["sections"]:
        parts.append(f'<text class="h" x="{_GAP}" y="{y + 20}">{escape(section["title"])}</text>')
        y += _HEAD
        for index, panel in enumerate(section["panels"]):
            at = _GAP + index % 3 * (_WIDE + _GAP), y + index // 3 * (_HIGH + _GAP)
            # A widget by days has the whole recording in one.
            whole = (
                {name: {0: sum(one.values())} for name, one in series.items()} if panel.get("period") == _DAY else None
            )
            shown = lines(panel, whole or series, [0] if whole else times)
            single = panel.get("view") == "singleValue"
            body = numbers(shown) if single else chart(shown, times, stacked=panel.get("stacked", False))
            title = f'<text class="t" x="12" y="20">{escape(panel["title"])}</text>'
            frame = f'<rect class="c" width="{_WIDE}" height="{_HIGH}" rx="4"/>'
            parts.append(f'<g transform="translate({at[0]} {at[1]})">{frame}{title}{"".join(body)}</g>')
        y += -(-len(section["panels"]) // 3) * (_HIGH + _GAP)
    width = 3 * _WIDE + 4 * _GAP
    back = f'<rect width="{width}" height="{y}" fill="#f2f3f3"/>'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {y}" role="img">'
    return f"{head}<title>{escape(recorded['about'])}</title><style>{_STYLE}</style>{back}{''.join(parts)}</svg>\n"


def main() -> int:
    """Draw it; with --check only say whether it is up to date."""
    made = draw(json.loads(RECORDED.read_text()))
    if "--check" in sys.argv[1:]:
        return 0 if PICTURE.read_text() == made else 1
    PICTURE.write_text(made)
    return 0


if __name__ == "__main__":
    sys.exit(main())
