"""From no pod to work and back: Helm's release, KEDA's look at the queue, the kubelet's order, nothing broken."""

import time
from itertools import groupby
from typing import Any

import pytest

from darkroom_local.cluster.watch import Event

from .rig import Rig
from .times import cold_start, keep

pytestmark = pytest.mark.asyncio(loop_scope="session")
JOBS = 30


async def test_thirty_jobs_make_pods_and_pods_finish_them(rig: Rig) -> None:
    """No pod before; pods for the jobs, never more than allowed; each job completed; no pod after.

    None of the scale-ins broke a job: every one had the GPU once. (What a leaving pod had received and not begun goes
    back, and is another attempt.)
    """
    async with rig.runtime("flow") as pods:
        await rig.kubectl("wait", "--for=condition=Ready", "scaledobject/flow", "--timeout=60s")
        # The install's own, until KEDA has looked at the queue. If that was in the midst of a container's start, it has
        # no handler yet and is process 1, which SIGTERM does not end: the whole grace passes.
        await pods.until(lambda now: not now, "no pod without a job", 180)
        pods.events.clear()
        begun = time.time()
        ids = await rig.submit("flow", JOBS, 2)
        await rig.heard.until(ids, 180)
        done = time.time()
        gone = await pods.until(lambda now: not now, "no pod is left", 120)

    documents = await rig.documents(ids)
    assert {one["state"] for one in documents.values()} == {"completed"}
    assert rig.turns("flow") == JOBS
    assert all(len(one["artifacts"]) == 1 for one in documents.values())
    assert await rig.messages(rig.topology.of("flow")) == {"waiting": 0, "in flight": 0, "dead": 0}
    assert 1 < most_at_once(pods.events) <= 3
    for events in by_pod(pods.events):
        assert_order(events)
    heard_at = min(rig.heard.told[one][0]["heard_at"] for one in ids)
    keep("cold-start", cold_start(begun, first_pod(pods.events), heard_at))
    keep("zero-to-work-to-zero", {"all_jobs": round(done - begun, 1), "no_pod_again": round(gone - done, 1)})


def by_pod(events: list[Event]) -> list[list[Event]]:
    """Events of each pod, in their order."""
    return [list(group) for _, group in groupby(sorted(events, key=lambda event: event.name), lambda event: event.name)]


def first_pod(events: list[Event]) -> list[Event]:
    """Events of the pod that was there first."""
    return [event for event in events if event.name == events[0].name]


def most_at_once(events: list[Event]) -> int:
    """The largest number of pods that were there at the same time."""
    there: set[str] = set()
    most = 0
    for event in events:
        (there.discard if event.what == "DELETED" else there.add)(event.name)
        most = max(most, len(there))
    return most


def assert_order(events: list[Event]) -> None:
    """The runtime was ready before the agent started, and outlived it."""
    for event in events:
        status = event.object["status"]
        runtime: dict[str, Any] = next(iter(status.get("initContainerStatuses", ())), {})
        agent: dict[str, Any] = next(iter(status.get("containerStatuses", ())), {})
        if "running" in agent.get("state", {}):
            assert runtime["started"], f"{event.name}: the agent runs, and its runtime is not ready"
        if "terminated" in runtime.get("state", {}):
            assert "terminated" in agent["state"], f"{event.name}: the runtime ended before its agent"
