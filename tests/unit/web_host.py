"""A host on loopback that answers each path as a test says, down to the bytes."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

type Answer = bytes | Callable[[asyncio.StreamWriter], Awaitable[None]]


def answer(body: bytes = b"", status: str = "200 OK", length: int | None = None, **headers: str) -> bytes:
    """A whole HTTP answer; `length` is what it claims, `_` in header names stands for a hyphen."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "\r\n"]).encode() + body


def redirect(to: str, status: str = "302 Found") -> bytes:
    """A redirection, with a body that nobody should read."""
    return answer(b"go there", status, Location=to)


class WebHost:
    """Serves `answers` by path; remembers the heads and bodies of requests and counts connections."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.heads: list[str] = []
        self.bodies: list[bytes] = []
        self.connections = 0
        self.port = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        self._server.close_clients()
        await self._server.wait_closed()

    def url(self, path: str, host: str = "127.0.0.1", scheme: str = "http") -> str:
        """Where a path of it is found."""
        return f"{scheme}://{host}:{self.port}{path}"

    def headers(self, index: int = -1) -> dict[str, str]:
        """The headers of a request, their names in lower case."""
        pairs = (line.partition(": ") for line in self.heads[index].splitlines()[1:] if line)
        return {name.lower(): value for name, _, value in pairs}

    @property
    def paths(self) -> list[str]:
        """What was asked for, in order."""
        return [head.split(" ")[1].partition("?")[0] for head in self.heads]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                length = re.search(r"(?i)^content-length: *(\d+)", head, re.MULTILINE)
                self.bodies.append(await reader.readexactly(int(length[1]) if length else 0))
                self.heads.append(head)
                reply = self.answers.get(self.paths[-1], answer(status="404 Not Found"))
                if not isinstance(reply, bytes):
                    await reply(writer)
                    break
                writer.write(reply)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
