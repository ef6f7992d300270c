"""One run: traffic in, every job's wait and every node's hours out."""

from __future__ import annotations

import math
import random
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any

import simpy

from .hpa import Autoscaler
from .node import Karpenter
from .parameters import Parameters, Prices
from .pod import Pod
from .traffic import Arrival
from .work import Job, Queue

type Steps = Generator[simpy.Event, Any]


@dataclass(frozen=True, slots=True)
class Span:
    """A node's life."""

    begin: float
    end: float
    spot: bool

    def dollars(self, prices: Prices) -> float:
        """What it cost: EC2 bills seconds, and a minute at least."""
        hours = max(self.end - self.begin, 60.0) / 3600
        return hours * ((prices.spot if self.spot else prices.on_demand) + prices.volume)


@dataclass(frozen=True, slots=True)
class Sample:
    """What could be seen at a moment."""

    at: float
    waiting: int
    busy: int
    pods: int
    """Those asked for; leaving ones are not among them."""
    nodes: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a run."""

    jobs: tuple[Job, ...]
    nodes: tuple[Span, ...]
    samples: tuple[Sample, ...]
    interruptions: int
    idle_again: float
    """When the last pod had left."""

    def waits(self) -> list[float]:
        """Seconds from each job's sending to its start on a GPU, the shortest first."""
        return sorted(job.started - job.sent for job in self.jobs if job.started is not None)

    def wait(self, share: float) -> float:
        """The wait that this share of the jobs did not exceed: 0.5 for the median."""
        waits = self.waits()
        return waits[max(0, math.ceil(share * len(waits)) - 1)]

    def dollars(self, prices: Prices) -> float:
        """What the nodes cost."""
        return sum(node.dollars(prices) for node in self.nodes)

    def node_hours(self) -> float:
        """Hours of all nodes together."""
        return sum(node.end - node.begin for node in self.nodes) / 3600

    def busy_hours(self) -> float:
        """Hours that GPUs worked on jobs which ended."""
        return sum(job.seconds for job in self.jobs) / 3600


def run(parameters: Parameters, arrivals: Sequence[Arrival], seed: int) -> Outcome:
    """Let the day pass, and what is left of it, until no job and no pod is there but those that always are."""
    return _Run(parameters, arrivals, seed).outcome()


class _Run:
    """The parts, wired; each process is one of its methods."""

    def __init__(self, parameters: Parameters, arrivals: Sequence[Arrival], seed: int) -> None:
        self._env = simpy.Environment()
        self._parameters = parameters
        self._chance = random.Random(f"run {seed}")
        self._queue = Queue(self._chance)
        self._karpenter = Karpenter(self._env, parameters, self._chance, self._evict)
        self._pods: list[Pod] = []
        self._leaving: set[Pod] = set()
        self._replicas = 0
        self._jobs = [Job(one.at, one.seconds) for one in arrivals]
        self._samples: list[Sample] = []
        self._idle_again = 0.0
        self._over = self._env.event()
        self._scale(parameters.scaling.min_replicas)
        for _ in range(parameters.nodes.headroom):
            self._spare()
        for process in (self._send(), self._keda(), self._hpa(), self._watch()):
            self._env.process(process)

    def outcome(self) -> Outcome:
        self._env.run(until=self._over)
        end = self._env.now
        spans = (Span(one.launched, one.ended or end, one.spot) for one in self._karpenter.nodes)
        return Outcome(
            tuple(self._jobs), tuple(spans), tuple(self._samples), self._karpenter.interruptions, self._idle_again
        )

    def _send(self) -> Steps:
        for job in self._jobs:
            yield self._env.timeout(job.sent - self._env.now)
            self._queue.send(job)

    def _backlog(self) -> int:
        in_flight = self._queue.in_flight if self._parameters.scaling.counts_in_flight else 0
        return self._queue.visible + in_flight

    def _keda(self) -> Steps:
        """0 ↔ 1, by looks at the queue."""
        scaling, active_at = self._parameters.scaling, -math.inf
        yield self._env.timeout(self._chance.random() * scaling.polling_seconds)
        while True:
            if self._backlog() > 0:
                active_at = self._env.now
                if self._replicas == 0:
                    self._scale(max(1, scaling.min_replicas))
            elif scaling.min_replicas == 0 < self._replicas and self._env.now - active_at > scaling.cooldown_seconds:
                self._scale(0)
            yield self._env.timeout(scaling.polling_seconds)

    def _hpa(self) -> Steps:
        """1 ↔ N."""
        scaling = self._parameters.scaling
        autoscaler = Autoscaler(scaling)
        yield self._env.timeout(self._chance.random() * scaling.sync_seconds)
        while True:
            if self._replicas > 0:
                self._scale(autoscaler.decide(self._env.now, self._replicas, self._backlog()))
            yield self._env.timeout(scaling.sync_seconds)

    def _watch(self) -> Steps:
        """Take samples, and find the end: every job has ended, and the pods are back to what always is."""
        left, step = iter(self._jobs), 1.0 if len(self._jobs) < 1000 else 10.0
        unended = next(left, None)
        while True:
            while unended is not None and unended.ended is not None:
                unended = next(left, None)
            busy = sum(pod.running is not None for pod in (*self._pods, *self._leaving))
            nodes = sum(one.ended is None for one in self._karpenter.nodes)
            self._samples.append(Sample(self._env.now, self._queue.visible, busy, len(self._pods), nodes))
            settled = self._replicas == self._parameters.scaling.min_replicas and not self._leaving
            spared = nodes <= self._parameters.nodes.standing + self._replicas + self._parameters.nodes.headroom
            if unended is None and settled and spared:
                self._over.succeed()
            yield self._env.timeout(step)

    def _scale(self, replicas: int) -> None:
        """The Deployment: pods are added, or the ones that are missed least leave."""
        self._replicas = replicas
        while len(self._pods) < replicas:
            pod = Pod(self._env, self._parameters, self._queue, self._chance, self._gone)
            self._pods.append(pod)
            self._karpenter.place(pod)
        for pod in sorted(self._pods, key=_missed)[: len(self._pods) - replicas]:
            self._pods.remove(pod)
            self._leaving.add(pod)
            pod.leave()

    def _evict(self, pod: Pod) -> None:
        """A pod must leave its node; the Deployment does not count it any more."""
        pod.leave()
        if pod in self._pods:
            self._pods.remove(pod)
            self._leaving.add(pod)
            self._scale(self._replicas)

    def _spare(self) -> None:
        pod = Pod(self._env, self._parameters, self._queue, self._chance, self._gone, spare=True)
        self._karpenter.place(pod)

    def _gone(self, pod: Pod) -> None:
        """A pod has left. A spare one comes again, and waits for the next place."""
        self._karpenter.leaves(pod)
        self._leaving.discard(pod)
        if pod.spare:
            self._spare()
        if not self._pods and not self._leaving:
            self._idle_again = self._env.now


def _missed(pod: Pod) -> tuple[bool, bool, bool, float]:
    """The order in which a ReplicaSet lets pods go: unplaced, not ready, without the busy mark, the youngest."""
    return (pod.node is not None, pod.ready_at is not None, pod.marked(), -(pod.ready_at or 0.0))
