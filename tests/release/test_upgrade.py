"""From the version before: its charts are upgraded on a real API server, and what it wrote is still read.

The version before is the newest tag. As long as there is none, it is the first commit that has the runtime chart.
"""

import json
import os
import subprocess
import sys
import tarfile
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_asyncio
import yaml

from darkroom_contract.document import JobDocument
from darkroom_contract.message import read_message
from darkroom_contract.notification import read_notification
from darkroom_local.cluster.control_plane import ControlPlane
from tests.charts.released.api_server import api_server_with_definitions
from tests.charts.runtime_chart import MINIMAL

ROOT = Path(__file__).parents[2]
_FIRST = ["rev-list", "--reverse", "HEAD", "--", "charts/runtime/Chart.yaml"]
WRITER = """
import sys, msgspec
from darkroom_contract.document import JobDocument
from darkroom_contract.notification import encode_notification, notification_of
document = msgspec.json.decode(sys.stdin.buffer.read(), type=JobDocument)
said = encode_notification(notification_of(document, "s3://outputs/jobs/0/a.json"))
print(msgspec.json.encode([msgspec.Raw(msgspec.json.encode(document)), said]).decode())
"""
DOCUMENT: dict[str, Any] = {
    "id": "a",
    "runtime": "sdxl",
    "task": "text-to-image",
    "state": "completed",
    "attempt": 2,
    "submitted_at": "2026-01-01T00:00:00Z",
    "started_at": "2026-01-01T00:00:01Z",
    "finished_at": "2026-01-01T00:00:09Z",
    "artifacts": [
        {
            "url": "s3://outputs/sdxl/a/0-abc.png",
            "content_type": "image/png",
            "bytes": 9,
            "sha256": "ab",
            "width": 8,
            "height": 8,
        }
    ],
    "response": {"info": "seed 1"},
    "timings": {"queued": 1.0, "prepare": 0.1, "runtime": 7.0, "store": 0.2, "nodes": {"3": 6.5}},
    "context": {"caller": 7},
    "request_digest": "sha256:1",
}
MESSAGE = {
    "id": "a",
    "runtime": "sdxl",
    "task": "pipeline",
    "input": {"3": {"class_type": "KSampler", "inputs": {}}},
    "prefix": "sdxl/2026",
    "context": {"caller": 7},
    "timeout_seconds": 60,
    "ttl_seconds": 600,
    "tenant": "red",
    "priority": "bulk",
    "output": {"format": "webp", "quality": 80, "metadata": "strip"},
    "webhook": {"url": "https://example.com/hook", "events": ["completed"]},
}
"""All fields of a job message, as the first version had them."""


def git(*arguments: str) -> bytes:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=True).stdout


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sources of the version before."""
    tags = git("tag", "--list", "v*", "--merged", "HEAD^", "--sort=-version:refname").decode().split()
    commit = tags[0] if tags else git(*_FIRST).decode().split()[0]
    folder = tmp_path_factory.mktemp("before")
    with tarfile.open(fileobj=BytesIO(git("archive", commit, "charts", "contract"))) as archive:
        archive.extractall(folder, filter="data")
    return folder


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def plane(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ControlPlane]:
    """A real API server with the definitions of KEDA and Karpenter."""
    async with api_server_with_definitions(tmp_path_factory.mktemp("control-plane")) as running:
        yield running


@pytest.mark.asyncio(loop_scope="module")
async def test_a_runtime_is_upgraded_in_place(before: Path, plane: ControlPlane, helm: Path, tmp_path: Path) -> None:
    """With the same values, by one `helm upgrade`: nothing that cannot be changed changes. And back."""
    values = tmp_path / "values.yaml"
    values.write_text(yaml.safe_dump(MINIMAL))
    environ = {**os.environ, "KUBECONFIG": str(plane.kubeconfig)}

    def run(*arguments: str | Path) -> str:
        done = subprocess.run([helm, *arguments], env=environ, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    release = ("sdxl", "--namespace", "darkroom")
    run("install", "sdxl", before / "charts/runtime", "--namespace", "darkroom", "--create-namespace", "-f", values)
    first = await _uid(plane)
    run("upgrade", "sdxl", ROOT / "charts/runtime", "--namespace", "darkroom", "--reset-values", "-f", values)
    assert await _uid(plane) == first
    run("rollback", *release)
    assert await _uid(plane) == first
    run("uninstall", *release)


async def _uid(plane: ControlPlane) -> str:
    return await plane.kubectl("get", "deployment/sdxl", "--namespace=darkroom", "--output=jsonpath={.metadata.uid}")


def test_what_was_written_is_still_read(before: Path) -> None:
    """A job document and a notification that the version before wrote."""
    done = subprocess.run(
        [sys.executable, "-c", WRITER],
        input=json.dumps(DOCUMENT),
        env={"PYTHONPATH": str(before / "contract")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    document, notification = json.loads(done.stdout)
    read = msgspec.convert(document, JobDocument)
    assert (read.id, read.state, read.attempt, len(read.artifacts)) == ("a", "completed", 2, 1)
    assert read.timings.nodes == {"3": 6.5}
    assert read_notification(notification).context == {"caller": 7}


def test_a_message_that_waits_over_an_upgrade_is_still_read() -> None:
    """All fields that the first version had."""
    job = read_message(json.dumps(MESSAGE))
    assert json.loads(msgspec.json.encode(job)) == MESSAGE
