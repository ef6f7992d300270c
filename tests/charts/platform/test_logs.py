"""The collector of logs: every pod's lines, to a group that Terraform made, with ids that lead to traces."""

import fnmatch
from typing import Any

from .conftest import Render


def test_should_read_every_pods_log_but_its_own(rendered: Render) -> None:
    """As the kubelet names them: namespace, pod and uid, container, restart."""
    receiver = rendered().collector("-logs")["receivers"]["filelog"]

    def read(path: str) -> bool:
        def matches(patterns: list[str]) -> bool:
            return any(fnmatch.fnmatch(path, pattern) for pattern in patterns)

        return matches(receiver["include"]) and not matches(receiver["exclude"])

    uid = "5c0ffee0-0000-4000-8000-000000000000"
    assert read(f"/var/log/pods/darkroom_sdxl-6d5f9c7b8-x2x7q_{uid}/agent/0.log")
    assert read(f"/var/log/pods/kube-system_coredns-5d78c9869d-abcde_{uid}/coredns/3.log")
    assert not read(f"/var/log/pods/darkroom-system_darkroom-logs-agent-x2x7q_{uid}/opentelemetry-collector/0.log")


def test_should_run_on_every_node_with_no_more_rights_than_it_needs(rendered: Render) -> None:
    """Taints do not keep it away; it owns the files that it reads, has no capability and writes its state alone."""
    given = rendered().given("opentelemetry-collector-logs")
    assert given["mode"] == "daemonset"
    assert given["tolerations"] == [{"operator": "Exists"}]
    rights = given["securityContext"]
    assert rights["capabilities"] == {"drop": ["ALL"]}
    assert (rights["allowPrivilegeEscalation"], rights["readOnlyRootFilesystem"]) == (False, True)
    writable = [mount["mountPath"] for mount in given["extraVolumeMounts"] if not mount.get("readOnly")]
    assert writable == [rendered().collector("-logs")["extensions"]["file_storage"]["directory"]]
    assert not any(port["enabled"] for port in given["ports"].values())


def test_should_use_what_is_defined_and_nothing_else(rendered: Render) -> None:
    """Each component is in the image (otelcol-contrib), defined, and in the one pipeline."""
    config = rendered().collector("-logs")
    parts = {
        "extensions": {"health_check", "file_storage"},
        "receivers": {"filelog"},
        "processors": {"memory_limiter", "batch"},
        "exporters": {"awscloudwatchlogs"},
    }
    assert {kind: set(config[kind]) for kind in parts} == parts
    (pipe,) = config["service"]["pipelines"].values()
    used = {kind: set(pipe[kind]) for kind in parts if kind != "extensions"}
    assert used | {"extensions": set(config["service"]["extensions"])} == parts
    assert config["receivers"]["filelog"]["storage"] == "file_storage"


def test_should_send_them_where_traces_look_for_them(rendered: Render) -> None:
    """X-Ray's segments name the group of the logs, in the cluster's region."""
    cluster: dict[str, Any] = {"clusterName": "studio"}
    made = rendered({"global": {**cluster, "region": "cn-north-1"}, "karpenter": {"settings": cluster}})
    exporter = made.collector("-logs")["exporters"]["awscloudwatchlogs"]
    assert (exporter["region"], exporter["log_group_name"]) == ("cn-north-1", "/darkroom/studio/pods")
    assert made.collector()["exporters"]["awsxray"]["aws_log_groups"] == [exporter["log_group_name"]]
