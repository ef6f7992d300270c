"""The agent's main loop: receive while there is room, handle each message as a task of its own, leave politely."""

import asyncio

import structlog

from .drain import Drain
from .errors import ServiceUnavailable
from .guarded import guarded
from .health import Health
from .pipeline import Pipeline
from .prefetch import Prefetch
from .source import Source

log = structlog.get_logger()

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 15.0  # seconds, while the queue cannot be reached


class _Draining(Exception):
    """The wait for work ended because the agent leaves."""


async def run(source: Source, pipeline: Pipeline, prefetch: Prefetch, health: Health, drain: Drain) -> None:
    """Serve until `drain` begins, and until everything in hand has ended after it."""
    watch = asyncio.create_task(health.watch())
    handling: set[asyncio.Task[None]] = set()
    try:
        await _receive(source, pipeline, prefetch, health, drain, handling)
        if handling:
            log.info("agent.leaving", messages=len(handling), seconds=round(drain.seconds_left(), 1))
            await asyncio.wait(handling, timeout=drain.seconds_left())
    finally:
        for task in (watch, *handling):
            task.cancel()
        await asyncio.gather(watch, *handling, return_exceptions=True)


async def _receive(
    source: Source,
    pipeline: Pipeline,
    prefetch: Prefetch,
    health: Health,
    drain: Drain,
    handling: set[asyncio.Task[None]],
) -> None:
    pause, ready = _FIRST_PAUSE, False
    while not drain.begun.is_set():
        try:
            room = await guarded(_room(health, prefetch), _until(drain))
            if not ready:
                ready = True
                log.info("agent.ready")
            # Not cut short by a drain: a poll that is broken off may have taken a message with it. It ends in seconds,
            # and what it brings goes back at once.
            messages = await source.receive(room)
        except _Draining:
            return
        except ServiceUnavailable as failure:
            log.error("queue.unreachable", error=failure.message, again_in=pause)
            await _pause(drain, pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
            continue
        pause = _FIRST_PAUSE
        for queue, delivery in messages:
            prefetch.taken()
            task = asyncio.create_task(pipeline.handle(queue, delivery))
            handling.add(task)
            task.add_done_callback(handling.discard)


async def _room(health: Health, prefetch: Prefetch) -> int:
    """Wait until a message could be used: the runtime is up, and there is room."""
    while True:
        await health.up.wait()
        room = await prefetch.room()
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
