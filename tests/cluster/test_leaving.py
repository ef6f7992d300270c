"""Whatever ends in the midst of a job, by force or politely: the job has one end, and its pod's parts end in order."""

from typing import Any

import pytest

from darkroom_local.cluster.watch import Object, Watch

from .rig import Rig, ready, stays

pytestmark = pytest.mark.asyncio(loop_scope="session")

_LONG_SECONDS = 15
"""Of work, so that a pod is still at it when it is told to leave or killed, on a slow machine as well."""
_GRACE_SECONDS = 6
_TOO_LONG_SECONDS = 40
"""Of work: more than is done in the time of a pod that is told to leave soon after its start."""
ONE: dict[str, Any] = {"scaling": {"minReplicas": 1, "maxReplicas": 1}}
"""One pod, always: which of several has a job is another matter."""
_NEVER_LAPSES: dict[str, Any] = {"queue": {"visibilitySeconds": 600}}
"""Longer than the test waits: a job that comes back was given back."""


def variables(**settings: str) -> dict[str, Any]:
    """Values that set variables of the agent."""
    return {"agent": {"settings": settings}}


def restarts(pod: Object) -> dict[str, int]:
    """How often each container was restarted."""
    status = pod["status"]
    every = [*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ())]
    return {one["name"]: one["restartCount"] for one in every}


async def busy_pod(rig: Rig, pods: Watch, job: str) -> Object:
    """The pod that runs a job, once it does."""
    await rig.running(job)
    return await rig.pod_of(job, pods)


async def ends_of(pod: Object, pods: Watch) -> tuple[dict[str, Any], dict[str, Any]]:
    """How agent and runtime ended (`terminated` of their states), once the pod is gone."""
    uid = pod["metadata"]["uid"]
    await pods.until(lambda now: all(one["metadata"]["uid"] != uid for one in now), "the pod is gone", 300)
    last = [event.object["status"] for event in pods.events if event.object["metadata"]["uid"] == uid][-1]
    agent, runtime = last["containerStatuses"][0]["state"], last["initContainerStatuses"][0]["state"]
    assert {"terminated"} == agent.keys() == runtime.keys(), "how they ended was not seen"
    return agent["terminated"], runtime["terminated"]


def one_ready(now: list[Object]) -> bool:
    """Whether there is one pod, and none that is still about to leave."""
    return len(now) == 1 and ready(now[0])


async def test_a_deleted_pod_finishes_its_job(rig: Rig) -> None:
    """With time enough it does, in its first attempt; its agent ends before its runtime."""
    async with rig.runtime("leaving", ONE) as pods:
        (job,) = await rig.submit("leaving", 1, _LONG_SECONDS)
        pod = await busy_pod(rig, pods, job)
        await rig.kubectl("delete", "pod", pod["metadata"]["name"], "--wait=false")
        assert job not in rig.heard.told, "the job was over before its pod was told to leave"
        await rig.heard.until([job], 300)
        agent, runtime = await ends_of(pod, pods)
    document = await rig.one_end(job)
    assert (document["state"], document["attempt"]) == ("completed", 1)
    assert agent["exitCode"] == 0
    assert agent["finishedAt"] <= runtime["finishedAt"]


async def test_a_pod_without_time_gives_its_job_back_at_once(rig: Rig) -> None:
    """The job is interrupted, its message is visible at once, and another pod finishes it.

    Its agent ends by itself, within what the kubelet gives it.
    """
    async with rig.runtime("leaving", ONE, _NEVER_LAPSES) as pods:
        turns = rig.turns("leaving")
        # The chart gives every job the time that it may take, so it is taken away here.
        await rig.kubectl("set", "env", "deployment/leaving", "--containers=agent", f"GRACE_SECONDS={_GRACE_SECONDS}")
        await rig.kubectl("rollout", "status", "deployment/leaving", "--timeout=300s")
        await pods.until(one_ready, "the pod before has left", 300)
        (job,) = await rig.submit("leaving", 1, _TOO_LONG_SECONDS)
        pod = await busy_pod(rig, pods, job)
        await rig.kubectl(
            "delete", "pod", pod["metadata"]["name"], f"--grace-period={_GRACE_SECONDS + 9}", "--wait=false"
        )
        agent, _ = await ends_of(pod, pods)
        assert job not in rig.heard.told, "there was time enough for the job"
        await rig.heard.until([job], 300)
        assert rig.turns("leaving") == turns + 2
    document = await rig.one_end(job)
    assert document["state"] == "completed"
    assert document["attempt"] > 1
    assert agent["exitCode"] == 0


async def test_a_killed_agent_starts_again_and_the_job_is_tried_again(rig: Rig) -> None:
    """Nobody gave the message back: its lease lapses, and the next attempt ends it. The runtime goes on."""
    async with rig.runtime("leaving", ONE) as pods:
        (job,) = await rig.submit("leaving", 1, _LONG_SECONDS)
        pod = await busy_pod(rig, pods, job)
        await rig.kill(pod, "agent")
        await rig.heard.until([job], 300)
        (after,) = filter(stays, pods.objects.values())
    document = await rig.one_end(job)
    assert (document["state"], document["attempt"]) == ("completed", 2)
    assert restarts(after) == {"runtime": 0, "agent": 1}


async def test_a_killed_runtime_starts_again_and_the_job_is_tried_again(rig: Rig) -> None:
    """The agent notices, gives the message back, and waits for the runtime; it is not restarted itself."""
    async with rig.runtime("leaving", ONE) as pods:
        (job,) = await rig.submit("leaving", 1, _LONG_SECONDS)
        pod = await busy_pod(rig, pods, job)
        await rig.kill(pod, "runtime")
        await rig.heard.until([job], 300)
        (after,) = filter(stays, pods.objects.values())
    document = await rig.one_end(job)
    assert (document["state"], document["attempt"]) == ("completed", 2)
    assert restarts(after) == {"runtime": 1, "agent": 0}


async def test_a_wedged_runtime_alone_is_restarted(rig: Rig) -> None:
    """Its HTTP answers, its job never ends: the agent's mark fails its liveness probe, and the next job is done.

    The job that wedges it does so at each attempt, for a simulator that starts again has forgotten the last one.
    """
    async with rig.runtime("leaving", ONE, variables(INTERRUPT_SECONDS="2")) as pods:
        (bad,) = await rig.submit("leaving", 1, 1, timeout_seconds=5, fault="wedge")
        await rig.heard.until([bad], 300)
        (good,) = await rig.submit("leaving", 1, 1)
        await rig.heard.until([good], 300)
        (after,) = filter(stays, pods.objects.values())
    assert (await rig.one_end(bad))["state"] == "failed"
    assert (await rig.one_end(good))["state"] == "completed"
    assert restarts(after)["runtime"] > 0
    assert restarts(after)["agent"] == 0
