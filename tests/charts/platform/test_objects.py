"""What charts/platform installs, value by value."""

import json
import re
from typing import Any

import pytest
import yaml

from .chart import CHART
from .conftest import Render

OURS = {
    ("PriorityClass", "darkroom-runtime"),
    ("ClusterTriggerAuthentication", "darkroom-sqs"),
}
STAND_INS = {
    ("ConfigMap", f"stand-in-{name}") for name in ("keda", "opentelemetry-collector", "opentelemetry-collector-logs")
}
KARPENTER = {
    ("ServiceAccount", "karpenter"),
    ("PodDisruptionBudget", "karpenter"),
    *(("ClusterRole", f"platform-karpenter{part}") for part in ("", "-core", "-admin")),
    *(("ClusterRoleBinding", f"platform-karpenter{part}") for part in ("", "-core")),
    *((kind, f"platform-karpenter{part}") for kind in ("Role", "RoleBinding") for part in ("", "-dns")),
    ("Service", "platform-karpenter"),
    ("Deployment", "platform-karpenter"),
}
KARPENTER_CRDS = {
    "capacitybuffers.autoscaling.x-k8s.io",
    "ec2nodeclasses.karpenter.k8s.aws",
    "nodeclaims.karpenter.sh",
    "nodeoverlays.karpenter.sh",
    "nodepools.karpenter.sh",
}
SYSTEM_NODE = {"key": "karpenter.sh/nodepool", "operator": "DoesNotExist"}
CRITICAL = {"key": "CriticalAddonsOnly", "operator": "Exists"}


