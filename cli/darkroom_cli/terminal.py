"""Where commands meet the terminal: the options that many share, the client they run with, and what they print."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console, RenderableType
from rich.text import Text

from .client import Client
from .complete import job_ids
from .config import read_config
from .failures import DarkroomError
from .texts import plain

console = Console()
errors = Console(stderr=True)

Endpoint = Annotated[str | None, typer.Option("--endpoint", help="The API's address (DARKROOM_ENDPOINT).")]
Key = Annotated[str | None, typer.Option("--api-key", help="The tenant's key (DARKROOM_API_KEY).")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines, a value a line.")]
Id = Annotated[str, typer.Argument(metavar="JOB", help="The job's id.", autocompletion=job_ids)]
Ids = Annotated[list[str], typer.Argument(metavar="JOB...", help="Ids of jobs.", autocompletion=job_ids)]


def with_client(act: Callable[[Client], Awaitable[int]], endpoint: str | None, api_key: str | None) -> None:
    """Do something with a client of the API; what it returns is the exit status."""
    config = read_config(endpoint, api_key)

    async def whole() -> int:
        async with Client(config.need("endpoint"), config.api_key) as darkroom:
            return await act(darkroom)

    status = asyncio.run(whole())
    if status:
        raise typer.Exit(status)


def tell(value: Any, shown: RenderableType, *, as_json: bool) -> None:
    """Print a value: as it is shown to people, or as JSON for machines, of several values each on its own line."""
    if not as_json:
        console.print(shown, highlight=False)
        return
    for one in value if isinstance(value, list | tuple) else [value]:
        typer.echo(msgspec.json.encode(one))


def tell_failure(error: DarkroomError, what: str = "darkroom") -> None:
    """Say in one line what went wrong; `what` is where."""
    errors.print(Text.assemble((f"{plain(what)}: ", "red"), plain(str(error))), soft_wrap=True)
