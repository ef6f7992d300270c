"""What a run measured: parts of a cold start, and pods and jobs over time; reported, and kept in out/cluster."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from darkroom_local.cluster.watch import Event, Object

type Record = Callable[[str, object], None]

OUT = Path(__file__).parents[2] / "out" / "cluster"


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds, each from the end of the one before."""

    pod_created: float
    """From the first job at the API: KEDA's look at the queue, and a Deployment's first pod."""
    scheduled: float
    """A node is found; where there is none, Karpenter's part."""
    runtime_started: float
    """Sandbox, volumes, images and the runtime's process."""
    runtime_ready: float
    """The startup probe passes: for a real runtime, its start and its model."""
    agent_started: float
    """The agent's container runs."""
    first_job: float
    """From the agent's start to the first job's notification: its start, receive, run, store."""


@dataclass(frozen=True, slots=True)
class Pod:
    """Seconds since the first job was sent; None: it did not come to that."""

    created: float
    ready: float | None
    told_to_leave: float | None
    gone: float


def cold_start(begun: float, pods: Sequence[Event], heard_at: float) -> Times:
    """Parts of a cold start.

    Args:
        begun: when the first job was sent.
        pods: what happened to pods; the first of them is looked at.
        heard_at: when the first notification came.
    """
    events = _by_pod(pods)[0]
    marks = [
        begun,
        events[0].at,
        _when(events, lambda pod: bool(pod["spec"].get("nodeName"))),
        _when(events, lambda pod: "running" in _container(pod, "runtime").get("state", {})),
        _when(events, lambda pod: bool(_container(pod, "runtime").get("started"))),
        _when(events, lambda pod: "running" in _container(pod, "agent").get("state", {})),
        heard_at,
    ]
    assert None not in marks
    return Times(*(round(after - before, 1) for before, after in pairwise(mark for mark in marks if mark)))


def pods_over_time(begun: float, pods: Sequence[Event]) -> list[Pod]:
    """Each pod's life, in the order of their creation."""
    return [
        Pod(
            _since(begun, events[0].at) or 0.0,
            _since(begun, _when(events, _ready)),
            _since(begun, _when(events, lambda pod: "deletionTimestamp" in pod["metadata"])),
            _since(begun, events[-1].at) or 0.0,
        )
        for events in _by_pod(pods)
    ]


def starts(pods: Sequence[Event]) -> list[float]:
    """Seconds from creation to ready, of every pod that became so."""
    lives = pods_over_time(0.0, pods)
    return [pod.ready - pod.created for pod in lives if pod.ready is not None]


def told_to_leave(pods: Sequence[Event]) -> list[float]:
    """When pods were told to leave (`time.time`)."""
    return [told for pod in pods_over_time(0.0, pods) if (told := pod.told_to_leave) is not None]


def keep(record: Record, name: str, values: Mapping[str, Any]) -> None:
    """Keep them in out/cluster/<name>.json, and record those that are one number with the test's report."""
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / f"{name}.json").write_text(json.dumps(values, indent=1) + "\n")
    numbers = [f"{what.replace('_', ' ')} {value}" for what, value in values.items() if isinstance(value, int | float)]
    record(name, ", ".join(numbers))


def keep_run(
    record: Record, begun: float, pods: Sequence[Event], ends: Sequence[float], settings: Mapping[str, Any]
) -> None:
    """Keep a run from no pod to no pod, as docs/discussion/scaling-times.json has it.

    Args:
        record: pytest's `record_property`.
        begun: when the first job was sent.
        pods: what happened to pods since.
        ends: when each job's notification came.
        settings: what decides it.
    """
    parts = asdict(cold_start(begun, pods, min(ends)))
    keep(record, "cold-start", parts)
    jobs = [_since(begun, end) for end in sorted(ends)]
    lives = [asdict(life) for life in pods_over_time(begun, pods)]
    totals = {"all_jobs_seconds": jobs[-1], "no_pod_again_seconds": max(life["gone"] for life in lives)}
    run = {"settings": settings, "cold_start_seconds": parts, "jobs_ended_at": jobs, "pods": lives}
    keep(record, "scaling-times", {**totals, **run})


def _by_pod(events: Sequence[Event]) -> list[list[Event]]:
    lives: dict[str, list[Event]] = {}
    for event in events:
        lives.setdefault(event.object["metadata"]["uid"], []).append(event)
    return list(lives.values())


def _when(events: Sequence[Event], holds: Any) -> float | None:
    return next((event.at for event in events if holds(event.object)), None)


def _since(begun: float, at: float | None) -> float | None:
    return None if at is None else round(at - begun, 1)


def _ready(pod: Object) -> bool:
    conditions = pod.get("status", {}).get("conditions", ())
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def _container(pod: Object, name: str) -> dict[str, Any]:
    status = pod.get("status", {})
    every = [*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ())]
    return next((one for one in every if one["name"] == name), {})
