"""A real API server with the CRDs of KEDA and Karpenter: `dry_run` asks it about manifests."""

import os
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import pytest_asyncio
from scripts.go_tools import program

from darkroom_local.cluster.control_plane import ControlPlane

from .api_server import api_server_with_definitions
from .kube_api import KubeApi
from .terraform_outputs import state


@pytest.fixture(scope="session", autouse=True)
def terraform_begins(request: pytest.FixtureRequest) -> Iterator[None]:
    """Terraform's outputs (ten seconds) are made beside other tests, if any test here wants them."""
    if not any("terraform" in item.nodeid.rpartition("/")[2] for item in request.session.items):
        yield
        return
    with ThreadPoolExecutor(1) as pool:
        pool.submit(state)  # who asks for it later gets what it gave, or hears why not
        yield


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def api_server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ControlPlane]:
    """One for the session: tests ask it by dry runs, or keep to names of their own."""
    async with api_server_with_definitions(tmp_path_factory.mktemp("control-plane")) as plane:
        yield plane


@pytest.fixture(scope="session")
def dry_run(api_server: ControlPlane) -> Callable[[str], str]:
    """Give manifests (YAML, several documents) to the API server, as `kubectl apply --server-side` does; keep nothing.

    It gives what was said about each, and raises AssertionError with the server's words if one is refused: a field
    that it does not know, a wrong type, a name that is too long, a rule of a CRD.
    """

    def ask(manifests: str) -> str:
        command = [
            str(program("kubectl")),
            "apply",
            "--server-side",
            "--dry-run=server",
            "--validate=strict",
            "-f",
            "-",
        ]
        environ = {**os.environ, "KUBECONFIG": str(api_server.kubeconfig)}
        done = subprocess.run(command, input=manifests, env=environ, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return ask


@pytest.fixture(scope="session")
def kube_api(api_server: ControlPlane) -> Iterator[KubeApi]:
    """A client of the API server, as its administrator."""
    api = KubeApi(api_server.kubeconfig)
    yield api
    api.close()
