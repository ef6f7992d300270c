"""The marks of a busy pod: one patch a change, and never a job that waits for one."""

import asyncio
import ipaddress
import json
import ssl
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from darkroom_agent import kubernetes
from darkroom_agent import pod_marks as module
from darkroom_agent.pod_marks import MARKS, KubernetesPod, MarkFailed, Marks, NoMarks, pod_marks
from darkroom_agent.settings import from_environ
from darkroom_contract.job import State

from .world import REQUIRED, World, message

AFTER = 0.25
PATH = "/api/v1/namespaces/darkroom/pods/sdxl-7d9f-x2x"


@dataclass
class FakePod:
    """Remembers its marks; each of `failures` is raised once. A pod that `hangs` never answers."""

    marked: list[bool] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    hangs: bool = False
    tried: asyncio.Queue[bool] = field(default_factory=asyncio.Queue)

    async def mark(self, annotations: Mapping[str, str | None]) -> None:
        busy = annotations == MARKS
        self.tried.put_nowait(busy)
        if self.hangs:
            await asyncio.Event().wait()
        if self.failures:
            raise MarkFailed(self.failures.pop(0))
        self.marked.append(busy)

    async def next(self) -> bool:
        async with asyncio.timeout(5):
            return await self.tried.get()


@asynccontextmanager
async def watched(pod: FakePod) -> AsyncIterator[Marks]:
    marks = Marks(pod, AFTER)
    task = asyncio.create_task(marks.watch())
    try:
        yield marks
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_one_patch_a_change_that_lasts() -> None:
    """Marks of an agent that was killed go first; then a pod is marked once however many jobs it runs in a row."""
    pod = FakePod()
    async with watched(pod) as marks:
        assert await pod.next() is False
        for _ in range(20):
            marks.busy()
            await asyncio.sleep(0)
            marks.idle()
            await asyncio.sleep(0)
        assert pod.marked == [False], "short jobs are none of this"
        marks.busy()
        assert await pod.next() is True
        for _ in range(20):  # the short gaps between jobs
            marks.idle()
            await asyncio.sleep(0)
            marks.busy()
            await asyncio.sleep(0)
        assert pod.marked == [False, True]
        marks.idle()
        assert await pod.next() is False
        await asyncio.sleep(AFTER * 2)
    assert pod.marked == [False, True, False]


async def test_what_fails_is_told_once_and_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """With pauses that grow; once it has worked, the next failure is told again."""
    monkeypatch.setattr(module, "_FIRST_PAUSE", 0.01)
    pod = FakePod(failures=["403", "403", "403"])
    with structlog.testing.capture_logs() as logs:
        async with watched(pod) as marks:
            assert [await pod.next() for _ in range(4)] == [False] * 4
            pod.failures += ["away"]
            marks.busy()
            assert [await pod.next() for _ in range(2)] == [True] * 2
    assert [(one["event"], one["error"]) for one in logs if one["log_level"] == "warning"] == [
        ("pod.not_marked", "403"),
        ("pod.not_marked", "away"),
    ]
    assert pod.marked == [False, True]


async def test_no_job_waits_for_a_mark() -> None:
    """An API that never answers costs nothing: neither a job nor the farewell."""
    world, pod = World(), FakePod(hangs=True)
    world.marks = Marks(pod, 0)
    began = time.monotonic()
    await world.settled(*(message(name) for name in "abc"))
    assert time.monotonic() - began < 2
    assert world.states() == dict.fromkeys("abc", State.COMPLETED)
    assert await pod.next() in (True, False), "it was tried"


async def test_the_agent_is_busy_while_it_has_a_message() -> None:
    """From its receipt until nothing more is to be done for it."""
    heard: list[str] = []

    class Listening(NoMarks):
        def busy(self) -> None:
            heard.append("busy")

        def idle(self) -> None:
            heard.append(f"idle, {len(world.topic.published)} told")

    world = World()
    world.marks = Listening()
    await world.settled(message())
    assert heard == ["busy", "idle, 1 told"]


@dataclass
class FakeApi:
    """Kubernetes' API: answers patches with `status`, and keeps what came."""

    status: int = 200
    seconds: float = 0
    asked: list[tuple[str, str, str, Any]] = field(default_factory=list)

    async def patch(self, request: web.Request) -> web.Response:
        headers = request.headers
        body = json.loads(await request.read())
        self.asked.append((request.path_qs, headers["Authorization"], headers["Content-Type"], body))
        await asyncio.sleep(self.seconds)
        said = {"kind": "Status", "message": 'pods "sdxl-7d9f-x2x" is forbidden', "reason": "Forbidden"}
        return web.json_response({} if self.status == 200 else said, status=self.status)


