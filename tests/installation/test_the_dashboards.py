"""Terraform's dashboards, applied: every widget shows metrics that there are."""

import asyncio
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from scripts.dashboard import PICTURE, RECORDED, draw

from tests.cloudwatch import AWS_METRICS, exported
from tests.exported import CloudWatchMetric
from tests.measured import measured
from tests.metric_math import evaluate

from .applied import Applied

_DAY = 86_400
_STATISTICS = {"Sum", "Average", "Maximum", "SampleCount", "p99"}
_SEARCH = re.compile(
    r"SEARCH\('\{Darkroom,(?P<dimensions>[\w.,]+)\} MetricName=\"(?P<name>[\w.]+)\" "
    r"darkroom\.runtime=\"[\w-]+\"', 'Sum', 300\)"
)


@pytest.fixture(scope="module")
def there() -> set[CloudWatchMetric]:
    """The agent's metrics, after a flow in which everything happens."""
    return exported(asyncio.run(measured()).values())


def widgets(applied: Applied) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every widget with metrics: where it is, and its properties."""
    for dashboard in applied.managed("aws_cloudwatch_dashboard"):
        for widget in json.loads(dashboard["dashboard_body"])["widgets"]:
            if widget["type"] == "metric":
                yield f"{dashboard['dashboard_name']}: {widget['properties']['title']}", widget["properties"]


def lines(properties: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, str], dict[str, Any]]]:
    """Namespace, name, dimensions and options of each line; of an expression the last alone."""
    for line in properties["metrics"]:
        options = line[-1] if isinstance(line[-1], dict) else {}
        texts = [one for one in line if isinstance(one, str)]
        yield (
            texts[0] if texts else "",
            texts[1] if texts else "",
            dict(zip(texts[2::2], texts[3::2], strict=True)),
            options,
        )


def test_every_line_is_a_metric_that_there_is(applied: Applied, there: set[CloudWatchMetric]) -> None:
    """The agent's as a flow makes them and the collector hands them on; AWS's as its documentation has them."""
    for where, properties in widgets(applied):
        assert properties["stat"] in _STATISTICS
        for namespace, name, dimensions, options in lines(properties):
            if namespace == "Darkroom":
                assert (name, frozenset(dimensions)) in there, where
            elif namespace:
                assert name in AWS_METRICS[namespace, frozenset(dimensions)], where
            elif found := _SEARCH.fullmatch(options["expression"]):
                assert (found["name"], frozenset(found["dimensions"].split(","))) in there, where
            else:
                used = set(re.findall(r"\b[a-z]+\d*\b", options["expression"]))
                assert used <= {one.get("id") for *_, one in lines(properties)}, where


def test_everything_that_is_paid_for_is_shown(applied: Applied, there: set[CloudWatchMetric]) -> None:
    """A metric with its dimensions that no widget shows is money for nothing."""
    shown = {
        (name, frozenset(dimensions))
        for _, properties in widgets(applied)
        for namespace, name, dimensions, _ in lines(properties)
        if namespace == "Darkroom"
    }
    shown |= {("darkroom.jobs", frozenset({"darkroom.runtime", "error.type"}))}  # by a search
    assert there == shown


def test_the_month_begins_on_its_first(applied: Applied) -> None:
    """The sum since the last first of a month, though no pod ran on that day; the days are UTC's."""
    first = 1_772_323_200  # 2026-03-01
    days = [first + _DAY * day for day in range(-10, 12)]
    cost = dict.fromkeys(days[:9], 5.0) | dict.fromkeys(days[13:], 1.0)
    (properties,) = [one for where, one in widgets(applied) if where == "flow: This month (USD)"]
    series = {"cost0": cost}
    for *_, options in lines(properties):
        if options.get("id") in ("day0", "month0"):
            series[options["id"]] = evaluate(options["expression"], series, days)
    assert series["month0"][days[-1]] == 9
    assert series["month0"][first] == 0
    assert (properties["view"], properties["period"], properties["start"]) == ("singleValue", _DAY, "-P32D")


def test_a_share_of_failures_needs_jobs_that_ended(applied: Applied) -> None:
    """In percent; a period without an end shows nothing, and no division by zero."""
    (properties,) = [one for where, one in widgets(applied) if "service's fault" in where and where.startswith("flow:")]
    (expression,) = [options["expression"] for *_, options in lines(properties) if options.get("id") == "failed0"]
    series = {"service0": {0: 1.0}, "retried0": {0: 6.0, 2: 1.0}, "all0": {0: 10.0, 1: 3.0, 2: 1.0}}
    assert evaluate(expression, series, [0, 1, 2]) == {0: 25, 1: 0}


def test_the_picture_in_the_docs_shows_the_overview(applied: Applied) -> None:
    """Its recording has the widgets that Terraform writes, but for the alarms and the front door."""
    recorded = json.loads(RECORDED.read_text())
    drawn = [panel for section in recorded["sections"] for panel in section["panels"]]
    now = {where.removeprefix("flow: "): one for where, one in widgets(applied) if where.startswith("flow: ")}

    def kinds(panel: dict[str, Any]) -> set[tuple[str, str]]:
        return {(namespace, name) for namespace, name, *_ in lines(panel)}

    for panel in drawn:
        assert kinds(panel) == kinds(now[panel["title"]]), panel["title"]
    assert len(drawn) == len([where for where in now if not where.startswith(("API", "Functions"))])
    assert PICTURE.read_text() == draw(recorded), "draw it anew: python -m scripts.dashboard"
