"""The collector's configuration: it holds together, costs what it should, and knows the agent's metrics."""

import json
import re
from typing import Any

import pytest

from darkroom_agent.metrics import INSTRUMENTS

from .conftest import Render

# Components of the contrib distribution (otelcol-contrib), by their names in its configuration.
COMPONENTS = {
    "extensions": {"health_check"},
    "receivers": {"otlp", "prometheus"},
    "processors": {"memory_limiter", "batch", "deltatocumulative"},
    "exporters": {"awsxray", "awsemf", "prometheus"},
}


def pipelines(config: dict[str, Any]) -> dict[str, dict[str, list[str]]]:
    """Pipelines by name."""
    found: dict[str, dict[str, list[str]]] = config["service"]["pipelines"]
    return found


def test_should_use_what_is_defined_and_nothing_else(rendered: Render) -> None:
    """Every component is one that the image has, and is used by a pipeline; every pipeline uses what is defined."""
    config = rendered().collector()
    used = {kind: {one for pipe in pipelines(config).values() for one in pipe[kind]} for kind in list(COMPONENTS)[1:]}
    assert {**used, "extensions": set(config["service"]["extensions"])} == COMPONENTS
    assert {kind: set(config[kind]) for kind in COMPONENTS} == COMPONENTS
    assert rendered().given("opentelemetry-collector")["command"]["name"] == "otelcol-contrib"


def test_should_limit_memory_first_and_batch_last(rendered: Render) -> None:
    """Refusing comes before work; a batch is made of what is left."""
    for pipe in pipelines(rendered().collector()).values():
        assert (pipe["processors"][0], pipe["processors"][-1]) == ("memory_limiter", "batch")


def test_should_send_traces_to_x_ray_and_metrics_to_cloudwatch(rendered: Render) -> None:
    """In the cluster's region, into the log group that Terraform made for it."""
    cluster = {"clusterName": "studio"}
    config = rendered({"global": {**cluster, "region": "cn-north-1"}, "karpenter": {"settings": cluster}}).collector()
    exporters, pipes = config["exporters"], pipelines(config)
    assert pipes["traces"]["exporters"] == ["awsxray"]
    assert pipes["metrics/cloudwatch"]["exporters"] == ["awsemf"]
    assert exporters["awsxray"]["region"] == exporters["awsemf"]["region"] == "cn-north-1"
    assert exporters["awsemf"]["log_group_name"] == "/darkroom/studio/metrics"


def test_should_answer_prometheus_and_be_watched_by_choice(rendered: Render) -> None:
    """Totals are at a port of its own; a Prometheus operator is told by one switch."""
    given = rendered().given("opentelemetry-collector")
    port = given["ports"]["prometheus"]["containerPort"]
    assert rendered().collector()["exporters"]["prometheus"]["endpoint"].endswith(f":{port}")
    assert given["podMonitor"] == {"enabled": False, "metricsEndpoints": [{"port": "prometheus"}], "extraLabels": {}}


def test_should_send_nothing_to_cloudwatch_if_asked(rendered: Render) -> None:
    """As the docs say it: an exporter that does nothing takes its place (Helm takes no default of a dependency out)."""
    pipes = {"metrics/cloudwatch": {"exporters": ["nop"]}}
    asked = {"collector": {"alternateConfig": {"exporters": {"nop": {}}, "service": {"pipelines": pipes}}}}
    found = pipelines(rendered(asked).collector())
    assert {name: pipe["exporters"] for name, pipe in found.items()} == {
        "traces": ["awsxray"],
        "metrics/cloudwatch": ["nop"],
        "metrics/prometheus": ["prometheus"],
    }


def test_should_pay_for_every_metric_of_the_agent_and_for_no_pod(rendered: Render) -> None:
    """Each metric has just one rule of dimensions, and none with a value for every pod: CloudWatch bills each."""
    rules = rendered().collector()["exporters"]["awsemf"]["metric_declarations"]
    for name in [*(one.name for one in INSTRUMENTS), "DCGM_FI_DEV_GPU_UTIL"]:
        (rule,) = [one for one in rules if any(re.search(word, name) for word in one["metric_name_selectors"])]
        assert all("darkroom.runtime" in dimensions for dimensions in rule["dimensions"])
        assert not {"pod", "Hostname", "UUID", "service.instance.id"} & {
            name for dimensions in rule["dimensions"] for name in dimensions
        }


@pytest.mark.parametrize(
    ("pod", "runtime"), [("sdxl-6d5f9c7b8-x2x7q", "sdxl"), ("flux-1-dev-5c9f-abcde", "flux-1-dev"), ("lonely", None)]
)
def test_should_tell_a_gpus_runtime_by_its_pod(rendered: Render, pod: str, runtime: str | None) -> None:
    """As a deployment names its pods; Prometheus matches the whole value."""
    (job,) = rendered().collector()["receivers"]["prometheus"]["config"]["scrape_configs"]
    rule = next(one for one in job["metric_relabel_configs"] if one["source_labels"] == ["pod"])
    found = re.fullmatch(rule["regex"], pod)
    assert (found and found[1]) == runtime


def test_should_listen_where_kubernetes_can_reach_it_alone(rendered: Render) -> None:
    """On the pod's own address, never on all of them; the probes' port is the chart's."""
    text = json.dumps(rendered().collector())
    assert "0.0.0.0" not in text  # noqa: S104
    endpoints = re.findall(r'"endpoint": "([^"]+)"', text)
    assert {one.rpartition(":")[0] for one in endpoints} == {"${env:MY_POD_IP}"}
    assert rendered().collector()["extensions"]["health_check"]["endpoint"].endswith(":13133")
