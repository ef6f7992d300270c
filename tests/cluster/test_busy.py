"""Scale-in spares the busy: the agent's marks say which pods are, and without them nothing is lost either."""

from typing import Any

import pytest

from darkroom_local.cluster.watch import Event

from .rig import Rig

pytestmark = pytest.mark.asyncio(loop_scope="session")

_COST = "controller.kubernetes.io/pod-deletion-cost"
_LONG_SECONDS = 45


async def test_idle_pods_leave_first(rig: Rig) -> None:
    """One long job and many short ones: while the long one runs, the other pods leave, and its own is never told to."""
    pods = await long_and_short(rig, {})
    busy = {event.name for event in pods if _COST in event.object["metadata"].get("annotations", {})}
    assert busy, "no pod was marked"
    (kept,) = {event.name for event in pods} - told_to_leave_early(pods)
    assert kept in busy


async def test_without_the_marks_nothing_is_lost(rig: Rig) -> None:
    """Any pod may be chosen then: it finishes its job before it leaves."""
    pods = await long_and_short(rig, {"podMarks": {"enabled": False}})
    assert not any(_COST in event.object["metadata"].get("annotations", {}) for event in pods)


async def long_and_short(rig: Rig, more: dict[str, Any]) -> list[Event]:
    """Run them, each to its end in its first attempt; what happened to the pods until the long one's end."""
    async with rig.runtime("busy", more) as pods:
        turns = rig.turns("busy")
        (long,) = await rig.submit("busy", 1, _LONG_SECONDS)
        short = await rig.submit("busy", 20, 2)
        await rig.heard.until(short, 120)
        assert long not in rig.heard.told, "the long job was over before the short ones"
        await pods.until(lambda now: len(now) == 1, "one pod is left", 90)
        events = list(pods.events)
        await rig.heard.until([long], 90)
    for job in (long, *short):
        assert (await rig.one_end(job))["state"] == "completed"
    assert rig.turns("busy") == turns + len(short) + 1, "a job was on a GPU twice"
    return events


def told_to_leave_early(events: list[Event]) -> set[str]:
    """Pods that were deleted."""
    return {event.name for event in events if event.object["metadata"].get("deletionTimestamp")}
