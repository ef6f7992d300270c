"""A release of charts/runtime: installed, upgraded and taken away by Helm at a real API server; what its agent may."""

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from darkroom_local.cluster.control_plane import ControlPlane
from tests.charts.runtime_chart import CHART, MINIMAL, Rendered, Values, merged, render, run_helm

from .kube_api import KubeApi, Object, Rejected

NAMESPACE = "releases"
MARKS = {"controller.kubernetes.io/pod-deletion-cost": "100", "karpenter.sh/do-not-disrupt": "true"}


class Release:
    """One release, by Helm's commands."""

    def __init__(self, api: KubeApi, kubeconfig: Path, name: str) -> None:
        self.api = api
        self.name = name
        self._flags = (f"--kubeconfig={kubeconfig}", f"--namespace={NAMESPACE}")

    def run(self, verb: str, values: Values | None = None) -> str:
        """`helm install` or `helm upgrade` with these values on top of the least."""
        status, said = run_helm(verb, self.name, str(CHART), *self._flags, values=merged(MINIMAL, values or {}))
        assert status == 0, said
        return said

    def rollback(self, revision: str) -> None:
        """`helm rollback` to a revision."""
        status, said = run_helm("rollback", self.name, revision, *self._flags)
        assert status == 0, said

    def uninstall(self) -> None:
        """`helm uninstall`."""
        status, said = run_helm("uninstall", self.name, *self._flags)
        assert status == 0, said

    def there(self, thing: Mapping[str, Any]) -> Object | None:
        """An object as it is in the cluster; None if it is not, or is being deleted (nobody here finishes that)."""
        try:
            found = self.api.call("GET", self.api.path_of(thing))
        except Rejected:
            return None
        return None if "deletionTimestamp" in found["metadata"] else found


@pytest.fixture
def release(kube_api: KubeApi, api_server: ControlPlane, request: pytest.FixtureRequest) -> Release:
    """A release that is not there yet, called after the test."""
    kube_api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}, keep=True)
    name = request.node.name.removeprefix("test_").replace("_", "-")[:40]
    return Release(kube_api, api_server.kubeconfig, name)


def objects(release: Release, values: Values | None = None) -> list[Object]:
    """What a release is made of, hooks left out."""
    made = render(values, release=release.name, namespace=NAMESPACE)
    return [one for one in made.objects if "helm.sh/hook" not in one["metadata"].get("annotations", {})]


