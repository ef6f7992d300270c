"""A real node: containerd and kubelet in a namespace of their own, with as many GPUs as are wanted."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from scripts.go_tools import program

from darkroom_local.processes import Child, start

from .control_plane import ControlPlane
from .machine import CNI_PLUGINS
from .namespace import Namespace
from .pause import PAUSE_IMAGE, pause_image
from .programs import ClusterFailed, run, tail, until

_READY = "120s"
_START_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Node:
    """A node that is ready for pods."""

    name: str
    namespace: Namespace
    socket: Path
    pod_logs: Path
    """Logs of containers: <namespace>_<pod>_<uid>/<container>/<n>.log."""

    async def load(self, image: Path) -> None:
        """Give the node an image, as `docker save` writes them; pods use it with imagePullPolicy Never."""
        await self.ctr("images", "import", image)

    async def ctr(self, *arguments: str | Path) -> str:
        """Tell containerd something; what it answers."""
        return await run("ctr", f"--address={self.socket}", "--namespace=k8s.io", *arguments)


@asynccontextmanager
async def node(plane: ControlPlane, within: Namespace, *, name: str = "real", gpus: int = 4) -> AsyncIterator[Node]:
    """Run one until the context ends.

    Raises:
        ToolUnavailable: the kubelet cannot be had here.
        ClusterFailed: it did not become ready.
    """
    folder = plane.folder / name
    folder.mkdir()
    made = Node(name, within, folder / "containerd.sock", folder / "pod-logs")
    async with AsyncExitStack() as stack:
        container_runtime = await _begin(
            stack, within, folder, "containerd", "containerd", "-c", _containerd(made, folder)
        )
        await until(lambda: _listens(made.socket), container_runtime, "containerd", _START_SECONDS)
        await made.load(pause_image(folder))
        flags = _kubelet(made, folder, plane)
        kubelet = await _begin(stack, within, folder, "kubelet", await asyncio.to_thread(program, "kubelet"), *flags)
        await _ready(kubelet, plane, name)
        gpu = [{"op": "add", "path": "/status/capacity/nvidia.com~1gpu", "value": str(gpus)}]
        await plane.kubectl("patch", "node", name, "--subresource=status", "--type=json", f"--patch={json.dumps(gpu)}")
        yield made


async def _begin(stack: AsyncExitStack, within: Namespace, folder: Path, name: str, *command: str | Path) -> Child:
    environ = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
    child = await start(within.within(*command), environ, folder / f"{name}.log")
    stack.push_async_callback(child.stop)
    return child


def _containerd(made: Node, folder: Path) -> Path:
    network = folder / "cni" / "10-darkroom.conflist"
    network.parent.mkdir()
    addresses = {
        "type": "host-local",
        "dataDir": str(folder / "cni-addresses"),  # it would remember them beyond the node's end
        "ranges": [[{"subnet": made.namespace.pods}]],
        "routes": [{"dst": "0.0.0.0/0"}],
    }
    bridge = {"type": "bridge", "bridge": "pods0", "isGateway": True, "ipam": addresses}
    network.write_text(json.dumps({"cniVersion": "1.0.0", "name": "darkroom", "plugins": [bridge]}))
    settings = folder / "containerd.toml"
    # restrict_oom_score_adj: without CAP_SYS_RESOURCE, as in many a container, no sandbox would start otherwise.
    settings.write_text(f"""\
version = 2
root = "{folder / "containerd"}"
state = "{folder / "containerd-state"}"
[grpc]
  address = "{made.socket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE_IMAGE}"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{CNI_PLUGINS}"
    conf_dir = "{network.parent}"
""")
    return settings


def _kubelet(made: Node, folder: Path, plane: ControlPlane) -> list[str]:
    settings = folder / "kubelet.yaml"
    settings.write_text(f"""\
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: {made.namespace.node}
authentication: {{anonymous: {{enabled: true}}, webhook: {{enabled: false}}}}
authorization: {{mode: AlwaysAllow}}
cgroupDriver: cgroupfs
cgroupRoot: /{made.namespace.link}
clusterDomain: cluster.local
containerRuntimeEndpoint: unix://{made.socket}
enforceNodeAllocatable: []
failCgroupV1: false
failSwapOn: false
imageGCHighThresholdPercent: 100
evictionHard: {{memory.available: 100Mi, nodefs.available: 1Mi, imagefs.available: 1Mi}}
nodeStatusUpdateFrequency: 4s
podLogsDir: {made.pod_logs}
volumePluginDir: {folder / "volume-plugins"}
""")
    return [
        f"--kubeconfig={plane.kubeconfig}",
        f"--config={settings}",
        f"--root-dir={folder / 'kubelet'}",
        f"--cert-dir={folder / 'kubelet-certificates'}",
        f"--hostname-override={made.name}",
        f"--node-ip={made.namespace.node}",
        "--node-labels=darkroom/node=real",
    ]


def _listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0


async def _ready(kubelet: Child, plane: ControlPlane, name: str) -> None:
    try:
        await plane.kubectl("wait", "--for=create", f"node/{name}", f"--timeout={_READY}")
        await plane.kubectl("wait", "--for=condition=Ready", f"node/{name}", f"--timeout={_READY}")
    except ClusterFailed as error:
        raise ClusterFailed(f"the node is not ready ({error}); its kubelet says: {tail(kubelet.log)}") from error