def affinity_of(given: dict[str, Any]) -> Any:
    """What a pod asks of its node."""
    required = given["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    return required["nodeSelectorTerms"][0]["matchExpressions"]


def test_should_install_this_by_default(rendered: Render) -> None:
    """All objects of a default installation; what a stand-in stands for is one of them."""
    kinds = {(one["kind"], one["metadata"]["name"]) for one in rendered().objects}
    crds = {one for one in kinds if one[0] == "CustomResourceDefinition"}
    assert kinds - crds == OURS | STAND_INS | KARPENTER
    assert {name for _, name in crds if not name.endswith("keda.sh")} == KARPENTER_CRDS


@pytest.mark.parametrize(
    ("switch", "gone"),
    [
        ("keda", {("ConfigMap", "stand-in-keda"), ("ClusterTriggerAuthentication", "darkroom-sqs")}),
        ("karpenter", KARPENTER),
        ("karpenterCrds", {("CustomResourceDefinition", name) for name in KARPENTER_CRDS}),
        ("collector", {("ConfigMap", "stand-in-opentelemetry-collector")}),
        ("logs", {("ConfigMap", "stand-in-opentelemetry-collector-logs")}),
    ],
)
def test_should_leave_out_what_a_cluster_has(rendered: Render, switch: str, gone: set[tuple[str, str]]) -> None:
    """Each part can be left out, and takes no other with it."""

    def names(values: dict[str, Any]) -> set[tuple[str, str]]:
        found = rendered(values).objects
        # KEDA's CRDs are in its stand-in.
        return {(o["kind"], o["metadata"]["name"]) for o in found if not o["metadata"]["name"].endswith("keda.sh")}

    assert names({}) - names({"install": {switch: False}}) == gone


def test_should_keep_every_crd_when_it_is_uninstalled(rendered: Render) -> None:
    """With a CRD all objects of its kind would be deleted: every runtime's scaling, every GPU node."""
    crds = [one for one in rendered().objects if one["kind"] == "CustomResourceDefinition"]
    assert {one["metadata"]["annotations"].get("helm.sh/resource-policy") for one in crds} == {"keep"}
    assert len(crds) == 11


def test_should_let_keda_read_queues_by_pod_identity(rendered: Render) -> None:
    """By the operator's own role; and as a hook, for a new cluster does not know the kind before."""
    hooks = [one for one in rendered().objects if one["kind"] == "ClusterTriggerAuthentication"]
    assert {json.dumps(one["spec"]) for one in hooks} == {'{"podIdentity": {"provider": "aws"}}'}
    when = [one["metadata"]["annotations"]["helm.sh/hook"] for one in hooks]
    assert when == ["post-install,post-upgrade,post-rollback", "pre-delete"]
    assert rendered().given("keda")["serviceAccount"]["operator"]["name"] == "keda-operator"


def test_should_name_the_authentication_as_asked(rendered: Render) -> None:
    """scaling.authentication is its name."""
    assert rendered({"scaling": {"authentication": "ours"}}).names("ClusterTriggerAuthentication") == {"ours"}


def test_should_run_keda_twice_on_system_nodes(rendered: Render) -> None:
    """Each part has a second replica, a budget that spares one, and no place on a node that Karpenter may take away."""
    keda = rendered().given("keda")
    assert [keda[part]["replicaCount"] for part in ("operator", "metricsServer", "webhooks")] == [2, 2, 2]
    assert set(map(str, keda["podDisruptionBudget"].values())) == {"{'maxUnavailable': 1}"}
    assert affinity_of(keda) == [SYSTEM_NODE]
    assert keda["tolerations"] == [CRITICAL]
    assert all(part["requests"] and part["limits"] for part in keda["resources"].values())


def test_should_run_karpenter_twice_on_system_nodes(rendered: Render) -> None:
    """Karpenter's own chart does so, with our numbers."""
    deployment = rendered().of("Deployment", "platform-karpenter")["spec"]
    pod = deployment["template"]["spec"]
    assert deployment["replicas"] == 2
    assert rendered().of("PodDisruptionBudget", "karpenter")["spec"]["maxUnavailable"] == 1
    assert SYSTEM_NODE in affinity_of(pod)
    assert CRITICAL in pod["tolerations"]
    assert pod["serviceAccountName"] == "karpenter"
    assert pod["containers"][0]["resources"]["requests"] == {"cpu": "250m", "memory": "512Mi"}


def test_should_tell_karpenter_its_cluster(rendered: Render) -> None:
    """Name, endpoint and queue reach the controller's environment."""
    pod = rendered({"karpenter": {"settings": {"clusterEndpoint": "https://eks"}}}).of(
        "Deployment", "platform-karpenter"
    )
    environment = {one["name"]: one.get("value") for one in pod["spec"]["template"]["spec"]["containers"][0]["env"]}
    names = ("CLUSTER_NAME", "CLUSTER_ENDPOINT", "INTERRUPTION_QUEUE", "EKS_CONTROL_PLANE")
    assert [environment[name] for name in names] == ["darkroom", "https://eks", "darkroom-interruption", "true"]


def test_should_rank_runtimes_above_pods_without_a_class(rendered: Render) -> None:
    """priorityClass: its name and value; without a name there is none."""
    assert rendered().of("PriorityClass", "darkroom-runtime")["value"] == 1000
    other = rendered({"priorityClass": {"name": "ours", "value": -7}})
    assert other.of("PriorityClass", "ours")["value"] == -7
    assert rendered({"priorityClass": {"name": ""}}).names("PriorityClass") == set()


def test_should_measure_gpus_by_choice(rendered: Render) -> None:
    """The exporter runs on every NVIDIA node, whatever its taints, and the collector finds it by its name."""
    with_gpus = rendered({"install": {"gpuMetrics": True}})
    assert "stand-in-dcgm-exporter" not in rendered().names("ConfigMap")
    given = with_gpus.given("dcgm-exporter")
    assert given["nodeSelector"] == {"karpenter.k8s.aws/instance-gpu-manufacturer": "nvidia"}
    assert given["tolerations"] == [{"operator": "Exists"}]
    assert given["service"]["clusterIP"] == "None"
    assert not given["serviceMonitor"]["enabled"]
    (job,) = with_gpus.collector()["receivers"]["prometheus"]["config"]["scrape_configs"]
    assert job["dns_sd_configs"][0]["names"] == [f"{given['fullnameOverride']}.darkroom-system.svc"]
    assert job["dns_sd_configs"][0]["port"] == given["service"]["port"]


def test_should_bring_dashboards_by_choice(rendered: Render) -> None:
    """Config maps that Grafana's sidecar finds; each holds a dashboard that is JSON."""
    assert not [name for name in rendered().names("ConfigMap") if name.startswith("darkroom-dashboard")]
    asked = rendered({"grafana": {"dashboards": True, "labels": {"ours": "yes"}}})
    files = sorted(CHART.glob("dashboards/*.json"))
    assert files
    for file in files:
        found = asked.of("ConfigMap", f"darkroom-dashboard-{file.stem}")
        assert found["metadata"]["labels"]["ours"] == "yes"
        assert json.loads(found["data"][file.name]) == json.loads(file.read_text())


def test_should_say_the_next_command(rendered: Render) -> None:
    """The notes: how to see that it runs, and how to install a runtime."""
    notes = rendered().notes
    assert "kubectl --namespace darkroom-system get pods" in notes
    assert re.search(r"helm upgrade --install \w+ charts/runtime --namespace darkroom", notes)
    assert "darkroom-collector.darkroom-system:4318" in notes
    assert "darkroom-collector" not in rendered({"install": {"collector": False}}).notes
    assert "install.karpenter is false" in rendered({"install": {"karpenter": False}}).notes


def test_should_pass_any_value_of_a_dependency(rendered: Render) -> None:
    """What stands under a dependency's name reaches its chart."""
    assert rendered({"keda": {"logging": {"operator": {"level": "debug"}}}}).given("keda")["logging"]["operator"] == {
        **yaml.safe_load((CHART / "values.yaml").read_text())["keda"]["logging"]["operator"],
        "level": "debug",
        "timeEncoding": "rfc3339",
        "stackTracesEnabled": False,
    }
