"""Where commands meet the terminal: the options that many share, the client they run with, and what they print."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.text import Text

from .client import Client
from .config import read_config

console = Console()
errors = Console(stderr=True)

Endpoint = Annotated[str | None, typer.Option("--endpoint", help="The API's address (DARKROOM_ENDPOINT).")]
Key = Annotated[str | None, typer.Option("--api-key", help="The tenant's key (DARKROOM_API_KEY).")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")]


def with_client(act: Callable[[Client], Awaitable[int]], endpoint: str | None, api_key: str | None) -> None:
    """Do something with a client of the API; what it returns is the exit status."""
    config = read_config(endpoint, api_key)

    async def whole() -> int:
        async with Client(config.endpoint, config.api_key) as darkroom:
            return await act(darkroom)

    status = asyncio.run(whole())
    if status:
        raise typer.Exit(status)


def tell(value: Any, shown: Any, *, as_json: bool) -> None:
    """Print a value: as JSON for machines, or as it is shown to people."""
    # Text, for brackets in a string would be taken for markup.
    told = Text(msgspec.json.encode(value).decode()) if as_json else shown
    console.print(told, highlight=False, soft_wrap=as_json)
