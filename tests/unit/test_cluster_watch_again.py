"""A watch goes on where the API server ends it."""

import json
from pathlib import Path
from typing import Any, cast

import pytest

from darkroom_local.cluster import watch as module
from darkroom_local.cluster.control_plane import ControlPlane
from darkroom_local.cluster.watch import Object, watch

# Shows an object that nobody saw before at each start, and ends, as kubectl does when its watch is closed.
_KUBECTL = """\
#!/bin/sh
number=$(cat "{count}"); echo $((number + 1)) > "{count}"
echo '{{"type": "ADDED", "object": {{"metadata": {{"name": "p'$number'", "uid": "'$number'"}}}}}}'
"""


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
