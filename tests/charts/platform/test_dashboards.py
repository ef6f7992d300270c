"""Grafana's dashboards: each query asks for what Prometheus finds at the collector, by names that a flow made."""

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.exported import prometheus
from tests.measured import measured

from .chart import CHART

DASHBOARDS = sorted(CHART.glob("dashboards/*.json"))
_SELECTOR = re.compile(r"([a-z_:]+)\{([^}]*)\}")
_AGGREGATED = re.compile(r"\bby \(([^)]*)\)")


@pytest.fixture(scope="module")
def exported() -> dict[str, set[str]]:
    """Metric → labels, after a flow in which everything happens."""
    return prometheus(asyncio.run(measured()).values())


def panels(path: Path) -> list[dict[str, Any]]:
    """A dashboard's panels, without the headings."""
    return [panel for panel in json.loads(path.read_text())["panels"] if panel["type"] != "row"]


def targets(path: Path) -> Iterator[dict[str, str]]:
    """All queries of a dashboard."""
    for panel in panels(path):
        yield from panel["targets"]


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_every_query_names_what_is_exported(path: Path, exported: dict[str, set[str]]) -> None:
    """Metrics, the labels that are asked for, summed by and shown."""
    for target in targets(path):
        expr = target["expr"]
        selectors = _SELECTOR.findall(expr)
        assert selectors
        for name, matchers in selectors:
            assert name in exported, expr
            labels = set(re.findall(r"(\w+)(?:=~|!=|=|!~)", matchers))
            labels |= {label.strip() for one in _AGGREGATED.findall(expr) for label in one.split(",")}
            assert labels <= exported[name] | {"le"}, expr
            assert 'darkroom_runtime=~"$runtime"' in matchers, "a panel follows the choice of runtime"
        shown = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
        assert shown <= {label.strip() for one in _AGGREGATED.findall(expr) for label in one.split(",")}, expr


def test_every_metric_of_the_agent_is_on_a_dashboard(exported: dict[str, set[str]]) -> None:
    """What nobody looks at need not be paid for."""
    asked = {name for path in DASHBOARDS for target in targets(path) for name, _ in _SELECTOR.findall(target["expr"])}
    families = {re.sub(r"_(bucket|sum|count)$", "", name) for name in exported}
    assert {re.sub(r"_(bucket|sum|count)$", "", name) for name in asked} == families


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_panels_lie_side_by_side(path: Path) -> None:
    """None covers another, and each has an id of its own."""
    taken: dict[tuple[int, int], int] = {}
    every = json.loads(path.read_text())["panels"]
    assert len({panel["id"] for panel in every}) == len(every)
    for panel in every:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24
        for x in range(at["x"], at["x"] + at["w"]):
            for y in range(at["y"], at["y"] + at["h"]):
                assert (x, y) not in taken, f"{panel['id']} covers {taken[x, y]}"
                taken[x, y] = panel["id"]
