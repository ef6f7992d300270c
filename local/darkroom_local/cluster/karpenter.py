"""Karpenter beside the cluster instead of in it, against what answers for EC2."""

import base64
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

from scripts.go_tools import crds

from darkroom_local.emulator import free_port

from .control_plane import ControlPlane
from .programs import running

# Karpenter gives nodes the address of the cluster's DNS, which it looks up once.
_DNS = """\
apiVersion: v1
kind: Service
metadata: {name: kube-dns, namespace: kube-system}
spec: {ports: [{name: dns, port: 53, protocol: UDP}]}
"""


@asynccontextmanager
async def karpenter(plane: ControlPlane, aws: Mapping[str, str], cluster: str, queue: str) -> AsyncIterator[None]:
    """Run it.

    Args:
        plane: the control plane.
        aws: variables by which it finds AWS and signs.
        cluster: name of the cluster, by which AWS's resources are tagged.
        queue: name of the queue of interruptions.
    """
    await plane.apply(crds("karpenter"))
    await plane.kubectl("wait", "--for=condition=Established", "crds", "--all", "--timeout=60s")
    await plane.kubectl("apply", "--server-side", "-f", "-", given=_DNS)
    environ = {
        **aws,
        "AWS_REGION": aws["AWS_DEFAULT_REGION"],
        "KUBECONFIG": str(plane.kubeconfig),
        "CLUSTER_NAME": cluster,
        "CLUSTER_ENDPOINT": plane.url,
        "CLUSTER_CA_BUNDLE": base64.b64encode(plane.certificate.read_bytes()).decode(),
        "INTERRUPTION_QUEUE": queue,
        "ISOLATED_VPC": "true",  # prices are asked of an address of AWS's own
        "EKS_CONTROL_PLANE": "false",  # so is the cluster
        "DISABLE_LEADER_ELECTION": "true",
        "SYSTEM_NAMESPACE": "kube-system",
        "KARPENTER_SERVICE": "karpenter",
        "METRICS_PORT": str(free_port()),
        "HEALTH_PROBE_PORT": str(free_port()),
        "BATCH_IDLE_DURATION": "1s",
        "BATCH_MAX_DURATION": "3s",
        "FEATURE_GATES": "SpotToSpotConsolidation=false,NodeRepair=false",
    }
    async with AsyncExitStack() as stack:
        await running(stack, "karpenter", [], plane.folder, **environ)
        yield
