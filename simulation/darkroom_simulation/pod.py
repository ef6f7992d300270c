"""A pod: it starts, takes jobs from the queue one by one, and leaves politely."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

import simpy

from .parameters import Parameters
from .work import Job, Queue

if TYPE_CHECKING:
    from .node import Node

type Steps = Generator[simpy.Event, Any]


class Pod:
    """One replica; `spare` ones hold headroom and take no jobs."""

    def __init__(
        self,
        env: simpy.Environment,
        parameters: Parameters,
        queue: Queue,
        chance: random.Random,
        gone: Callable[[Pod], None],
        *,
        spare: bool = False,
    ) -> None:
        self._env, self._parameters, self._queue, self._chance, self._gone = env, parameters, queue, chance, gone
        self.spare = spare
        self.born = env.now
        self.node: Node | None = None
        self.placed = env.event()
        self.ready_at: float | None = None
        self.leaving = False
        self.running: Job | None = None
        self._held: deque[Job] = deque()
        self._busy_since: float | None = None
        self._wake = env.event()
        self._process = env.process(self._life())

    def room(self) -> int:
        """Messages that it would take: as many as run or wait at its side, less those."""
        if self.ready_at is None or self.leaving:
            return 0
        return 1 + self._parameters.agent.ahead - len(self._held) - (self.running is not None)

    def receive(self, job: Job) -> None:
        """Take a message."""
        self._held.append(job)
        if not self._wake.triggered:
            self._wake.succeed()

    def leave(self) -> None:
        """SIGTERM: what has not started goes back, what runs is finished."""
        if self.leaving:
            return
        self.leaving = True
        self._queue.ask(self)
        while self._held:
            self._queue.give_back(self._held.popleft())
        if self.running is None:
            self._process.interrupt()

    def kill(self) -> None:
        """The node is gone: what runs goes back."""
        if self._process.is_alive:
            self.leave()
            if self.running is not None:
                self._process.interrupt()

    def marked(self) -> bool:
        """Whether it bears the mark of a busy pod."""
        since = self._busy_since
        return since is not None and self._env.now - since >= self._parameters.agent.marks_after_seconds

    def _life(self) -> Steps:
        try:
            yield self.placed
            yield from self._start()
            while not self.leaving:
                if not self._held:
                    self._busy_since = None
                    self._wake = self._env.event()
                    yield self._wake
                    yield self._env.timeout(self._parameters.agent.receive_seconds)
                yield from self._run(self._held.popleft())
        except simpy.Interrupt:
            if self.running is not None:
                self.running.started = None
                self._queue.give_back(self.running)
                self.running = None
            elif self.ready_at is not None:  # its long poll goes on to its end
                yield self._env.timeout(self._chance.random() * self._parameters.agent.poll_seconds)
        self._gone(self)

    def _start(self) -> Steps:
        node, start = self.node, self._parameters.start
        assert node is not None
        yield node.with_images(start.image.draw(self._chance))
        if self.spare:
            yield self._env.event()
        for part in (start.container, start.runtime, start.agent):
            yield self._env.timeout(part.draw(self._chance))
        self.ready_at = self._env.now
        self._queue.ask(self)

    def _run(self, job: Job) -> Steps:
        agent = self._parameters.agent
        self.running, job.started = job, self._env.now
        job.attempts += 1
        if self._busy_since is None:
            self._busy_since = self._env.now
        self._queue.ask(self)
        yield self._env.timeout(job.seconds)
        self.running = None
        job.ended = self._env.now + agent.store_seconds
        self._queue.delete()
        self._queue.ask(self)
        if self._held:
            yield self._env.timeout(agent.gap_seconds)
