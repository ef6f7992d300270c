"""A receiver of webhooks, as a user would write one: `python -m darkroom_local.receiver` verifies and shows them.

Signatures are verified by the words of the Standard Webhooks specification, not by the code that makes them.
`/status/<code>` answers that code whatever comes, to see what follows.
"""

import argparse
import asyncio
import base64
import hashlib
import hmac
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from rich.console import Console
from rich.markup import escape

from .topology import new_secret

_TOLERANCE_SECONDS = 300
_MOST_BYTES = 4 * 1024 * 1024
_COLOURS = {"job.completed": "green", "job.failed": "red"}


@dataclass(frozen=True, slots=True)
class Delivery:
    """What came at a moment (Unix seconds), and the status that it was answered; `problem` is why it was refused.

    `event` is the body if it was signed as it must be; `again`: its id had come before.
    """

    at: float
    status: int
    event: dict[str, Any] | None = None
    again: bool = False
    problem: str | None = None


def line_of(one: Delivery) -> str:
    """A delivery in one line, in rich's markup."""
    if one.event is None:
        return f"[red]✗ webhook refused:[/] {one.problem}"
    colour, data = _COLOURS.get(one.event["type"], "yellow"), one.event["data"]
    number = len(data["artifacts"])
    what = data["error"]["message"] if data["error"] else f"{number} artifact{'' if number == 1 else 's'}"
    line = f"[{colour}]✓ webhook {escape(one.event['type'])}[/] {data['id']} {escape(what)}"
    again = " [dim](again)[/]" if one.again else ""
    return f"{line}{again}{'' if one.status == 204 else f' [dim]answered {one.status}[/]'}"


def problem_of(secret: str, headers: Mapping[str, str], body: bytes, at: float) -> str | None:
    """What is wrong with a delivery that came at a moment (Unix seconds), if anything."""
    event_id, sent_at = headers.get("webhook-id"), headers.get("webhook-timestamp", "")
    if not event_id or not sent_at.isdigit():
        return "it has no webhook-id or webhook-timestamp"
    if abs(at - int(sent_at)) > _TOLERANCE_SECONDS:
        return "it is of another time"
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.digest(key, f"{event_id}.{sent_at}.".encode() + body, hashlib.sha256)
    expected = b"v1," + base64.b64encode(digest)
    given = headers.get("webhook-signature", "").encode().split()
    return None if any(hmac.compare_digest(expected, one) for one in given) else "its signature is wrong"


class Receiver:
    """Takes deliveries, and tells of each."""

    def __init__(self, secret: str, tell: Callable[[Delivery], None]) -> None:
        self._secret = secret
        self._tell = tell
        self._known: set[str] = set()

    async def take(self, request: web.Request) -> web.Response:
        """Verify, tell, answer."""
        body = await request.read()
        one = self._judged(request, body, time.time())
        self._tell(one)
        return web.Response(status=one.status)

    def _judged(self, request: web.Request, body: bytes, at: float) -> Delivery:
        problem = problem_of(self._secret, request.headers, body, at)
        if problem is not None:
            return Delivery(at, 401, problem=problem)
        event_id = request.headers["webhook-id"]
        again = event_id in self._known
        self._known.add(event_id)
        return Delivery(at, int(request.match_info.get("status", "204")), json.loads(body), again)


@asynccontextmanager
async def receiver(
    secret: str, tell: Callable[[Delivery], None], port: int = 0, host: str = "127.0.0.1"
) -> AsyncIterator[str]:
    """Receive for as long as the context lasts; the URL for webhooks. `port` 0 takes a free one."""
    app = web.Application(client_max_size=_MOST_BYTES)
    taking = Receiver(secret, tell).take
    app.add_routes([web.post("/", taking), web.post(r"/status/{status:[2-5]\d\d}", taking)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        address: Any = runner.addresses[0]
        yield f"http://{host}:{address[1]}/"
    finally:
        await runner.cleanup()


async def _serve(secret: str, port: int, host: str, console: Console) -> None:
    async with receiver(secret, lambda one: console.print(line_of(one)), port, host) as url:
        console.print(f"webhooks to [bold]{url}[/], signed with {secret}", soft_wrap=True)
        await asyncio.Event().wait()


def main() -> int:
    """Receive until Ctrl-C; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m darkroom_local.receiver", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument(
        "--secret", default=os.environ.get("WEBHOOK_SECRET"), help="default: $WEBHOOK_SECRET, or else a new one"
    )
    arguments = parser.parse_args()
    try:
        secret, console = arguments.secret or new_secret(), Console(highlight=False)
        asyncio.run(_serve(secret, arguments.port, arguments.host, console))
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