def test_uninstalling_leaves_only_the_definitions(release: Release) -> None:
    """Everything is there after the install, and nothing after the uninstall; CRDs are not the release's."""
    values = {"headroom": {"replicas": 1}, "runtime": {"files": {"/a": "b"}}}
    said = release.run("install", values)
    assert f"helm test {release.name} --namespace {NAMESPACE} --timeout 1800s --logs" in said
    made = objects(release, values)
    assert [one for one in made if release.there(one) is None] == []
    release.uninstall()
    assert [one["kind"] for one in made if release.there(one) is not None] == []
    crds = release.api.call("GET", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions")["items"]
    assert {"scaledobjects.keda.sh", "nodepools.karpenter.sh"} <= {one["metadata"]["name"] for one in crds}


def test_upgrades_and_rollbacks_keep_the_pods_that_there_are(release: Release) -> None:
    """Their number is KEDA's, whatever else changes or changes back, and whatever it was at the time."""
    release.run("install")
    path = release.api.path_of(next(one for one in objects(release) if one["kind"] == "Deployment"))
    longer = {"jobs": {"maxSeconds": 1800}, "scaling": {"minReplicas": 1}}
    for replicas, values in ((0, {"scaling": {"maxReplicas": 40}}), (5, longer), (3, {})):
        scale(release.api, path, replicas)
        release.run("upgrade", values)
        assert release.api.call("GET", path)["spec"]["replicas"] == replicas
        assert [one["kind"] for one in objects(release, values) if release.there(one) is None] == []
    for revision, replicas in (("3", 4), ("1", 2)):
        scale(release.api, path, replicas)
        release.rollback(revision)
        assert release.api.call("GET", path)["spec"]["replicas"] == replicas
    release.uninstall()


def scale(api: KubeApi, path: str, replicas: int) -> None:
    """What KEDA and the autoscaler do."""
    change = {"spec": {"replicas": replicas}}
    api.call("PATCH", f"{path}/scale", change, "application/merge-patch+json", fieldManager="keda")


def test_a_change_of_models_moves_to_a_new_volume(release: Release) -> None:
    """Volumes and claims are immutable: the new ones are made, the old ones go."""
    release.run("install")
    old = [one for one in objects(release) if one["kind"].startswith("PersistentVolume")]
    release.run("upgrade", {"models": {"bucket": "others"}})
    new = [
        one for one in objects(release, {"models": {"bucket": "others"}}) if one["kind"].startswith("PersistentVolume")
    ]
    assert [release.there(one) is not None for one in old + new] == [False, False, True, True]
    release.uninstall()


@pytest.fixture
def agent(release: Release, api_server: ControlPlane) -> Iterator[tuple[KubeApi, str, str]]:
    """A client with the token that a pod's agent has, the path of its pod, and that of another pod."""
    release.run("install")
    made = Rendered(tuple(objects(release)))
    paths = []
    for number in (1, 2):
        template = made.one("Deployment")["spec"]["template"]
        metadata = {**template["metadata"], "name": f"{release.name}-{number}", "namespace": NAMESPACE}
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {**template["spec"]}}
        release.api.apply(pod, keep=True)
        paths.append(release.api.path_of(pod))
    account = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/{made.pod['serviceAccountName']}/token"
    bound = {"boundObjectRef": {"kind": "Pod", "apiVersion": "v1", "name": f"{release.name}-1"}}
    asked = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": bound}
    client = KubeApi(api_server.kubeconfig, release.api.call("POST", account, asked)["status"]["token"])
    yield client, paths[0], paths[1]
    client.close()
    for path in paths:
        release.api.call("DELETE", path, {"gracePeriodSeconds": 0})
    release.uninstall()


def patch(client: KubeApi, path: str, change: Mapping[str, Any]) -> Object:
    """Change a pod, as far as the change says."""
    return client.call("PATCH", path, change, "application/strategic-merge-patch+json")


def test_an_agent_may_mark_its_pod_and_no_more(agent: tuple[KubeApi, str, str]) -> None:
    """Two annotations of its own pod, to and fro; no other annotation, label, field, pod or verb."""
    client, own, other = agent
    image = [{"name": "agent", "image": "evil"}]
    wrong: dict[str, dict[str, Any]] = {
        "another annotation": {"metadata": {"annotations": {"a": "b"}}},
        "one that is there": {"metadata": {"annotations": {"eks.amazonaws.com/skip-containers": ""}}},
        "one taken away": {"metadata": {"annotations": {"eks.amazonaws.com/skip-containers": None}}},
        "a label": {"metadata": {"labels": {"a": "b"}}},
        "an image": {"spec": {"containers": image}},
        "a finalizer": {"metadata": {"finalizers": ["a/b"]}},
    }
    until_enforced(client, own)
    assert patch(client, own, {"metadata": {"annotations": MARKS}})["metadata"]["annotations"].items() >= MARKS.items()
    for change in wrong.values():
        with pytest.raises(Rejected, match="an agent changes its pod's marks only"):
            patch(client, own, change)
    with pytest.raises(Rejected, match="an agent marks its own pod only"):
        patch(client, other, {"metadata": {"annotations": MARKS}})
    for verb in ("GET", "DELETE"):
        with pytest.raises(Rejected, match="forbidden"):
            client.call(verb, own)
    gone = patch(client, own, {"metadata": {"annotations": dict.fromkeys(MARKS)}})["metadata"]["annotations"]
    assert not gone.keys() & MARKS.keys()


def until_enforced(client: KubeApi, path: str) -> None:
    """A policy that was just made holds a moment later; the server tells nobody when."""
    until = time.monotonic() + 15
    while True:
        try:
            client.call(
                "PATCH", path, {"metadata": {"labels": {"a": "b"}}}, "application/merge-patch+json", dryRun="All"
            )
        except Rejected:
            return
        assert time.monotonic() < until, "the policy is not enforced"
        time.sleep(0.1)
