"""etcd and kube-apiserver on this machine: an API of Kubernetes in seconds, for as long as its context lasts.

It answers as a cluster's does (schemas, defaults, admission, RBAC, CRDs), and nothing in it moves by itself:
controllers, scheduler and nodes are other files.
"""

import asyncio
import secrets
import ssl
import urllib.request
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from scripts.go_tools import program

from darkroom_local.emulator import free_port

from .certificates import Pair, private_key, self_signed, signed_by
from .programs import run, running, until

_START_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Address:
    """Where the API server listens."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class ControlPlane:
    """A running API server, its files, and the way in as its administrator."""

    url: str
    folder: Path
    kubeconfig: Path
    service_account_key: Path
    certificate: Path
    """What a client checks the API server by."""

    async def kubectl(self, *arguments: str | Path, given: str = "") -> str:
        """Run kubectl as administrator, with `given` on its standard input; its output.

        Raises:
            ClusterFailed: with what it said.
        """
        return await run(program("kubectl"), *arguments, given=given, KUBECONFIG=str(self.kubeconfig))

    async def apply(self, files: Iterable[Path]) -> None:
        """Apply manifests by the server: CRDs are too large for the client's way."""
        names = [word for file in files for word in ("-f", str(file))]
        await self.kubectl("apply", "--server-side", "--force-conflicts", *names)


@asynccontextmanager
async def control_plane(
    folder: Path, *, address: Address | None = None, services: str = "10.0.0.0/24"
) -> AsyncIterator[ControlPlane]:
    """Run one, with its files in `folder`; start it from the main thread, as every child here.

    Args:
        folder: for data, keys, logs and the kubeconfig; it must exist.
        address: where to listen; a free port of loopback if it is not said.
        services: range of the addresses of Services.

    Raises:
        ToolUnavailable: a program cannot be had here.
        ClusterFailed: one of them does not start.
    """
    at = address or Address("127.0.0.1", free_port())
    key, front = await asyncio.gather(private_key(folder / "service-accounts.key"), _front_proxy(folder))
    token = secrets.token_urlsafe(32)
    tokens = folder / "tokens.csv"
    tokens.write_text(f"{token},administrator,administrator,system:masters\n")
    tokens.chmod(0o600)
    async with AsyncExitStack() as stack:
        etcd, data = await _etcd(folder)
        await running(stack, "etcd", etcd, folder)
        flags = [*_api_server(folder, at, data, services), *_trust(key, tokens, *front)]
        server = await running(stack, "kube-apiserver", flags, folder)
        url = f"https://{at.host}:{at.port}"
        plane = ControlPlane(url, folder, folder / "kubeconfig", key, folder / "serving" / "apiserver.crt")
        await until(lambda: _ready(plane, token), server, "kube-apiserver", _START_SECONDS)
        _write_kubeconfig(plane, token)
        yield plane


async def _front_proxy(folder: Path) -> tuple[Pair, Pair]:
    """The authority and the client by which the API server shows itself to the servers behind it (KEDA's metrics)."""
    authority = await self_signed(folder, "front-proxy-ca")
    return authority, await signed_by(authority, folder, "front-proxy-client")


async def _etcd(folder: Path) -> tuple[list[str], str]:
    client, peer = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
    flags = [f"--data-dir={folder / 'etcd'}", f"--listen-client-urls={client}", f"--advertise-client-urls={client}"]
    # A test's cluster need not outlive a power cut, and a disk's flush is most of a write's time.
    flags += [f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}", "--unsafe-no-fsync"]
    return [*flags, f"--initial-cluster=default={peer}", "--log-level=warn"], client


def _api_server(folder: Path, at: Address, etcd: str, services: str) -> list[str]:
    return [
        f"--etcd-servers={etcd}",
        f"--cert-dir={folder / 'serving'}",
        f"--bind-address={at.host}",
        f"--secure-port={at.port}",
        f"--service-cluster-ip-range={services}",
        "--service-account-issuer=https://kubernetes.default.svc",
        "--authorization-mode=Node,RBAC",
        "--allow-privileged=true",
        "--kubelet-preferred-address-types=InternalIP",  # nodes have no names that anybody resolves
        "--endpoint-reconciler-type=none",  # it would write an endpoint that loopback cannot be
        "--shutdown-delay-duration=0s",
        "--profiling=false",
    ]


def _trust(key: Path, tokens: Path, authority: Pair, client: Pair) -> list[str]:
    return [
        f"--service-account-key-file={key}",
        f"--service-account-signing-key-file={key}",
        f"--token-auth-file={tokens}",
        f"--requestheader-client-ca-file={authority.certificate}",
        "--requestheader-allowed-names=front-proxy-client",
        "--requestheader-username-headers=X-Remote-User",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        f"--proxy-client-cert-file={client.certificate}",
        f"--proxy-client-key-file={client.key}",
    ]


def _ready(plane: ControlPlane, token: str) -> bool:
    if not plane.certificate.exists():
        return False
    context = ssl.create_default_context(cafile=plane.certificate)
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
    request = urllib.request.Request(f"{plane.url}/readyz", headers={"Authorization": f"Bearer {token}"})  # noqa: S310
    try:
        with direct.open(request, timeout=5):
            return True
    except OSError:
        return False


def _write_kubeconfig(plane: ControlPlane, token: str) -> None:
    plane.kubeconfig.touch(0o600)
    plane.kubeconfig.write_text(f"""\
apiVersion: v1
kind: Config
clusters: [{{name: darkroom, cluster: {{server: "{plane.url}", certificate-authority: "{plane.certificate}"}}}}]
users: [{{name: administrator, user: {{token: "{token}"}}}}]
contexts: [{{name: darkroom, context: {{cluster: darkroom, user: administrator}}}}]
current-context: darkroom
""")
