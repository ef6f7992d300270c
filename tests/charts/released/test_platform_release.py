"""charts/platform in a real API server: it installs into a new cluster, upgrades CRDs, and leaves only CRDs behind."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest_asyncio
import yaml
from scripts.go_tools import ToolUnavailable, crds

from darkroom_local.cluster.control_plane import ControlPlane, control_plane
from tests.charts.conftest import unavailable
from tests.charts.platform.chart import LEAST, NAMESPACE, helm_run, values_file

# Kinds of all that the chart makes beside CRDs; Helm keeps its releases in secrets.
KINDS = (
    "deployments,daemonsets,services,serviceaccounts,configmaps,secrets,poddisruptionbudgets,roles,rolebindings,"
    "clusterroles,clusterrolebindings,priorityclasses"
)
POOL = {
    "apiVersion": "karpenter.sh/v1",
    "kind": "NodePool",
    "metadata": {"name": "gpu"},
    "spec": {
        "template": {
            "spec": {
                "nodeClassRef": {"group": "karpenter.k8s.aws", "kind": "EC2NodeClass", "name": "gpu"},
                "requirements": [{"key": "karpenter.sh/capacity-type", "operator": "In", "values": ["spot"]}],
            }
        }
    },
}


@dataclass(frozen=True)
class Release:
    """The release `platform` in a cluster of its own."""

    helm: Path
    chart: Path
    cluster: ControlPlane

    def run(self, *words: str) -> tuple[int, str]:
        """Run Helm there; its status, and what it said."""
        environ = {"KUBECONFIG": str(self.cluster.kubeconfig)}
        return helm_run(self.helm, *words, f"--namespace={NAMESPACE}", environ=environ)

    def upgrade(self, *flags: str, values: dict[str, Any] | None = None) -> tuple[int, str]:
        """Install it or bring it up to date, as the docs say it, with these flags."""
        given = values_file(self.chart, LEAST, values or {})
        return self.run("upgrade", "--install", "platform", str(self.chart), "--create-namespace", *given, *flags)

    async def names(self, kinds: str) -> set[str]:
        """`kind/name` of what there is of these kinds."""
        found = await self.cluster.kubectl("get", kinds, "--all-namespaces", "--output=name")
        return {line.strip() for line in found.splitlines()}

    async def annotations(self, crd: str) -> dict[str, str]:
        """Annotations of a CRD."""
        found = json.loads(await self.cluster.kubectl("get", "crd", crd, "--output=json"))
        return dict(found["metadata"]["annotations"])


@pytest_asyncio.fixture
async def release(helm: Path, chart: Path, tmp_path: Path) -> AsyncIterator[Release]:
    """The release, not installed, in a cluster that nobody has installed anything into."""
    try:
        async with control_plane(tmp_path) as plane:
            yield Release(helm, chart, plane)
    except ToolUnavailable as reason:
        unavailable(reason)


async def test_its_life_in_a_cluster(release: Release) -> None:
    """Install, upgrade, uninstall, and once more: what runtimes need outlives the platform, and nothing else does."""
    before = await release.names(KINDS)
    # Without --skip-crds Karpenter's chart brings its CRDs a second time: nobody's, as an earlier Karpenter's would be.
    status, said = release.upgrade()
    assert status != 0
    assert "invalid ownership metadata" in said
    assert await release.names("crds") == {
        f"customresourcedefinition.apiextensions.k8s.io/{one}" for one in _karpenters()
    }

    # As the docs say it, the release makes them its own; KEDA's, which are not there yet, come with it.
    status, said = release.upgrade("--skip-crds", "--take-ownership")
    assert status == 0, said
    assert (await release.annotations("nodepools.karpenter.sh"))["helm.sh/resource-policy"] == "keep"
    assert await release.names("clustertriggerauthentications") == {"clustertriggerauthentication.keda.sh/darkroom-sqs"}
    assert "deployment.apps/platform-karpenter" in await release.names("deployments")

    await release.cluster.kubectl("apply", "--server-side", "--filename=-", given=yaml.safe_dump(POOL))
    moved = {"additionalAnnotations": {"moved": "on"}}
    status, said = release.upgrade("--skip-crds", values={"karpenter-crd": moved, "keda": {"crds": moved}})
    assert status == 0, said
    for crd in ("nodepools.karpenter.sh", "scaledobjects.keda.sh"):
        assert (await release.annotations(crd))["moved"] == "on"

    status, said = release.run("uninstall", "platform")
    assert status == 0, said
    assert await release.names(KINDS) == before
    assert await release.names("clustertriggerauthentications") == set()
    assert await release.names("nodepools") == {"nodepool.karpenter.sh/gpu"}
    assert len(await release.names("crds")) == len(crds("keda")) + len(crds("karpenter"))

    # A new cluster needs no second flag: the CRDs that stayed are the release's, and those that are gone come again.
    await release.cluster.kubectl("delete", "crd", "clustertriggerauthentications.keda.sh")
    status, said = release.upgrade("--skip-crds")
    assert status == 0, said
    assert await release.names("clustertriggerauthentications") == {"clustertriggerauthentication.keda.sh/darkroom-sqs"}


def _karpenters() -> list[str]:
    names = [yaml.load(file.read_text(), yaml.CSafeLoader)["metadata"]["name"] for file in crds("karpenter")]
    return [str(name) for name in names]
