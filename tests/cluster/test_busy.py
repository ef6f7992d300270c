"""Scale-in spares the busy: the agent's marks say which pods are, and without them nothing is lost either."""

import pytest

from darkroom_local.cluster.watch import Event, Object

from .rig import Rig

pytestmark = pytest.mark.asyncio(loop_scope="session")

_COST = "controller.kubernetes.io/pod-deletion-cost"
_LONG_SECONDS = 75
_LASTS = {"jobs": {"maxSeconds": 2 * _LONG_SECONDS}}


async def test_idle_pods_leave_first(rig: Rig) -> None:
    """One long job and many short ones: while the long one runs, the other pods leave, and its own is never told to."""
    pods = await long_and_short(rig, "busy")
    busy = {event.name for event in pods if _COST in event.object["metadata"].get("annotations", {})}
    assert busy, "no pod was marked"
    (kept,) = {event.name for event in pods} - told_to_leave_early(pods)
    assert kept in busy


async def test_without_leave_to_mark_nothing_is_lost(rig: Rig) -> None:
    """The agent may not mark its pod, so any may be chosen: it finishes its job before it leaves."""
    pods = await long_and_short(rig, "unmarked", forbidden=True)
    assert not any(_COST in event.object["metadata"].get("annotations", {}) for event in pods)


async def long_and_short(rig: Rig, runtime: str, *, forbidden: bool = False) -> list[Event]:
    """Run them, each to its end in its first attempt; what happened to the pods until the long one's end."""
    async with rig.runtime(runtime, _LASTS) as pods:
        if forbidden:
            await rig.kubectl("delete", "rolebinding", f"{runtime}-pod-marks")
        await pods.until(lambda now: not now, "no pod without a job", 300)
        pods.events.clear()
        turns = rig.turns(runtime)
        (long,) = await rig.submit(runtime, 1, _LONG_SECONDS)
        short = await rig.submit(runtime, 20, 2)
        await rig.heard.until(short, 300)
        assert long not in rig.heard.told, "the long job was over before the short ones"
        await pods.until(lambda now: sum(map(stays, now)) == 1, "one pod is left", 300)
        events = list(pods.events)
        await rig.heard.until([long], 300)
    assert {one["state"] for one in await rig.ends([long, *short])} == {"completed"}
    assert rig.turns(runtime) == turns + len(short) + 1, "a job was on a GPU twice"
    return events


def stays(pod: Object) -> bool:
    """Whether it was not told to leave; one that was told in the midst of its start may be there for its grace."""
    return "deletionTimestamp" not in pod["metadata"]


def told_to_leave_early(events: list[Event]) -> set[str]:
    """Pods that were deleted."""
    return {event.name for event in events if event.object["metadata"].get("deletionTimestamp")}
