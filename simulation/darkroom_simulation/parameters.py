"""What the model is fed with: the chart's values, times of a cold start, prices. All times are seconds."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Seconds:
    """A time that varies: lognormal, by its median and the ratio of its 84th percentile to that."""

    median: float
    ratio: float = 1.0

    def draw(self, chance: random.Random) -> float:
        """One such time."""
        return self.median if self.ratio == 1 else self.median * self.ratio ** chance.gauss()


@dataclass(frozen=True, slots=True)
class Policy:
    """One entry of `behavior.….policies`."""

    kind: str
    """`Percent` or `Pods`."""
    value: int
    period_seconds: float


@dataclass(frozen=True, slots=True)
class Behavior:
    """One direction of a HorizontalPodAutoscaler's `behavior`."""

    stabilization_seconds: float
    policies: tuple[Policy, ...]
    """Empty: no limit."""


@dataclass(frozen=True, slots=True)
class Scaling:
    """How the number of pods follows the queue."""

    job_seconds: float
    target_wait_seconds: float
    min_replicas: int
    max_replicas: int
    polling_seconds: float
    cooldown_seconds: float
    up: Behavior
    down: Behavior
    sync_seconds: float = 15.0
    """The controller manager's `--horizontal-pod-autoscaler-sync-period`; EKS leaves it at its default."""
    tolerance: float = 0.1
    """`--horizontal-pod-autoscaler-tolerance`."""
    counts_in_flight: bool = True
    """KEDA's `scaleOnInFlight`."""

    @property
    def queue_length(self) -> int:
        """KEDA's queueLength, as charts/runtime/templates/_derived.tpl has it."""
        return max(1, int(self.target_wait_seconds / self.job_seconds))


@dataclass(frozen=True, slots=True)
class Start:
    """Parts of a cold start, each after the one before."""

    node: Seconds
    """From CreateFleet to a node that is Ready and has its accelerator."""
    image: Seconds
    """Images of the first pod on a node; the next ones find them."""
    container: Seconds
    """Sandbox and volumes, until the runtime's process runs."""
    runtime: Seconds
    """Its start and its model, until the startup probe passes."""
    agent: Seconds
    """From there to the agent's first receive."""


@dataclass(frozen=True, slots=True)
class Agent:
    """What the agent adds to jobs."""

    ahead: int = 1
    """Messages that it holds beside the running one: one, while a job takes at most half of HOLD_SECONDS."""
    receive_seconds: float = 0.1
    """From a message to an idle agent to its start on the GPU."""
    gap_seconds: float = 0.008
    """The GPU's idle time between two jobs, if the second lies ready."""
    store_seconds: float = 0.2
    """From the end on the GPU to the notification."""
    poll_seconds: float = 5.0
    """`WAIT_SECONDS`: an idle agent that leaves lets its long poll end."""
    marks_after_seconds: float = 5.0
    """A pod that is busy for so long is marked, so that scale-in spares it."""


@dataclass(frozen=True, slots=True)
class Nodes:
    """Karpenter, and what EC2 gives."""

    accelerators: int = 1
    """Pods that a node has room for."""
    standing: int = 0
    """Nodes that are always there, with the images."""
    headroom: int = 0
    """Pods' worth of capacity kept free."""
    consolidate_after: float = 60.0
    batch_idle: float = 1.0
    """`BATCH_IDLE_DURATION`: Karpenter plans once no pod has come for so long …"""
    batch_most: float = 10.0
    """… or after `BATCH_MAX_DURATION`."""
    spot_share: float = 1.0
    """How many of the launches find Spot capacity; the others become On-Demand."""
    interruptions_per_hour: float = 0.0
    """Of one Spot node, on average."""
    notice_seconds: float = 120.0


@dataclass(frozen=True, slots=True)
class Prices:
    """Dollars an hour of one node."""

    spot: float
    on_demand: float
    volume: float


@dataclass(frozen=True, slots=True)
class Parameters:
    """Everything that a run depends on, beside traffic and seed."""

    scaling: Scaling
    start: Start
    agent: Agent
    nodes: Nodes
    prices: Prices


def scaling_of(values: Mapping[str, Any]) -> Scaling:
    """Scaling from a runtime chart's values."""
    scaling = values["scaling"]
    return Scaling(
        job_seconds=scaling["jobSeconds"],
        target_wait_seconds=scaling["targetWaitSeconds"],
        min_replicas=scaling["minReplicas"],
        max_replicas=scaling["maxReplicas"],
        polling_seconds=scaling["pollingSeconds"],
        cooldown_seconds=scaling["cooldownSeconds"],
        up=_behavior(scaling["behavior"]["scaleUp"]),
        down=_behavior(scaling["behavior"]["scaleDown"]),
    )


def seconds(text: str) -> float:
    """A duration as Karpenter writes it: `60s`, `5m`, `1h`."""
    return float(text[:-1]) * {"s": 1, "m": 60, "h": 3600}[text[-1]]


def volume_price(values: Mapping[str, Any]) -> float:
    """Dollars an hour of a node's data volume (gp3 in us-east-1, https://aws.amazon.com/ebs/pricing/).

    A GiB is $0.08 a month; 125 MiB/s and 3,000 operations a second are part of it, and more of them $0.04 and $0.005.
    """
    volume = values["nodes"]["volume"]
    size = float(str(volume["size"]).removesuffix("Gi"))
    month = size * 0.08 + (volume["throughput"] - 125) * 0.04 + (volume["iops"] - 3000) * 0.005
    return float(month / 730)


def _behavior(given: Mapping[str, Any]) -> Behavior:
    policies = (Policy(one["type"], one["value"], one["periodSeconds"]) for one in given["policies"])
    return Behavior(given["stabilizationWindowSeconds"], tuple(policies))
