"""Nodes: Karpenter starts them for pods that find no place, and ends the empty ones; EC2 takes Spot ones back."""

from __future__ import annotations

import random
from collections.abc import Callable, Generator
from typing import Any

import simpy

from .parameters import Nodes, Parameters
from .pod import Pod

type Steps = Generator[simpy.Event, Any]


class Node:
    """One instance, from its launch to its end."""

    def __init__(self, env: simpy.Environment, slots: int, *, spot: bool) -> None:
        self._env = env
        self.slots, self.spot = slots, spot
        self.pods: set[Pod] = set()
        self.launched = env.now
        self.ended: float | None = None
        self.ready = False
        self.cordoned = False
        self.touched = env.now
        """When a pod came or went last."""
        self.images: simpy.Event | None = None

    @property
    def free(self) -> int:
        """Pods that it could take."""
        return 0 if self.cordoned else self.slots - len(self.pods)

    def with_images(self, seconds: float) -> simpy.Event:
        """When the images are there; the first pod's take `seconds`, and later ones find them."""
        if self.images is None:
            self.images = self._env.timeout(seconds)
        return self.images


class Karpenter:
    """Places pods, and makes places."""

    def __init__(
        self, env: simpy.Environment, parameters: Parameters, chance: random.Random, evict: Callable[[Pod], None]
    ) -> None:
        self._env, self._parameters, self._chance, self._evict = env, parameters, chance, evict
        self._pending: list[Pod] = []
        self._newest = 0.0
        self._planning = False
        self.nodes: list[Node] = []
        self.interruptions = 0
        for _ in range(self._nodes.standing):
            node = Node(env, self._nodes.accelerators, spot=False)
            node.ready, node.images = True, env.timeout(0)
            self.nodes.append(node)

    @property
    def _nodes(self) -> Nodes:
        return self._parameters.nodes

    def place(self, pod: Pod) -> None:
        """The scheduler: a free place, or a spare pod's, or wait."""
        node = next((one for one in self._open() if one.free), None)
        if node is None and not pod.spare:
            spares = (other for one in self._open() for other in one.pods if other.spare)
            if (spare := next(spares, None)) is not None:
                node = spare.node
                assert node is not None
                node.pods.remove(spare)
                self._evict(spare)
        if node is None:
            self._wait(pod)
            return
        pod.node, node.touched = node, self._env.now
        node.pods.add(pod)
        pod.placed.succeed()

    def leaves(self, pod: Pod) -> None:
        """A pod is gone; its place is free."""
        if pod in self._pending:
            self._pending.remove(pod)
        if (node := pod.node) is not None and pod in node.pods:
            node.pods.remove(pod)
            node.touched = self._env.now
            self._place_waiting()
            if not node.pods and node.ended is None:
                self._env.process(self._consolidate(node))

    def _wait(self, pod: Pod) -> None:
        self._pending.append(pod)
        self._newest = self._env.now
        if not self._planning:
            self._planning = True
            self._env.process(self._plan())

    def _place_waiting(self) -> None:
        """Real pods before spare ones, the oldest first."""
        waiting, self._pending = sorted(self._pending, key=lambda pod: (pod.spare, pod.born)), []
        for pod in waiting:
            if any(one.free for one in self._open()):
                self.place(pod)
            else:
                self._pending.append(pod)

    def _plan(self) -> Steps:
        """Wait for a batch, then launch what it needs beside what is on its way."""
        begun = self._env.now
        while (until := min(self._newest + self._nodes.batch_idle, begun + self._nodes.batch_most)) > self._env.now:
            yield self._env.timeout(until - self._env.now)
        self._planning = False
        coming = sum(one.free for one in self._alive() if not one.ready)
        for _ in range(-(-max(0, len(self._pending) - coming) // self._nodes.accelerators)):
            spot = self._chance.random() < self._nodes.spot_share
            node = Node(self._env, self._nodes.accelerators, spot=spot)
            self.nodes.append(node)
            self._env.process(self._boot(node))
            if spot and self._nodes.interruptions_per_hour:
                self._env.process(self._interrupt(node))

    def _boot(self, node: Node) -> Steps:
        yield self._env.timeout(self._parameters.start.node.draw(self._chance))
        if node.ended is not None:
            return
        node.ready, node.touched = True, self._env.now
        self._place_waiting()
        if not node.pods:
            self._env.process(self._consolidate(node))

    def _consolidate(self, node: Node) -> Steps:
        """End a node that stays empty; one of those that always stand never ends."""
        since = node.touched
        yield self._env.timeout(self._nodes.consolidate_after)
        if not node.pods and node.touched == since and node.ended is None and node not in self._standing():
            node.ended = self._env.now

    def _interrupt(self, node: Node) -> Steps:
        yield self._env.timeout(self._chance.expovariate(self._nodes.interruptions_per_hour / 3600))
        if node.ended is not None:
            return
        self.interruptions += 1
        node.cordoned = True
        for pod in list(node.pods):
            self._evict(pod)
        yield self._env.timeout(self._nodes.notice_seconds)
        for pod in list(node.pods):
            pod.kill()
        if node.ended is None:
            node.ended = self._env.now
        if self._pending and not self._planning:  # some may have counted on this node
            self._planning = True
            self._env.process(self._plan())

    def _alive(self) -> list[Node]:
        return [node for node in self.nodes if node.ended is None]

    def _open(self) -> list[Node]:
        """Nodes that the scheduler looks at."""
        return [node for node in self._alive() if node.ready and not node.cordoned]

    def _standing(self) -> list[Node]:
        return self.nodes[: self._nodes.standing]
