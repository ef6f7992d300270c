"""A new version under load, and back: nothing is lost, and work goes on meanwhile."""

import asyncio
import contextlib
import datetime as dt
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any

import pytest

from darkroom_local.cluster.release import Release

from .rig import Rig
from .times import Record, keep, starts

pytestmark = pytest.mark.asyncio(loop_scope="session")

_JOB_SECONDS = 2
_IMAGES = ("agent", "simulator")
_NEXT: dict[str, Any] = {
    "runtime": {"image": {"tag": "next"}, "env": {"SIMULATOR_LOAD_SECONDS": "0.1"}},
    "agent": {"image": {"tag": "next"}, "settings": {"INTERRUPT_SECONDS": "5"}},
}


async def test_an_upgrade_and_a_rollback_lose_nothing(rig: Rig, record_property: Record) -> None:
    """Images and settings change while jobs flow, and change back: every job is done once, and no long gap is between.

    A gap is long if a pod could have started in it.
    """
    release, plane = Release("upgrade", rig.namespace), rig.cluster.plane
    await _tag_next(rig)
    async with rig.runtime("upgrade") as pods:
        turns = rig.turns("upgrade")
        first = await _pod_template(rig)
        async with _flowing(rig, "upgrade") as jobs:
            await rig.heard.until(jobs[:1], 300)
            await release.install(plane, rig.values("upgrade", _NEXT))
            await _rolled_out(rig)
            changed = await _pod_template(rig)
            assert {one["image"].rpartition(":")[2] for one in _containers(changed)} == {"next"}
            assert {"name": "INTERRUPT_SECONDS", "value": "5"} in [
                variable for one in _containers(changed) for variable in one.get("env", ())
            ]
            await release.rollback(plane)
            await _rolled_out(rig)
            assert await _pod_template(rig) == first
        await rig.heard.until(jobs, 300)
        versions = {_version(event.object["spec"]) for event in pods.events}
        start = max(starts(pods.events))
    assert len(versions) == 2, f"pods ran {versions}"
    documents = await rig.ends(jobs)
    assert {document["state"] for document in documents} == {"completed"}
    assert rig.turns("upgrade") == turns + len(jobs), "a job was on a GPU twice"
    ends = sorted(dt.datetime.fromisoformat(document["finished_at"]) for document in documents)
    gap = max((after - before).total_seconds() for before, after in pairwise(ends))
    times = {"longest_gap_seconds": round(gap, 1), "pod_start_seconds": round(start, 1)}
    keep(record_property, "upgrade", {"jobs": len(jobs), **times})
    assert gap < start + _JOB_SECONDS


async def _tag_next(rig: Rig) -> None:
    """Give the node the images under a second tag, as a next version's."""
    for name in _IMAGES:
        (image,) = [
            line for line in (await rig.cluster.node.ctr("images", "list", "--quiet")).split()
            if f"/darkroom/{name}:" in line and not line.endswith(":next")
        ]  # fmt: skip
        await rig.cluster.node.ctr("images", "tag", "--force", image, f"{image.rpartition(':')[0]}:next")


@asynccontextmanager
async def _flowing(rig: Rig, runtime: str) -> AsyncIterator[list[str]]:
    """Send a job every second for as long as the context lasts: about what two pods can do. Their ids so far."""
    jobs = await rig.submit(runtime, 6, _JOB_SECONDS)

    over = asyncio.Event()

    async def flow() -> None:
        while not over.is_set():
            jobs.extend(await rig.submit(runtime, 1, _JOB_SECONDS))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(over.wait(), 1)

    async with asyncio.TaskGroup() as group:
        group.create_task(flow())
        try:
            yield jobs
        finally:
            over.set()  # none is cut off that is sent and not counted


async def _rolled_out(rig: Rig) -> None:
    await rig.kubectl("rollout", "status", "deployment/upgrade", "--timeout=300s")


async def _pod_template(rig: Rig) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(await rig.kubectl("get", "deployment/upgrade", "--output=json"))
    template: dict[str, Any] = found["spec"]["template"]["spec"]
    return template


def _containers(spec: dict[str, Any]) -> list[dict[str, Any]]:
    return [*spec["initContainers"], *spec["containers"]]


def _version(spec: Any) -> tuple[str, ...]:
    return tuple(one["image"] for one in _containers(spec))
