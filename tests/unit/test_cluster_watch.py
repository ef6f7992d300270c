"""A watch of Kubernetes: objects as they are now, from a stream that comes in pieces."""

import asyncio
from typing import Any

import pytest

from darkroom_local.cluster.programs import ClusterFailed
from darkroom_local.cluster.watch import Event, Watch, _values


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
