"""KEDA beside the cluster instead of in it: its operator and its metrics adapter as processes of this machine."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

from scripts.go_tools import crds

from darkroom_local.emulator import free_port

from .certificates import self_signed
from .control_plane import ControlPlane
from .programs import running

NAMESPACE = "darkroom-system"
"""Where charts/platform installs it."""
_METRICS = "v1beta1.external.metrics.k8s.io"


@asynccontextmanager
async def keda(plane: ControlPlane, aws: Mapping[str, str]) -> AsyncIterator[None]:
    """Run it, and return when the HPA can ask it.

    Args:
        plane: the control plane, with controllers.
        aws: variables by which it finds AWS and signs: what Pod Identity gives it on EKS.
    """
    folder = plane.folder / "keda"
    folder.mkdir()
    pair = await self_signed(folder, "tls", "localhost", f"keda-operator.{NAMESPACE}.svc")
    (folder / "ca.crt").write_bytes(pair.certificate.read_bytes())
    grpc, adapter = free_port(), free_port()
    await plane.apply(crds("keda"))
    await plane.kubectl("wait", "--for=condition=Established", "crds", "--all", "--timeout=60s")
    await plane.kubectl("apply", "--server-side", "-f", "-", given=_objects(adapter))
    environ = {
        **aws,
        "KUBECONFIG": str(plane.kubeconfig),
        "POD_NAMESPACE": NAMESPACE,
        "WATCH_NAMESPACE": "",
        "KEDA_CLUSTER_OBJECT_NAMESPACE": NAMESPACE,
    }
    operator = [
        f"--cert-dir={folder}",
        f"--ca-dir={folder}",
        "--enable-cert-rotation=false",
        "--leader-elect=false",
        f"--metrics-bind-address=127.0.0.1:{free_port()}",
        f"--health-probe-bind-address=127.0.0.1:{free_port()}",
        f"--metrics-service-bind-address=127.0.0.1:{grpc}",
    ]
    async with AsyncExitStack() as stack:
        await running(stack, "keda-operator", operator, plane.folder, **environ)
        await running(stack, "keda-adapter", _adapter(plane, grpc, adapter), plane.folder, **environ)
        await plane.kubectl("wait", "--for=condition=Available", f"apiservice/{_METRICS}", "--timeout=120s")
        yield


def _adapter(plane: ControlPlane, grpc: int, port: int) -> list[str]:
    ways = ("kubeconfig", "lister-kubeconfig", "authentication-kubeconfig", "authorization-kubeconfig")
    return [
        *(f"--{way}={plane.kubeconfig}" for way in ways),
        f"--port={free_port()}",
        "--bind-address=127.0.0.1",
        f"--secure-port={port}",
        f"--cert-dir={plane.folder / 'keda'}",
        f"--metrics-service-address=localhost:{grpc}",
    ]


def _objects(port: int) -> str:
    """The namespace, the way from the API server to the adapter on loopback, and what charts/platform adds to KEDA."""
    return f"""\
apiVersion: v1
kind: Namespace
metadata: {{name: {NAMESPACE}}}
---
apiVersion: v1
kind: Service
metadata: {{name: keda-operator-metrics-apiserver, namespace: {NAMESPACE}}}
spec: {{type: ExternalName, externalName: localhost, ports: [{{port: {port}}}]}}
---
apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: {{name: {_METRICS}}}
spec:
  group: external.metrics.k8s.io
  version: v1beta1
  service: {{name: keda-operator-metrics-apiserver, namespace: {NAMESPACE}, port: {port}}}
  insecureSkipTLSVerify: true
  groupPriorityMinimum: 100
  versionPriority: 100
---
apiVersion: keda.sh/v1alpha1
kind: ClusterTriggerAuthentication
metadata: {{name: darkroom-sqs}}
spec: {{podIdentity: {{provider: aws}}}}
"""
