"""Draw the diagrams of the docs: docs/diagrams/<name>.toml → <name>.svg, in the reader's own light or dark.

A diagram is a grid. A box stands `at = [column, row]`, its first line is its name; an arrow leads from one to another,
straight where they share a row or a column, else with one bend: along the row first, or along the column with
`first = "column"`. A group is a frame around boxes.
"""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from pathlib import Path
from typing import Any

DIAGRAMS = Path(__file__).resolve().parent.parent / "docs" / "diagrams"

# Pixels.
_COLUMN, _ROW, _BOX_WIDTH, _BOX_HEIGHT, _MARGIN, _PADDING = 216, 112, 152, 62, 24, 18
_LINE = 16

# An <img> has the colours of the page around it: prefers-color-scheme follows its color-scheme.
_STYLE = """\
svg { --ink: #241c17; --soft: #665a50; --line: #8d7d70; --ground: #fffcf7; --raised: #f5efe6; --lamp: #b3311a }
@media (prefers-color-scheme: dark) {
  svg { --ink: #f3ebe2; --soft: #b3a598; --line: #8a7a6e; --ground: #181412; --raised: #221c19; --lamp: #ff7657 }
}
text { font: 13px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; fill: var(--soft); text-anchor: middle }
.name { font-weight: 600; fill: var(--ink) }
.box { fill: var(--raised); stroke: var(--line) }
.store { stroke-width: 2.5 }
.lamp { stroke: var(--lamp); stroke-width: 2 }
.outside { fill: none; stroke-dasharray: 4 3 }
.group { fill: none; stroke: var(--line); stroke-dasharray: 2 4 }
.arrow { fill: none; stroke: var(--line); stroke-width: 1.5; marker-end: url(#head) }
.dashed { stroke-dasharray: 5 4 }
.label { font-size: 12px; stroke: var(--ground); stroke-width: 5; stroke-linejoin: round; paint-order: stroke }
.beside { text-anchor: start }
.group-name { text-anchor: end }
marker path { fill: var(--line) }
.ground { fill: var(--ground) }"""


_HEAD = """\
<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">
<path d="M0 0 8 4 0 8z"/></marker></defs>"""


@dataclass(frozen=True, slots=True)
class Box:
    """A box by its middle, in pixels."""

    lines: list[str]
    kind: str
    x: float
    y: float
    width: float
    height: float

    @property
    def left(self) -> float:
        """Its left edge."""
        return self.x - self.width / 2

    @property
    def right(self) -> float:
        """Its right edge."""
        return self.x + self.width / 2

    @property
    def top(self) -> float:
        """Its top edge."""
        return self.y - self.height / 2

    @property
    def bottom(self) -> float:
        """Its bottom edge."""
        return self.y + self.height / 2


def diagrams() -> dict[Path, str]:
    """Path of each picture → what it should be."""
    return {source.with_suffix(".svg"): draw(source.read_text()) for source in sorted(DIAGRAMS.glob("*.toml"))}


def draw(source: str) -> str:
    """The SVG of a diagram.

    Raises:
        KeyError: an arrow or a group names a box that is not there.
    """
    told = tomllib.loads(source)
    boxes = {name: _box(one) for name, one in told["box"].items()}
    frames = [_frame(group["text"], [boxes[name] for name in group["around"]]) for group in told.get("group", [])]
    drawn = [*boxes.values(), *frames]
    left, top = min(one.left for one in drawn) - _MARGIN, min(one.top for one in drawn) - _MARGIN
    width, height = max(one.right for one in drawn) + _MARGIN - left, max(one.bottom for one in drawn) + _MARGIN - top
    parts = [
        f'<rect class="ground" x="{left:g}" y="{top:g}" width="{width:g}" height="{height:g}" rx="10"/>',
        *(_rectangle(frame, "group") for frame in frames),
        *(part for arrow in told["arrow"] for part in _drawn_arrow(arrow, boxes)),
        *map(_name_of, frames),
        *(part for box in boxes.values() for part in _drawn_box(box)),
    ]
    size = f'viewBox="{left:g} {top:g} {width:g} {height:g}" width="{width:g}" height="{height:g}"'
    title = f'<title id="title">{escape(told["title"])}</title>'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-labelledby="title">',
        title,
        f"<style>\n{_STYLE}\n</style>",
        _HEAD,
        *parts,
    ]
    return "\n".join([*lines, "</svg>\n"])


