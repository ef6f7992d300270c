"""The HorizontalPodAutoscaler's decision, as kube-controller-manager makes it (pkg/controller/podautoscaler, 1.35)."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from .parameters import Behavior, Policy, Scaling


@dataclass(slots=True)
class Autoscaler:
    """What it remembers between two looks: its recommendations, and how it changed the number of pods."""

    scaling: Scaling
    _recommended: list[tuple[float, int]] = field(default_factory=list)
    _changes: list[tuple[float, int]] = field(default_factory=list)

    def decide(self, now: float, replicas: int, backlog: int) -> int:
        """How many pods there shall be.

        Args:
            now: seconds.
            replicas: pods that there are; not 0, for then KEDA has the say.
            backlog: jobs that wait or run.
        """
        scaling = self.scaling
        least, most = max(1, scaling.min_replicas), scaling.max_replicas
        wanted = self._stabilized(now, min(max(self._wanted(replicas, backlog), least), most))
        if wanted > replicas:
            wanted = min(wanted, self._limit(now, replicas, scaling.up, grows=True))
        elif wanted < replicas:
            wanted = max(wanted, self._limit(now, replicas, scaling.down, grows=False), least)
        if wanted != replicas:
            self._changes.append((now, wanted - replicas))
        return wanted

    def _wanted(self, replicas: int, backlog: int) -> int:
        """An AverageValue target: within the tolerance nothing changes."""
        share = backlog / (self.scaling.queue_length * replicas)
        return replicas if abs(share - 1) <= self.scaling.tolerance else math.ceil(backlog / self.scaling.queue_length)

    def _stabilized(self, now: float, wanted: int) -> int:
        """The largest of the last recommendations, so that scale-in waits; the chart's scale-up has no such window."""
        window = self.scaling.down.stabilization_seconds
        self._recommended = [(at, one) for at, one in self._recommended if now - at < window]
        self._recommended.append((now, wanted))
        return max(one for _, one in self._recommended)

    def _limit(self, now: float, replicas: int, behavior: Behavior, *, grows: bool) -> int:
        """The number that the most generous policy allows."""
        self._changes = [(at, by) for at, by in self._changes if now - at < 3600]
        allowed = [_allowed(self._before(now, replicas, policy), policy, grows=grows) for policy in behavior.policies]
        if not allowed:
            return self.scaling.max_replicas if grows else 0
        return max(allowed) if grows else min(allowed)

    def _before(self, now: float, replicas: int, policy: Policy) -> int:
        """Pods at the begin of a policy's period."""
        return replicas - sum(by for at, by in self._changes if now - at < policy.period_seconds)


def _allowed(before: int, policy: Policy, *, grows: bool) -> int:
    if policy.kind == "Pods":
        return before + policy.value if grows else before - policy.value
    share = policy.value / 100
    return math.ceil(before * (1 + share)) if grows else int(before * (1 - share))