def certificate(folder: Path) -> ssl.SSLContext:
    """A server's certificate, which is its own CA: `ca.crt` in the folder."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kubernetes")])
    began = datetime.now(UTC) - timedelta(days=1)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(began)
        .not_valid_after(began + timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "ca.crt").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(key.private_bytes(*secret))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "ca.crt", folder / "key.pem")
    return context


@asynccontextmanager
async def serving(api: FakeApi, folder: Path) -> AsyncIterator[KubernetesPod]:
    app = web.Application()
    app.router.add_patch(PATH, api.patch)
    server = TestServer(app, host="127.0.0.1", scheme="https")
    await server.start_server(ssl=certificate(folder), shutdown_timeout=0.1)
    (folder / "token").write_text("first\n")
    try:
        yield KubernetesPod(f"https://127.0.0.1:{server.port}{PATH}", folder)
    finally:
        await server.close()


async def test_a_patch_of_the_annotations_and_nothing_else(tmp_path: Path) -> None:
    """A merge patch over TLS, by the service account's token, which rotates."""
    api = FakeApi()
    async with serving(api, tmp_path) as pod:
        await pod.mark(MARKS)
        (tmp_path / "token").write_text("second")
        await pod.mark(dict.fromkeys(MARKS))
    path, kind = f"{PATH}?fieldManager=darkroom-agent", "application/merge-patch+json"
    assert api.asked == [
        (path, "Bearer first", kind, {"metadata": {"annotations": MARKS}}),
        (path, "Bearer second", kind, {"metadata": {"annotations": dict.fromkeys(MARKS)}}),
    ]
    assert json.dumps(MARKS) == (
        '{"controller.kubernetes.io/pod-deletion-cost": "100", "karpenter.sh/do-not-disrupt": "true"}'
    )


async def test_why_it_could_not_be_marked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused, too slow, away, another's certificate, no token: each in words, none with the token in it."""
    monkeypatch.setattr(kubernetes, "_ANSWER_SECONDS", 0.2)
    api = FakeApi(status=403)
    (tmp_path / "other").mkdir()
    async with serving(api, tmp_path) as pod:
        said = [await _failure(pod)]
        api.seconds = 5
        said += [await _failure(pod)]
        certificate(tmp_path / "other")
        (tmp_path / "other" / "token").write_text("first")
        said += [await _failure(KubernetesPod(pod.url, tmp_path / "other"))]
        said += [await _failure(KubernetesPod(pod.url, tmp_path / "none"))]
    said += [await _failure(pod)]
    expected = ['answered 403: pods "sdxl-7d9f-x2x" is forbidden', "TimeoutError", "certificate", "token", "connect"]
    assert [part for part, text in zip(expected, said, strict=True) if part.lower() not in text.lower()] == [], said
    assert "first" not in "".join(said)


async def _failure(pod: KubernetesPod) -> str:
    with pytest.raises(MarkFailed) as caught:
        await pod.mark(MARKS)
    return str(caught.value)


POD = {"POD_NAME": "sdxl-7d9f-x2x", "POD_NAMESPACE": "darkroom", "KUBERNETES_SERVICE_HOST": "fd00::1"}


def test_only_a_pod_has_marks() -> None:
    """Outside Kubernetes nothing is said, unless half of it is set."""
    with structlog.testing.capture_logs() as logs:
        assert isinstance(pod_marks(from_environ(REQUIRED)), NoMarks)
        assert isinstance(pod_marks(from_environ({**REQUIRED, "KUBERNETES_SERVICE_HOST": "10.0.0.1"})), NoMarks)
        assert not logs
        for left in ("POD_NAMESPACE", "KUBERNETES_SERVICE_HOST"):
            assert isinstance(pod_marks(from_environ({**REQUIRED, **POD, left: ""})), NoMarks)
        assert [one["error"] for one in logs] == ["POD_NAMESPACE is not set", "KUBERNETES_SERVICE_HOST is not set"]


async def test_a_pod_knows_its_address() -> None:
    """Of IPv6, too."""
    marks = pod_marks(from_environ({**REQUIRED, **POD, "SERVICE_ACCOUNT_FOLDER": "/x"}))
    assert isinstance(marks, Marks)
    assert marks._pod == KubernetesPod(f"https://[fd00::1]:443{PATH}", Path("/x"))
