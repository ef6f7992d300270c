"""Names that the shell completes: runtimes, workflows, recent jobs; asked of the API in a second or not at all."""

import asyncio
from collections.abc import Awaitable, Callable

import typer

from .client import Client
from .config import read_config
from .failures import DarkroomError
from .texts import plain

type Names = list[tuple[str, str]]
"""What may stand there, each with a word about it for shells that show one."""

_SECONDS = 1.0  # a key was pressed, and somebody looks at the line
_JOBS = 50


def runtime_names(ctx: typer.Context, incomplete: str) -> Names:
    """Installed runtimes, with their types."""

    async def look(darkroom: Client) -> Names:
        return [(one.name, one.type) for one in await darkroom.runtimes()]

    return _found(ctx, incomplete, look)


def workflow_names(ctx: typer.Context, incomplete: str) -> Names:
    """Named workflows, with their titles."""

    async def look(darkroom: Client) -> Names:
        return [(one.name, plain(one.title)) for one in await darkroom.workflows()]

    return _found(ctx, incomplete, look)


def job_ids(ctx: typer.Context, incomplete: str) -> Names:
    """Ids of recent jobs, the newest first, with state and runtime."""

    async def look(darkroom: Client) -> Names:
        page = await anext(darkroom.pages(limit=_JOBS))
        return [(one.id, f"{one.state}, {one.runtime}") for one in page.jobs]

    return _found(ctx, incomplete, look)


def _found(ctx: typer.Context, incomplete: str, look: Callable[[Client], Awaitable[Names]]) -> Names:
    """What an API tells that begins so; nothing where none can be asked, for a prompt is no place for errors."""

    async def whole() -> Names:
        config = read_config(ctx.params.get("endpoint"), ctx.params.get("api_key"))
        async with asyncio.timeout(_SECONDS), Client(config.need("endpoint"), config.api_key) as darkroom:
            return await look(darkroom)

    try:
        return [one for one in asyncio.run(whole()) if one[0].startswith(incomplete)]
    except (DarkroomError, TimeoutError):
        return []
