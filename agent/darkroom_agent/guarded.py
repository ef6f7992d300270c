"""Run work while guards watch over it."""

import asyncio
from collections.abc import Coroutine
from typing import Any


async def guarded[T](work: Coroutine[Any, Any, T], *guards: Coroutine[Any, Any, None]) -> T:
    """Return what the work returns; the first guard that raises cancels the work, and its exception is raised.

    A guard that returns is satisfied and changes nothing. When the work ends the guards are cancelled. Whatever happens
    all of them have ended when this does.
    """
    try:
        async with asyncio.TaskGroup() as group:
            watching = [group.create_task(guard) for guard in guards]
            result = await work
            for guard in watching:
                guard.cancel()
    except BaseExceptionGroup as several:
        # The first one is the cause; what follows is how the others took their cancellation.
        raise several.exceptions[0] from several.exceptions[0].__cause__
    return result


async def together(*works: Coroutine[Any, Any, None]) -> None:
    """Do works side by side; the first failure cancels the others and is raised."""
    try:
        async with asyncio.TaskGroup() as group:
            for work in works:
                group.create_task(work)
    except BaseExceptionGroup as several:
        raise several.exceptions[0] from several.exceptions[0].__cause__
