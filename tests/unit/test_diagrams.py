"""Diagrams are drawn from their TOML: boxes where they are said to be, arrows from edge to edge."""

import re
from xml.dom.minidom import parseString

import pytest
from scripts.diagrams import DIAGRAMS, diagrams, draw

TWO = """
title = "Two & their way"
[box]
a = { at = [0, 0], text = "A\\nfirst" }
b = { at = [1, 0], text = "B" }
c = { at = [1, 1], text = "C" }
[[group]]
text = "both"
around = ["b", "c"]
[[arrow]]
from = "a"
to = "b"
text = "<go>"
[[arrow]]
from = "a"
to = "c"
first = "column"
"""


def test_arrows_lead_from_edge_to_edge() -> None:
    """Straight along a row; with one bend where there is none in common."""
    straight, bent = re.findall(r'<path class="arrow" d="M([^"]+)"', draw(TWO))
    assert straight == "76 0 L140 0"
    assert bent == "0 31 L0 112 L140 112"


def test_nothing_is_cut_off() -> None:
    """The picture holds every rectangle, the frame around a group too."""
    drawn = draw(TWO)
    ((left, top, width, height),) = _numbers(r'svg" viewBox="(\S+) (\S+) (\S+) (\S+)"', drawn)
    for x, y, wide, high in _numbers(r'"(?:box|group)[^"]*" x="(\S+)" y="(\S+)" width="(\S+)" height="(\S+)"', drawn):
        assert left < x < x + wide < left + width
        assert top < y < y + high < top + height


def test_a_diagram_is_well_formed() -> None:
    """Text is escaped, and the title is what a screen reader says."""
    (title,) = parseString(draw(TWO)).getElementsByTagName("title")  # noqa: S318 (our own)
    assert title.toxml() == '<title id="title">Two &amp; their way</title>'
    assert "&lt;go&gt;" in draw(TWO)


def test_an_arrow_to_nowhere_is_refused() -> None:
    """By the name of the box."""
    with pytest.raises(KeyError, match="nobody"):
        draw(TWO.replace('to = "c"', 'to = "nobody"'))


def test_every_diagram_is_shown() -> None:
    """On a page of the docs."""
    pages = "\n".join(path.read_text() for path in DIAGRAMS.parent.rglob("*.md"))
    assert diagrams()
    assert [path.name for path in diagrams() if f"diagrams/{path.name}" not in pages] == []


def _numbers(pattern: str, text: str) -> list[list[float]]:
    return [[float(number) for number in found] for found in re.findall(pattern, text)]
