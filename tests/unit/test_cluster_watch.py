"""A watch of Kubernetes: objects as they are now, from a stream that comes in pieces."""

import asyncio
import json
from pathlib import Path
from typing import Any, cast

import pytest

from darkroom_local.cluster import watch as module
from darkroom_local.cluster.control_plane import ControlPlane
from darkroom_local.cluster.programs import ClusterFailed
from darkroom_local.cluster.watch import Event, Object, Watch, _values, watch


def pod(name: str, phase: str, version: str = "1") -> dict[str, Any]:
    return {"metadata": {"name": name, "uid": name, "resourceVersion": version}, "status": {"phase": phase}}


def test_values_end_where_they_end() -> None:
    """What is whole is read, whatever stands between; the rest waits for more."""
    assert _values('{"a": 1}\n  {"b": "}"}\n{"c": ') == ([{"a": 1}, {"b": "}"}], '\n{"c": ')
    assert _values('{"c": ') == ([], '{"c": ')
    assert _values("") == ([], "")


async def test_it_knows_what_is_there_now() -> None:
    """Added, changed, deleted: a wait ends when the objects are as it wants them."""
    seen = Watch("pods")
    waiting = asyncio.create_task(seen.until(lambda now: not now and len(seen.events) > 0, "none is left", 5))
    for what, phase in (("ADDED", "Pending"), ("MODIFIED", "Running"), ("DELETED", "Running")):
        await seen.take(Event(1.0, what, pod("one", phase)))
    await waiting
    assert [event.what for event in seen.events] == ["ADDED", "MODIFIED", "DELETED"]


async def test_a_wait_in_vain_says_what_there_was() -> None:
    """With the objects and their states."""
    seen = Watch("pods")
    await seen.take(Event(1.0, "ADDED", pod("one", "Pending")))
    with pytest.raises(ClusterFailed, match=r"none is left; pods: one Pending"):
        await seen.until(lambda now: not now, "none is left", 0.01)


class _Plane:
    """An API server that refuses the first question; each answer has a new object and the one before it."""

    def __init__(self, folder: Path) -> None:
        self.kubeconfig = folder
        self.asked: list[str] = []

    async def kubectl(self, *words: str) -> str:
        self.asked.append(words[-1])
        number = len(self.asked) - 1
        if number == 0:
            raise ClusterFailed("it is busy")
        items = [pod(f"p{one}", "Pending", version=str(one)) for one in range(max(number - 1, 1), number + 1)]
        return json.dumps({"metadata": {"resourceVersion": str(number)}, "items": items})


# One change that no list knows of; then it is too old to go on from, and says nothing more.
_STREAM = """\
for url; do :; done; echo "$url" >> {urls}
echo '{{"type": "MODIFIED", "object": {{"metadata": {{"name": "w", "uid": "w", "resourceVersion": "9"}}}}}}'
echo '{{"type": "ERROR", "object": {{"kind": "Status", "message": "too old"}}}}'
exec sleep 60
"""


async def test_it_lists_anew_and_goes_on_from_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a watch ends, what came and went meanwhile is seen, and nothing is told twice.

    It is begun where the list ended, and goes on though the API server does not always answer.
    """
    kubectl, urls = tmp_path / "kubectl", tmp_path / "urls"
    kubectl.write_text("#!/bin/sh\n" + _STREAM.format(urls=urls))
    kubectl.chmod(0o755)
    monkeypatch.setattr(module, "program", lambda _: kubectl)
    monkeypatch.setattr(module, "_AGAIN_SECONDS", 0)
    plane = _Plane(tmp_path)

    def newest(now: list[Object]) -> bool:
        return [cast("Any", one)["metadata"]["name"] for one in now] == ["p2", "p3"]

    async with watch(cast("ControlPlane", plane), "pods", namespace="ours", selector="app=x") as pods:
        await pods.until(newest, "the third has come, and the first has gone", 20)
        told = [(event.what, event.name) for event in pods.events]
    assert told[:4] == [("ADDED", "p1"), ("MODIFIED", "w"), ("DELETED", "w"), ("ADDED", "p2")]
    assert set(plane.asked) == {"/api/v1/namespaces/ours/pods?labelSelector=app%3Dx"}
    begun = [line.rpartition("&")[2] for line in urls.read_text().split()]
    assert begun[:2] == ["resourceVersion=1", "resourceVersion=2"]


async def test_a_wait_in_vain_says_why_nothing_was_seen(tmp_path: Path) -> None:
    """The API server does not answer: its own words."""
    async with watch(cast("ControlPlane", _Plane(tmp_path)), "pods") as pods:
        with pytest.raises(ClusterFailed, match=r"pods: none \(it is busy\)"):
            await pods.until(bool, "one is there", 0.05)


async def test_a_change_that_nobody_told_of_is_seen() -> None:
    """By its version: what has it still is left alone."""
    seen = Watch("pods")
    await seen.reconcile([pod("one", "Pending", version="1"), pod("two", "Pending", version="2")])
    await seen.reconcile([pod("one", "Running", version="3"), pod("two", "Pending", version="2")])
    assert [(event.what, event.name) for event in seen.events][2:] == [("MODIFIED", "one")]
