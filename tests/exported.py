"""Under which names the collector hands the agent's metrics on: to CloudWatch and to Prometheus."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from opentelemetry.sdk.metrics.export import Gauge, Histogram, Metric, Sum

from .measured import points

type CloudWatchMetric = tuple[str, frozenset[str]]
"""A name and the dimensions that come with it."""

_UNITS = {"s": "_seconds", "By": "_bytes"}


def cloudwatch(told: Iterable[Metric], declarations: Iterable[Mapping[str, Any]]) -> set[CloudWatchMetric]:
    """What the `awsemf` exporter makes of it: a rule gives those of its sets of dimensions that a point has all of.

    The resource's attributes are dimensions too (`resource_to_telemetry_conversion`).
    """
    found = set()
    for metric in told:
        for rule in declarations:
            if not any(re.search(selector, metric.name) for selector in rule["metric_name_selectors"]):
                continue
            for about in points(metric):
                has = {"darkroom.runtime", *(name for name, _ in about)}
                found |= {(metric.name, frozenset(some)) for some in rule["dimensions"] if has.issuperset(some)}
    return found


def prometheus(told: Iterable[Metric]) -> dict[str, set[str]]:
    """Name → labels, as the `prometheus` exporter has them: underscores, the unit, `_total`, a histogram's three."""
    found: dict[str, set[str]] = {}
    for metric in told:
        name = metric.name.replace(".", "_") + _UNITS.get(metric.unit or "", "")
        labels = {label.replace(".", "_") for about in points(metric) for label, _ in about} | {"darkroom_runtime"}
        match metric.data:
            case Sum(is_monotonic=True):
                found[f"{name}_total"] = labels
            case Gauge():
                found[f"{name}_ratio" if metric.unit == "1" else name] = labels
            case Histogram():
                found |= {f"{name}_bucket": labels | {"le"}, f"{name}_sum": labels, f"{name}_count": labels}
    return found
