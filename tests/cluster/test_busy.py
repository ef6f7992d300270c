"""Scale-in spares the busy: the agent's marks say which pods are, and without them nothing is lost either."""

import json
from typing import Any

import pytest

from darkroom_local.cluster.watch import Object

from .rig import Rig, ready, stays

pytestmark = pytest.mark.asyncio(loop_scope="session")

_COST = "controller.kubernetes.io/pod-deletion-cost"
_SPARE = "karpenter.sh/do-not-disrupt"
_MARKS = {_COST: "100", _SPARE: "true"}
"""What a busy pod's agent sets: for the ReplicaSet, and for Karpenter (test_nodes shows what that does)."""
_LESS = "50"
"""More than nothing, and less than that."""
_PODS = 3
_LONG_SECONDS = 150
"""Several times what passes until pods are told to leave, on a slow machine as well."""
_ALL_STAY: dict[str, Any] = {"jobs": {"maxSeconds": 2 * _LONG_SECONDS}, "scaling": {"minReplicas": _PODS}}
"""Until the test lets them go, whatever time the marks take."""
_MARKED_LATE: dict[str, Any] = {"agent": {"settings": {"POD_MARKS_AFTER_SECONDS": "60"}}}
"""So late that the short jobs mark no pod: an idle one's agent that has to change its marks could do so in the midst of
scale-in."""


async def test_idle_pods_leave_first(rig: Rig) -> None:
    """One long job and many short ones: while the long one runs, the other pods leave, and its own is never told to.

    By anything but its mark it would be the first to go.
    """
    busy, kept = await long_and_short(rig, "busy")
    assert kept == busy


async def test_without_leave_to_mark_nothing_is_lost(rig: Rig) -> None:
    """The agent may not mark its pod, and so the busy one is told to leave: it finishes its job first."""
    busy, kept = await long_and_short(rig, "unmarked", forbidden=True)
    assert kept != busy


async def long_and_short(rig: Rig, runtime: str, *, forbidden: bool = False) -> tuple[str, str]:
    """Run them, each to its end and once; the pod that the long one runs in, and the one that a scale-in keeps."""
    async with rig.runtime(runtime, _ALL_STAY, _MARKED_LATE) as pods:
        if forbidden:
            await rig.kubectl("delete", "rolebinding", f"{runtime}-pod-marks")
        await pods.until(lambda now: sum(map(ready, now)) == _PODS, "all pods are ready", 300)
        turns = rig.turns(runtime)
        (long,) = await rig.submit(runtime, 1, _LONG_SECONDS)
        await rig.running(long)
        busy = name(await rig.pod_of(long, pods))
        short = await rig.submit(runtime, 8, 2)
        await rig.heard.until(short, 300)
        marked = set() if forbidden else {busy}
        await pods.until(lambda now: all_marked(now, marked), "the busy pod is marked, and no other", 300)
        await let_go(rig, runtime, [name(one) for one in pods.objects.values() if name(one) != busy])
        await pods.until(lambda now: sum(map(stays, now)) == 1, "one pod is left", 300)
        assert long not in rig.heard.told, "the long job was over before the others were told to leave"
        (kept,) = (name(one) for one in pods.objects.values() if stays(one))
        await rig.heard.until([long], 300)
    assert {one["state"] for one in await rig.ends([long, *short])} == {"completed"}
    assert rig.turns(runtime) == turns + len(short) + 1, "a job was on a GPU twice"
    return busy, kept


async def let_go(rig: Rig, runtime: str, idle: list[str]) -> None:
    """Let scale-in begin, with idle pods that it spares for everything but a busy one's mark."""
    await rig.kubectl("annotate", "pod", *idle, f"{_COST}={_LESS}")
    least = json.dumps({"spec": {"minReplicaCount": 0}})
    await rig.kubectl("patch", f"scaledobject/{runtime}", "--type=merge", f"--patch={least}")


def name(pod: Object) -> str:
    """The pod's name."""
    return str(pod["metadata"]["name"])


def all_marked(pods: list[Object], those: set[str]) -> bool:
    """Whether those pods, by name, bear the marks, and no other bears one."""
    return all(marks(pod) == (_MARKS if name(pod) in those else {}) for pod in pods)


def marks(pod: Object) -> dict[str, str]:
    """The marks that a pod bears."""
    return {name: value for name, value in pod["metadata"].get("annotations", {}).items() if name in _MARKS}
