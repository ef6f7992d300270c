"""Nodes that only say that they run pods (kwok): for what is about scheduling and scaling, not about containers."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from scripts.go_tools import module_folder

from .control_plane import ControlPlane
from .programs import running

_ANNOTATION = {"kwok.x-k8s.io/node": "fake"}
_STAGES = ("node/fast", "node/heartbeat", "pod/fast")


@asynccontextmanager
async def kwok(plane: ControlPlane) -> AsyncIterator[None]:
    """Play the kubelet of every node that `fake_node` describes."""
    stages = module_folder("kwok") / "kustomize" / "stage"
    files = (file for stage in _STAGES for file in sorted((stages / stage).glob("*.yaml")))
    chosen = [file.read_text() for file in files if file.name != "kustomization.yaml"]
    settings = plane.folder / "kwok.yaml"
    settings.write_text("\n---\n".join(chosen))
    flags = [
        f"--kubeconfig={plane.kubeconfig}",
        f"--config={settings}",
        "--manage-all-nodes=false",
        "--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake",
    ]
    async with AsyncExitStack() as stack:
        await running(stack, "kwok", flags, plane.folder)
        yield


def fake_node(name: str, *, labels: Mapping[str, str], capacity: Mapping[str, str], **spec: Any) -> str:
    """The manifest of a node of kwok's.

    Args:
        name: of the node.
        labels: beside its host name.
        capacity: what pods can ask for, e.g. `{"nvidia.com/gpu": "1"}`.
        spec: fields of its spec, e.g. providerID and taints.
    """
    resources = {"cpu": "16", "memory": "64Gi", "pods": "110", **capacity}
    node = {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "annotations": _ANNOTATION,
            "labels": {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", **labels},
        },
        "spec": spec,
        "status": {"capacity": resources, "allocatable": resources},
    }
    return json.dumps(node)
