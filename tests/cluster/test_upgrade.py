"""A new version under load: nothing is lost, and work goes on but for the time that a pod needs to start."""

import asyncio
import datetime as dt
from itertools import pairwise
from typing import Any

import pytest

from darkroom_local.cluster.release import Release

from .rig import NAMESPACE, Rig
from .times import keep

pytestmark = pytest.mark.asyncio(loop_scope="session")

_GAP_SECONDS = 40
"""As long as a pod's start takes on a slow machine, and a job."""


async def test_an_upgrade_and_a_rollback_lose_nothing(rig: Rig) -> None:
    """Settings change while jobs flow, and change back: each job has one end, and no long gap lies between."""
    release, plane = Release("upgrade", NAMESPACE), rig.cluster.plane
    changed: dict[str, Any] = {
        "runtime": {"env": {"SIMULATOR_LOAD_SECONDS": "0.1"}},
        "agent": {"settings": {"INTERRUPT_SECONDS": "5"}},
    }
    async with rig.runtime("upgrade") as pods:
        jobs = await rig.submit("upgrade", 40, 2)
        await _some_ended(rig, jobs, 5)
        before = {event.object["metadata"]["uid"] for event in pods.events}
        await release.install(plane, rig.values("upgrade", changed))
        await rig.kubectl("rollout", "status", "deployment/upgrade", "--timeout=180s")
        more = await rig.submit("upgrade", 20, 2)
        await release.rollback(plane)
        await rig.kubectl("rollout", "status", "deployment/upgrade", "--timeout=180s")
        await rig.heard.until([*jobs, *more], 240)
        assert {event.object["metadata"]["uid"] for event in pods.events} - before, "no pod was replaced"
    documents = [await rig.one_end(job) for job in (*jobs, *more)]
    assert {document["state"] for document in documents} == {"completed"}
    ends = sorted(dt.datetime.fromisoformat(document["finished_at"]) for document in documents)
    gap = max((after - before).total_seconds() for before, after in pairwise(ends))
    keep("upgrade", {"longest_gap": round(gap, 1)})
    assert gap < _GAP_SECONDS


async def _some_ended(rig: Rig, jobs: list[str], count: int) -> None:
    """Wait until so many of the jobs have ended."""
    waits = [asyncio.create_task(rig.heard.until([job], 120)) for job in jobs]
    for _, one in zip(range(count), asyncio.as_completed(waits), strict=False):
        await one
    for wait in waits:
        wait.cancel()
    await asyncio.gather(*waits, return_exceptions=True)
