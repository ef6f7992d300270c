"""The agent's main loop: receive while there is room, handle each message as a task of its own, leave politely."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import structlog

from darkroom_contract.job import Priority

from .breaker import Breaker
from .drain import Drain
from .errors import ServiceUnavailable
from .guarded import guarded, together
from .pipeline import Pipeline
from .pod_marks import PodMarks
from .ports import Queue

log = structlog.get_logger()

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 15.0  # seconds, while the queue cannot be reached


class _Draining(Exception):
    """The wait for work ended because the agent leaves."""


async def run(
    queues: Mapping[Priority, Queue], pipeline: Pipeline, breakers: Sequence[Breaker], marks: PodMarks
) -> None:
    """Serve until the pipeline's drain begins, and until everything in hand has ended after it."""
    drain = pipeline.drain
    watches = (pipeline.health.watch(), marks.watch(), *(breaker.watch() for breaker in breakers))
    watching = [asyncio.create_task(one) for one in watches]
    handling: set[asyncio.Task[None]] = set()
    receiver = _Receiver(pipeline, (pipeline.health.up, *(breaker.well for breaker in breakers)), marks, handling)
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

    pipeline: Pipeline
    well: Sequence[asyncio.Event]
    marks: PodMarks
    handling: set[asyncio.Task[None]]

    async def receive(self, queue: Queue, priority: Priority) -> None:
        """Receive until the agent leaves."""
        pause, ready = _FIRST_PAUSE, False
        drain = self.pipeline.drain
        while not drain.begun.is_set():
            try:
                room = await guarded(self._room(priority), _until(drain))
                if not ready and priority is Priority.NORMAL:
                    log.info("agent.ready")
                ready = True
                # Not cut short by a drain: a poll that is broken off may have taken a message with it. It ends in
                # seconds, and what it brings goes back at once.
                polls = self.pipeline.polls
                wait = polls.wait_seconds(self.pipeline.settings.wait, in_hand=bool(self.handling))
                with polls.open(queue):
                    deliveries = await queue.receive(room, wait)
            except _Draining:
                return
            except ServiceUnavailable as failure:
                log.error("queue.unreachable", queue=queue.name, error=failure.message, again_in=pause)
                await _pause(drain, pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
                continue
            pause = _FIRST_PAUSE
            for delivery in deliveries:
                self.pipeline.prefetch.taken(priority)
                task = asyncio.create_task(self.pipeline.handle(queue, delivery, priority))
                self.handling.add(task)
                self.marks.busy()
                task.add_done_callback(self._handled)

    def _handled(self, task: asyncio.Task[None]) -> None:
        self.handling.discard(task)
        if not self.handling:
            self.marks.idle()

    async def _room(self, priority: Priority) -> int:
        """Wait until a message could be used: runtime, store and topic work, and there is room."""
        while True:
            for one in self.well:
                await one.wait()
            room = await self.pipeline.prefetch.room(priority)
            if all(one.is_set() for one in self.well):
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
