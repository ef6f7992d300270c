"""From Terraform to the API server: what `runtime_values` says arrives in the objects of charts/runtime."""

import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from scripts.terraform import TerraformUnavailable

from darkroom_agent.settings import from_environ
from darkroom_local.cluster.release import runtime_values
from darkroom_local.emulator import Emulator
from darkroom_local.topology import RuntimeQueues, RuntimeSpec, Topology, WebhookQueue
from tests.charts.runtime_chart import Values, rendered
from tests.charts.test_runtime_values import DEFAULTS, leaves

from .kube_api import KubeApi
from .terraform_outputs import outputs

_ON_ONE_MACHINE = {
    *("runtime.port", "runtime.env", "runtime.image.pullPolicy"),
    *("agent.image.pullPolicy", "aws.endpointUrl"),
}
"""What a cluster on one machine is told besides: the simulator, images that lie on the node, the emulator."""
_ON_AWS = {
    *("inputs.buckets", "models.schedulingGate", "networkPolicy.collectorNamespace"),
    *("nodes.capacityTypes", "nodes.discoveryTag", "nodes.instanceTypes", "nodes.role"),
    *("pod.priorityClassName", "runtime.image.tag", "telemetry.otlpEndpoint"),
    *("scaling.maxReplicas", "scaling.minReplicas", "scaling.targetWaitSeconds"),
}
"""What has no meaning there, or is the chart's default."""
_FREE = ("runtime.env", "agent.settings")


@pytest.fixture(scope="module")
def given() -> dict[str, Values]:
    """Runtime → the values that Terraform writes for it."""
    try:
        found: dict[str, str] = outputs()["runtime_values"]
    except TerraformUnavailable as reason:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(str(reason))
    return {name: yaml.safe_load(text) for name, text in found.items()}


def test_no_key_is_lost(given: dict[str, Values]) -> None:
    """Terraform names no value that the chart does not have; test_runtime_values.py sees what each of them does."""
    there = set(leaves(DEFAULTS))
    for values in given.values():
        unknown = {path for path in leaves(values) if not any(f"{path}.".startswith(f"{one}.") for one in there)}
        assert unknown == set()


def test_a_release_needs_no_more_than_terraform_says(given: dict[str, Values], kube_api: KubeApi) -> None:
    """Each runtime's values alone make objects that the API server takes, and an environment that the agent takes."""
    for name, values in given.items():
        made = rendered(values, release=name, namespace="default")
        assert kube_api.refusals(one for one in made.objects if one["kind"] != "Pod") == {}
        settings = from_environ(made.environ)
        assert (settings.runtime_name, settings.queue_url) == (name, values["queue"]["url"])
        assert made.pod["serviceAccountName"] == values["serviceAccount"]["name"] == name


def test_what_terraform_was_told_is_what_pods_do(given: dict[str, Values]) -> None:
    """From one end to the other, for what is set there."""
    sdxl, webui = rendered(given["sdxl"], release="sdxl"), rendered(given["webui"], release="webui")
    assert [one["name"] for one in sdxl.scaled["triggers"]] == ["jobs", "bulk"]
    assert sdxl.scaled["triggers"][0]["metadata"]["queueLength"] == "10"  # 60 s to wait, 6 s a job
    assert (sdxl.environ["PREFETCH"], sdxl.environ["ALLOWED_INPUT_BUCKETS"]) == ("4", "uploads")
    assert (webui.environ["DYNAMIC_SD_MODEL"], webui.scaled["maxReplicaCount"]) == ("true", 4)
    assert webui.requirements["node.kubernetes.io/instance-type"] == ["g6.xlarge"]
    assert webui.requirements["karpenter.sh/capacity-type"] == ["on-demand"]


def test_a_cluster_on_one_machine_is_told_the_same(given: dict[str, Values]) -> None:
    """`make cluster` and `make test-cluster` install with Terraform's keys, each of the same type."""
    queues = RuntimeQueues(RuntimeSpec("sdxl", "sdwebui"), "queue", "dead", "bulk")
    topology = Topology("", "", "outputs", "models", "", (queues,), WebhookQueue(*[""] * 5))
    here = types(runtime_values(topology, Emulator("http://localhost", 0, Path()), "sdxl"))
    there = types(given["sdxl"])
    assert here.keys() - there.keys() == _ON_ONE_MACHINE
    assert there.keys() - here.keys() == _ON_AWS
    assert {path: kind for path, kind in here.items() if there.get(path, kind) != kind} == {}


def types(values: Values) -> dict[str, str]:
    """Path of each value → `number`, or its type; what is free in its keys counts as one."""

    def at(path: str) -> str:
        found: Any = values
        for name in path.split("."):
            found = found[name]
        return "number" if isinstance(found, int | float) and not isinstance(found, bool) else type(found).__name__

    whole = {path: next((one for one in _FREE if path.startswith(f"{one}.")), path) for path in leaves(values)}
    return {path: at(path) for path in whole.values()}
