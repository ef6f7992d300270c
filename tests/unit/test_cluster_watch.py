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

# Shows an object that nobody saw before at each start, and ends, as kubectl does when its watch is closed.
_KUBECTL = """\
#!/bin/sh
number=$(cat "{count}"); echo $((number + 1)) > "{count}"
echo '{{"type": "ADDED", "object": {{"metadata": {{"name": "p'$number'", "uid": "'$number'"}}}}}}'
"""


def pod(name: str, phase: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "uid": name}, "status": {"phase": phase}}


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
    """An API server in which only the newest object is left."""

    def __init__(self, count: Path) -> None:
        self.kubeconfig = count
        self._count = count

    async def kubectl(self, *_: str) -> str:
        return json.dumps({"items": [{"metadata": {"uid": str(int(self._count.read_text()) - 1)}}]})


async def test_it_begins_anew_and_forgets_what_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kubectl ends without a word: what came meanwhile is seen, and what went is not there any more."""
    count, kubectl = tmp_path / "count", tmp_path / "kubectl"
    count.write_text("0\n")
    kubectl.write_text(_KUBECTL.format(count=count))
    kubectl.chmod(0o755)
    monkeypatch.setattr(module, "program", lambda _: kubectl)
    monkeypatch.setattr(module, "_AGAIN_SECONDS", 0)

    def third_alone(now: list[Object]) -> bool:
        return [cast("Any", one)["metadata"]["name"] for one in now][:1] == ["p2"]

    async with watch(cast("ControlPlane", _Plane(count)), "pods") as pods:
        await pods.until(third_alone, "the third is the oldest that is there", 20)
    assert [event.name for event in pods.events if event.what == "ADDED"][:3] == ["p0", "p1", "p2"]
