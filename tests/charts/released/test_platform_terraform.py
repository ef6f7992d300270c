"""Terraform's `platform_values` are what the chart takes, and what Terraform names here the chart makes."""

import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from scripts.terraform import TerraformUnavailable

from tests.charts.conftest import unavailable
from tests.charts.platform.chart import NAMESPACE, Object, Rendered, render

from .terraform_outputs import outputs, resources


@pytest.fixture(scope="module")
def values() -> dict[str, Any]:
    """The values that Terraform says."""
    try:
        said: dict[str, Any] = yaml.safe_load(outputs()["platform_values"])
    except TerraformUnavailable as reason:
        unavailable(reason)
    return said


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Paths of all leaves, through maps and lists."""
    if isinstance(value, dict | list):
        for step, one in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(one, (*path, step))
    else:
        yield path


def changed(values: dict[str, Any], path: tuple[Any, ...]) -> dict[str, Any]:
    """The values with another one at a path."""
    other = copy.deepcopy(values)
    place: Any = other
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = (not place[path[-1]]) if isinstance(place[path[-1]], bool) else "eu-south-9"
    return other


def test_no_key_is_lost(helm: Path, chart: Path, values: dict[str, Any]) -> None:
    """Each value matters: with another one in its place the chart makes something else, or refuses it."""

    def made(of: dict[str, Any]) -> list[Object] | str:
        try:
            return render(helm, chart, of).objects
        except AssertionError as refusal:
            return str(refusal)

    whole = made(values)
    assert isinstance(whole, list), whole
    assert [path for path in leaves(values) if made(changed(values, path)) == whole] == []


def test_roles_are_bound_to_its_service_accounts(helm: Path, chart: Path, values: dict[str, Any]) -> None:
    """Each role of the platform's namespace belongs to a service account that the chart's parts run under."""
    rendered = render(helm, chart, values)
    accounts = [rendered.given("keda")["serviceAccount"]["operator"]["name"]]
    collectors = [rendered.given(f"opentelemetry-collector{suffix}") for suffix in ("", "-logs")]
    accounts += [*(one["serviceAccount"]["name"] for one in collectors), *rendered.names("ServiceAccount")]
    bound = {(one["namespace"], one["service_account"]) for one in resources("aws_eks_pod_identity_association")}
    assert {account for namespace, account in bound if namespace == NAMESPACE} == set(accounts)


def test_runtimes_are_told_of_what_it_makes(helm: Path, chart: Path, values: dict[str, Any]) -> None:
    """The collector's address, its log group, the priority class: Terraform says them as the chart has them."""
    rendered = render(helm, chart, values)
    (runtime, *_) = [yaml.safe_load(text) for text in outputs()["runtime_values"].values()]
    collector = rendered.given("opentelemetry-collector")
    port = collector["ports"]["otlp-http"]["servicePort"]
    assert runtime["telemetry"] == {"otlpEndpoint": f"http://{collector['fullnameOverride']}.{NAMESPACE}:{port}"}
    assert runtime["networkPolicy"] == {"collectorNamespace": NAMESPACE}
    assert {runtime["pod"]["priorityClassName"]} == rendered.names("PriorityClass")
    groups = {one["name"] for one in resources("aws_cloudwatch_log_group")}
    assert rendered.collector()["exporters"]["awsemf"]["log_group_name"] in groups
    assert rendered.collector("-logs")["exporters"]["awscloudwatchlogs"]["log_group_name"] in groups


def test_an_api_server_takes_what_it_makes(
    helm: Path, chart: Path, values: dict[str, Any], dry_run: Callable[[str], str]
) -> None:
    """All objects, with everything switched on."""
    everything = {"install": {"gpuMetrics": True}, "grafana": {"dashboards": True}}
    rendered: Rendered = render(helm, chart, values, everything)
    # A stand-in shows values, and a dry run has no place for namespaces that are not there.
    objects = [
        {**one, "metadata": {**one["metadata"], "namespace": "default"}} if "namespace" in one["metadata"] else one
        for one in rendered.objects
        if one["kind"] != "CustomResourceDefinition"
    ]
    said = dry_run(yaml.safe_dump_all(objects))
    assert "clustertriggerauthentication.keda.sh/darkroom-sqs" in said
    assert "configmap/darkroom-dashboard-overview" in said
    assert len(said.splitlines()) == len(objects)
