"""What a cold start is made of, read from a pod's events and a job's notification; printed, and kept in out/cluster."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from darkroom_local.cluster.watch import Event, Object

_OUT = Path(__file__).parents[2] / "out" / "cluster"


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


def cold_start(begun: float, events: Sequence[Event], heard_at: float) -> Times:
    """Parts of a cold start.

    Args:
        begun: when the first job was sent.
        events: of the first pod.
        heard_at: when the first notification came.
    """
    marks = [
        begun,
        _first(events, lambda _: True),
        _first(events, lambda pod: bool(pod["spec"].get("nodeName"))),
        _first(events, lambda pod: "running" in _container(pod, "runtime").get("state", {})),
        _first(events, lambda pod: bool(_container(pod, "runtime").get("started"))),
        _first(events, lambda pod: "running" in _container(pod, "agent").get("state", {})),
        heard_at,
    ]
    return Times(*(round(after - before, 1) for before, after in pairwise(marks)))


def keep(name: str, values: Times | dict[str, Any]) -> None:
    """Print them, and keep them in out/cluster/<name>.json."""
    found = asdict(values) if isinstance(values, Times) else values
    _OUT.mkdir(parents=True, exist_ok=True)
    (_OUT / f"{name}.json").write_text(json.dumps(found, indent=1) + "\n")
    sys.stdout.write(
        f"\n{name}: " + ", ".join(f"{what.replace('_', ' ')} {value}" for what, value in found.items()) + "\n"
    )


def _first(events: Sequence[Event], holds: Any) -> float:
    return next(event.at for event in events if holds(event.object))


def _container(pod: Object, name: str) -> dict[str, Any]:
    status = pod.get("status", {})
    every = [*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ())]
    return next((one for one in every if one["name"] == name), {})
