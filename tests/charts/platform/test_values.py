"""Values of charts/platform: what goes to a dependency is what its chart knows, and Terraform's output fits."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from scripts.reference_charts import described

from .chart import CHART, LEAST, UPSTREAM, dependencies, helm_run, values_file

VALUES: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text())
DEPENDENCIES = {one.get("alias", one["name"]): one for one in dependencies()}
# Keys that a chart takes and its default values do not show: the first is a comment there, of the others each is one
# entry in a map that users name themselves.
UNSHOWN = {
    "collector.podDisruptionBudget.maxUnavailable",
    "collector.ports.prometheus",
}


def unknown(ours: Any, theirs: Any, path: str) -> Iterator[str]:
    """Paths of ours that theirs has not; what they leave open (nothing, or an empty map) takes anything."""
    if not isinstance(ours, dict) or theirs in ({}, None):
        return
    for key, value in ours.items():
        here = f"{path}.{key}"
        if here in UNSHOWN:
            continue
        if not isinstance(theirs, dict) or key not in theirs:
            yield here
        else:
            yield from unknown(value, theirs[key], here)


@pytest.mark.parametrize("name", DEPENDENCIES)
def test_its_chart_knows_every_value(name: str) -> None:
    """A slip of the pen in a dependency's value would have no effect, and nobody would say so."""
    one = DEPENDENCIES[name]
    theirs = yaml.safe_load((UPSTREAM / f"{one['name']}-{one['version']}.yaml").read_text())
    assert list(unknown(VALUES.get(name, {}), theirs, name)) == []


def test_a_slip_of_the_pen_is_found() -> None:
    """The walk itself: a wrong key is named, at any depth; what is left open is not."""
    theirs = {"operator": {"replicaCount": 1, "affinity": {}}}
    ours = {"operator": {"replicas": 2, "affinity": {"nodeAffinity": {}}}, "operators": {}}
    assert list(unknown(ours, theirs, "keda")) == ["keda.operator.replicas", "keda.operators"]


def test_helm_has_nothing_to_say(helm: Path, chart: Path) -> None:
    """`helm lint --strict`, with the least that an installation says."""
    status, said = helm_run(helm, "lint", "--strict", "--quiet", chart, *values_file(chart, LEAST))
    assert status == 0, said


def test_every_dependency_has_a_switch() -> None:
    """Each can be left out, where a cluster has it already."""
    assert {one["condition"] for one in DEPENDENCIES.values()} == {f"install.{name}" for name in VALUES["install"]}


def test_the_lock_belongs_to_the_chart() -> None:
    """Chart.lock holds the versions of Chart.yaml, and Helm's digest of both: else `helm dependency build` refuses."""
    lock = yaml.safe_load((CHART / "Chart.lock").read_text())
    locked = [{name: one[name] for name in ("name", "version", "repository")} for one in dependencies()]
    assert lock["dependencies"] == [dict(sorted(one.items())) for one in locked]
    # As Helm writes it: the fields of its own type, in their order, without white space.
    asked = [
        {name: one[name] for name in ("name", "version", "repository", "condition", "alias") if name in one}
        for one in dependencies()
    ]
    both = json.dumps([asked, locked], separators=(",", ":"))
    assert lock["digest"] == f"sha256:{hashlib.sha256(both.encode()).hexdigest()}"


def test_every_value_of_ours_is_explained() -> None:
    """What is not a dependency's has a description, which is its row in the README; a dependency has one as a whole."""
    told = {path for path, _ in described((CHART / "values.yaml").read_text())}
    ours = {(section, key) for section in VALUES.keys() - DEPENDENCIES.keys() for key in VALUES[section]}
    assert told == ours | {(name,) for name in DEPENDENCIES}