def _box(told: dict[str, Any]) -> Box:
    column, row = told["at"]
    width, height = told.get("width", _BOX_WIDTH), told.get("height", _BOX_HEIGHT)
    return Box(told["text"].split("\n"), told.get("kind", "box"), column * _COLUMN, row * _ROW, width, height)


def _frame(text: str, inside: list[Box]) -> Box:
    left, right = min(one.left for one in inside) - _PADDING, max(one.right for one in inside) + _PADDING
    top, bottom = min(one.top for one in inside) - 1.6 * _PADDING, max(one.bottom for one in inside) + _PADDING
    return Box([text], "group", (left + right) / 2, (top + bottom) / 2, right - left, bottom - top)


def _name_of(frame: Box) -> str:
    where = f'x="{frame.right - 10:g}" y="{frame.top + 17:g}"'
    return f'<text class="label group-name" {where}>{escape(frame.lines[0])}</text>'


def _drawn_box(box: Box) -> Iterator[str]:
    yield _rectangle(box, "box" if box.kind == "box" else f"box {box.kind}")
    first = box.y - (len(box.lines) - 1) * _LINE / 2 + 4.5
    for number, line in enumerate(box.lines):
        name = ' class="name"' if number == 0 else ""
        yield f'<text{name} x="{box.x:g}" y="{first + number * _LINE:g}">{escape(line)}</text>'


def _rectangle(box: Box, kind: str) -> str:
    return (
        f'<rect class="{kind}" x="{box.left:g}" y="{box.top:g}" width="{box.width:g}" height="{box.height:g}" rx="8"/>'
    )


def _drawn_arrow(told: dict[str, Any], boxes: dict[str, Box]) -> Iterator[str]:
    points = _way(boxes[told["from"]], boxes[told["to"]], told.get("first", "row"), told.get("shift", 0))
    kind = "arrow dashed" if told.get("dashed") else "arrow"
    yield f'<path class="{kind}" d="M{" L".join(f"{x:g} {y:g}" for x, y in points)}"/>'
    if "text" not in told:
        return
    (x1, y1), (x2, y2) = max(pairwise(points), key=_length)
    beside = x1 == x2
    x, y = (x1 + 7, (y1 + y2) / 2 + 4) if beside else ((x1 + x2) / 2, y1 - 7)
    lines = told["text"].split("\n")
    first = y - (len(lines) - 1) * _LINE * (0.5 if beside else 1)
    for number, line in enumerate(lines):
        where = f'x="{x:g}" y="{first + number * _LINE:g}"'
        yield f'<text class="label{" beside" * beside}" {where}>{escape(line)}</text>'


def _way(start: Box, end: Box, first: str, shift: float) -> list[tuple[float, float]]:
    """The points of an arrow; `shift` moves a straight one, or the bend's last part, aside."""
    right, down = end.x > start.x, end.y > start.y
    if start.y == end.y:
        y = start.y + shift
        return [(start.right if right else start.left, y), (end.left if right else end.right, y)]
    if start.x == end.x:
        x = start.x + shift
        return [(x, start.bottom if down else start.top), (x, end.top if down else end.bottom)]
    if first == "row":
        x = end.x + shift
        return [(start.right if right else start.left, start.y), (x, start.y), (x, end.top if down else end.bottom)]
    y = end.y + shift
    return [(start.x, start.bottom if down else start.top), (start.x, y), (end.left if right else end.right, y)]


def _length(segment: tuple[tuple[float, float], tuple[float, float]]) -> float:
    (x1, y1), (x2, y2) = segment
    return abs(x1 - x2) + abs(y1 - y2)
