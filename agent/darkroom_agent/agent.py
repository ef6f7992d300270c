"""The agent's main loop: receive while there is room, handle each message as a task of its own, leave politely."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import structlog

from darkroom_contract.job import Priority

from .drain import Drain
from .errors import ServiceUnavailable
from .guarded import guarded, together
from .health import Health
from .pipeline import Pipeline
from .pod_marks import PodMarks
from .ports import Queue
from .prefetch import Prefetch

log = structlog.get_logger()

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 15.0  # seconds, while the queue cannot be reached


class _Draining(Exception):
    """The wait for work ended because the agent leaves."""


async def run(
    queues: Mapping[Priority, Queue],
    wait: int,
    pipeline: Pipeline,
    prefetch: Prefetch,
    health: Health,
    drain: Drain,
    marks: PodMarks,
) -> None:
    """Serve until `drain` begins, and until everything in hand has ended after it.

    `wait` is the length of a long poll, seconds.
    """
    watching = [asyncio.create_task(health.watch()), asyncio.create_task(marks.watch())]
    handling: set[asyncio.Task[None]] = set()
    receiver = _Receiver(wait, pipeline, prefetch, health, drain, marks, handling)
    try:
        await together(*(receiver.receive(queue, priority) for priority, queue in queues.items()))
        if handling:
            log.info("agent.leaving", messages=len(handling), seconds=round(drain.seconds_left(), 1))
            await asyncio.wait(handling, timeout=drain.seconds_left())
    finally:
        for task in (*watching, *handling):
            task.cancel()
        await asyncio.gather(*watching, *handling, return_exceptions=True)


@dataclass(frozen=True, slots=True)
class _Receiver:
    """Takes messages from one queue each, for as long as there is room."""

    wait: int
    pipeline: Pipeline
    prefetch: Prefetch
    health: Health
    drain: Drain
    marks: PodMarks
    handling: set[asyncio.Task[None]]

    async def receive(self, queue: Queue, priority: Priority) -> None:
        """Receive until the agent leaves."""
        pause, ready = _FIRST_PAUSE, False
        while not self.drain.begun.is_set():
            try:
                room = await guarded(_room(self.health, self.prefetch, priority), _until(self.drain))
                if not ready and priority is Priority.NORMAL:
                    log.info("agent.ready")
                ready = True
                # Not cut short by a drain: a poll that is broken off may have taken a message with it. It ends in
                # seconds, and what it brings goes back at once.
                deliveries = await queue.receive(room, self.wait)
            except _Draining:
                return
            except ServiceUnavailable as failure:
                log.error("queue.unreachable", queue=queue.name, error=failure.message, again_in=pause)
                await _pause(self.drain, pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
                continue
            pause = _FIRST_PAUSE
            for delivery in deliveries:
                self.prefetch.taken(priority)
                task = asyncio.create_task(self.pipeline.handle(queue, delivery, priority))
                self.handling.add(task)
                self.marks.busy()
                task.add_done_callback(self._handled)

    def _handled(self, task: asyncio.Task[None]) -> None:
        self.handling.discard(task)
        if not self.handling:
            self.marks.idle()


async def _room(health: Health, prefetch: Prefetch, priority: Priority) -> int:
    """Wait until a message could be used: the runtime is up, and there is room."""
    while True:
        await health.up.wait()
        room = await prefetch.room(priority)
        if health.up.is_set():
            return room


async def _until(drain: Drain) -> None:
    await drain.begun.wait()
    raise _Draining


async def _pause(drain: Drain, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await drain.begun.wait()
    except TimeoutError:
        return
