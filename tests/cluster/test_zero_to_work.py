"""From no pod to work and back: Helm's release, KEDA's look at the queue, the kubelet's order, nothing broken."""

import time
from typing import Any

import pytest

from darkroom_local.cluster.watch import Event

from .rig import Rig
from .times import Record, keep_run, told_to_leave

_DECIDES = ("targetWaitSeconds", "jobSeconds", "maxReplicas", "pollingSeconds", "cooldownSeconds")

pytestmark = pytest.mark.asyncio(loop_scope="session")
JOBS = 30
_JOB_SECONDS = 2


async def test_thirty_jobs_make_pods_and_pods_finish_them(rig: Rig, record_property: Record) -> None:
    """No pod before; pods for the jobs, never more than allowed; each job completed; no pod after.

    Pods leave while jobs are still at work, and none of that broke a job: every one had the GPU once. (What a leaving
    pod had received and not begun goes back, and is another attempt.)
    """
    async with rig.runtime("flow") as pods:
        await rig.kubectl("wait", "--for=condition=Ready", "scaledobject/flow", "--timeout=300s")
        # The install's own, until KEDA has looked at the queue.
        await pods.until(lambda now: not now, "no pod without a job", 300)
        pods.events.clear()
        turns = rig.turns("flow")
        begun = time.time()
        ids = await rig.submit("flow", JOBS, _JOB_SECONDS)
        await rig.heard.until(ids, 300)
        await pods.until(lambda now: not now, "no pod is left", 300)

    documents = await rig.ends(ids)
    assert {one["state"] for one in documents} == {"completed"}
    assert rig.turns("flow") == turns + JOBS
    assert all(len(one["artifacts"]) == 1 for one in documents)
    assert await rig.messages(rig.topology.of("flow")) == {"waiting": 0, "in flight": 0, "dead": 0}
    assert 1 < most_at_once(pods.events) <= 3
    assert_order(pods.events)
    scaling = rig.values("flow")["scaling"]
    asked = {name: scaling[name] for name in _DECIDES}
    ends = [rig.heard.told[one][0]["heard_at"] for one in ids]
    assert min(told_to_leave(pods.events)) < max(ends), "no pod was told to leave before the last job had ended"
    keep_run(record_property, begun, pods.events, ends, {"jobs": JOBS, "each_seconds": _JOB_SECONDS, **asked})


def most_at_once(events: list[Event]) -> int:
    """The largest number of pods that were there at the same time."""
    there: set[str] = set()
    most = 0
    for event in events:
        (there.discard if event.what == "DELETED" else there.add)(event.name)
        most = max(most, len(there))
    return most


def assert_order(events: list[Event]) -> None:
    """Of each pod the runtime was ready before the agent first ran, and outlived it."""
    began: set[str] = set()
    for event in events:
        status = event.object["status"]
        runtime: dict[str, Any] = next(iter(status.get("initContainerStatuses", ())), {})
        agent: dict[str, Any] = next(iter(status.get("containerStatuses", ())), {})
        if "running" in agent.get("state", {}) and event.name not in began:
            began.add(event.name)
            assert runtime["started"], f"{event.name}: the agent runs, and its runtime is not ready"
        if "terminated" in runtime.get("state", {}):
            assert "terminated" in agent["state"], f"{event.name}: the runtime ended before its agent"
