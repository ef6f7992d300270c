"""charts/runtime at a real API server with KEDA's and Karpenter's definitions: each object is taken, strictly."""

import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.charts.runtime_chart import (
    EXAMPLES,
    NAMESPACE,
    Object,
    Rendered,
    example,
    merged,
    render,
    render_all,
    valued,
)
from tests.charts.test_runtime_values import CASES, values

from .kube_api import KubeApi, Rejected

LONG = "r" * 63
SNAPSHOT = {"mode": "snapshot", "snapshotID": "snap-0123456789abcdef0"}
# Where pods run × models × images; what varies besides goes along by turns.
GRID = [
    valued({"nodes": nodes, "models": models, "imageCache": images})
    for nodes in ({"mode": "dedicated"}, {"mode": "shared", "pool": "gpus"}, {"mode": "any"})
    for models in ({"mode": "bucket"}, {"mode": "claim", "claimName": "models"}, {"mode": "none"})
    for images in ({"mode": "soci"}, {"mode": "none"}, SNAPSHOT)
    if nodes["mode"] == "dedicated" or images["mode"] == "none"
]
ALSO = [
    {"runtime.type": "sdwebui", "runtime.checkpoint": "" , "headroom.replicas": 1},
    {"queue.bulkUrl": "https://sqs.eu-west-1.amazonaws.com/123456789012/darkroom-sdxl-bulk", "podMarks.enabled": False},
    {"runtime.accelerator.count": 0, "telemetry.otlpEndpoint": "http://collector:4318"},
    {"networkPolicy.enabled": False, "podDisruptionBudget.maxUnavailable": "", "scaling.paused": True},
]  # fmt: skip


@pytest.fixture(scope="module")
def api(kube_api: KubeApi) -> KubeApi:
    """The server, with a namespace that refuses pods outside of the restricted standard."""
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    kube_api.apply(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": labels}}, keep=True
    )
    # No controller is there to make it.
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": NAMESPACE}}
    kube_api.apply(account, keep=True)
    return kube_api


def pods(made: Rendered) -> Iterator[Object]:
    """The pods of a release as they would be made, for only of pods the server looks at the rights."""
    # Its account and class are not kept here.
    elsewhere = {"spec": {"serviceAccountName": "default", "priorityClassName": ""}}
    for one in made.every("Deployment"):
        template = one["spec"]["template"]
        metadata = {**template["metadata"], "name": f"{one['metadata']['name']}-1", "namespace": NAMESPACE}
        yield merged({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}, elsewhere)
    yield merged(made.one("Pod"), elsewhere)


def taken(api: KubeApi, made: Rendered) -> dict[str, str]:
    """What the server does not take of a release: its objects, and the pods that they would make."""
    return api.refusals([*(one for one in made.objects if one["kind"] != "Pod"), *pods(made)])


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_is_taken(api: KubeApi, path: Any) -> None:
    """With its pods, in a namespace that enforces the restricted standard."""
    assert taken(api, render(example(path))) == {}


@pytest.mark.parametrize("number", range(len(GRID)))
def test_every_combination_is_taken(api: KubeApi, number: int) -> None:
    """Where pods run, where models and images come from, and what else there is."""
    assert taken(api, render(merged(GRID[number], valued(ALSO[number % len(ALSO)])))) == {}


def test_what_each_value_makes_is_taken(api: KubeApi) -> None:
    """Every object that any entry of runtime_values/ makes, each once."""
    render_all(values(case) for case in CASES)
    made = itertools.chain.from_iterable(render(values(case)).objects for case in CASES)
    each = {json.dumps(one, sort_keys=True): one for one in made if one["kind"] != "Pod"}
    assert len(each) > len(CASES)
    assert api.refusals(each.values()) == {}


def test_the_longest_names_are_taken(api: KubeApi) -> None:
    """A runtime's name of 63 characters, and a release's of 53."""
    assert taken(api, render({"runtime": {"name": LONG}, "headroom": {"replicas": 1}}, release="x" * 53)) == {}


def test_the_server_does_refuse(api: KubeApi) -> None:
    """A field that nobody knows, and a NodePool that breaks one of Karpenter's own rules: the tests above can fail."""
    made = render()
    unknown = merged(made.one("ScaledObject"), {"spec": {"scaleOnInFlight": True}})
    reserved = merged(made.one("NodePool"), {"spec": {"template": {"metadata": {"labels": {"karpenter.sh/x": "y"}}}}})
    wrong = [unknown, reserved]
    assert set(api.refusals(wrong)) == {"ScaledObject/sdxl", "NodePool/sdxl"}
    for pod in pods(render({"pod": {"securityContext": {"runAsNonRoot": False}}})):
        with pytest.raises(Rejected, match="restricted"):
            api.apply(pod)
