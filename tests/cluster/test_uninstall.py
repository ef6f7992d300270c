"""A release that is removed takes everything with it but what all share."""

import json

import pytest

from .rig import Rig, label

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_uninstalling_leaves_the_definitions_and_nothing_else(rig: Rig) -> None:
    """No object of the release is left anywhere, nor any that one of its objects made; CRDs are."""
    before = await definitions(rig)
    assert "scaledobjects.keda.sh" in before
    async with rig.runtime("other"):
        await rig.kubectl("wait", "--for=condition=Ready", "scaledobject/other", "--timeout=300s")
        installed = await objects_of(rig, "other")
        assert {"Deployment", "ScaledObject", "ServiceAccount"} <= {kind for kind, _ in installed}
    await rig.kubectl("wait", "--for=delete", "hpa", "--all", "--timeout=300s")
    assert await objects_of(rig, "other") == set()
    left = await objects_in_namespace(rig)
    assert left <= {("ConfigMap", "kube-root-ca.crt"), ("ServiceAccount", "default")}
    assert await definitions(rig) >= before


async def definitions(rig: Rig) -> set[str]:
    """Names of the CRDs. Other tests may bring some meanwhile."""
    said = await rig.kubectl("get", "crds", "--output=name")
    return {line.rpartition("/")[2] for line in said.split()}


async def objects_of(rig: Rig, release: str) -> set[tuple[str, str]]:
    """Kind and name of everything that bears the release's label, in all namespaces and in none."""
    return await _objects(rig, "--all-namespaces", f"--selector={label(release)}")


async def objects_in_namespace(rig: Rig) -> set[tuple[str, str]]:
    """Kind and name of everything in our namespace, but for events."""
    return await _objects(rig, f"--namespace={rig.namespace}", namespaced=True)


async def _objects(rig: Rig, *chosen: str, namespaced: bool = False) -> set[tuple[str, str]]:
    only = ["--namespaced=true"] if namespaced else []
    kinds = (await rig.kubectl("api-resources", "--verbs=list", "--output=name", *only)).split()
    passing = ("events", "metrics")  # events outlive what they tell of; metrics are no objects
    wanted = ",".join(kind for kind in kinds if not kind.startswith(passing) and ".metrics.k8s.io" not in kind)
    found = json.loads(
        await rig.cluster.plane.kubectl("get", wanted, *chosen, "--output=json", "--ignore-not-found") or "{}"
    )
    return {(one["kind"], one["metadata"]["name"]) for one in found.get("items", ())}
