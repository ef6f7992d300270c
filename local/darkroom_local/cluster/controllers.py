"""What moves a cluster: the controllers and the scheduler, beside a control plane."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from .control_plane import ControlPlane
from .programs import running


@asynccontextmanager
async def controllers(plane: ControlPlane) -> AsyncIterator[None]:
    """Run them.

    The HPA looks every 2 s instead of every 15, so that a test's minutes are spent on what is tested.
    """
    quiet = ["--leader-elect=false", "--bind-address=127.0.0.1", "--secure-port=0", f"--kubeconfig={plane.kubeconfig}"]
    manager = [
        *quiet,
        f"--service-account-private-key-file={plane.service_account_key}",
        f"--root-ca-file={plane.certificate}",
        "--use-service-account-credentials=true",
        "--horizontal-pod-autoscaler-sync-period=2s",
        "--node-monitor-period=2s",
        "--node-monitor-grace-period=20s",
    ]
    async with AsyncExitStack() as stack:
        await running(stack, "kube-controller-manager", manager, plane.folder)
        await running(stack, "kube-scheduler", quiet, plane.folder)
        yield
