"""Wrong and contradictory values are refused, with their path and what to do."""

from pathlib import Path
from typing import Any

import pytest

from .chart import LEAST, NAMESPACE, render

NO_CLUSTER: dict[str, Any] = {"global": {"clusterName": ""}}

REFUSED = {
    "no cluster": (NO_CLUSTER, ["global.clusterName", "terraform output -raw platform_values"]),
    "no region": ({"global": {"region": ""}}, ["global.region"]),
    "another namespace than the roles'": (
        {"global": {"namespace": "elsewhere"}},
        ["global.namespace", f"`{NAMESPACE}`", "--namespace elsewhere"],
    ),
    "two clusters": (
        {"karpenter": {"settings": {"clusterName": "other"}}},
        ["karpenter.settings.clusterName is `other`", "global.clusterName is `darkroom`"],
    ),
    "no interruption queue": (
        {"karpenter": {"settings": {"interruptionQueue": ""}}},
        ["karpenter.settings.interruptionQueue", "Spot"],
    ),
    "a slip of the pen": ({"instal": {"keda": False}}, ["instal"]),
    "a part that there is not": ({"install": {"grafana": True}}, ["install", "grafana"]),
    "a switch that is text": ({"install": {"keda": "no"}}, ["install", "keda", "boolean"]),
    "a region that is a zone": ({"global": {"region": "eu-west-1a"}}, ["global", "region"]),
    "a cluster's ARN": ({"global": {"clusterName": "arn:aws:eks:eu-west-1:1:cluster/x"}}, ["global", "clusterName"]),
    "a priority of the system": ({"priorityClass": {"value": 2000000000}}, ["priorityClass", "value"]),
    "a name with capitals": ({"scaling": {"authentication": "Darkroom"}}, ["scaling", "authentication"]),
    "labels that are a word": ({"grafana": {"labels": "grafana_dashboard"}}, ["grafana", "labels", "object"]),
    "a label that is no text": ({"grafana": {"labels": {"grafana_dashboard": 1}}}, ["grafana", "labels", "string"]),
}


@pytest.mark.parametrize("why", REFUSED)
def test_it_is_refused_with_its_path(helm: Path, chart: Path, why: str) -> None:
    """The message names the value; where two values disagree, both and the fix."""
    values, words = REFUSED[why]
    with pytest.raises(AssertionError) as refusal:
        render(helm, chart, LEAST, values)
    said = str(refusal.value)
    assert [word for word in words if word not in said] == [], said


def test_karpenter_of_ones_own_needs_no_queue(helm: Path, chart: Path) -> None:
    """Rules for a part that is left out do not apply."""
    render(helm, chart, {"global": LEAST["global"], "install": {"karpenter": False}})
