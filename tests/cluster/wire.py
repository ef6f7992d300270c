"""A wire between KEDA and the emulator, for a test to cut."""

import asyncio
import contextlib
import urllib.parse
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

_CHUNK = 1 << 16


@dataclass(slots=True)
class Wire:
    """A port of loopback that leads to a server."""

    host: str
    port: int
    url: str = ""
    _whole: bool = True
    _carried: set[asyncio.Task[None]] = field(default_factory=set)

    @contextmanager
    def cut(self) -> Iterator[None]:
        """End every connection, and each new one at once.

        A server that takes connections and never answers is another matter: KEDA's SQS scaler waits for it for ever.
        """
        self._whole = False
        self.end()
        try:
            yield
        finally:
            self._whole = True

    def end(self) -> None:
        """End every connection."""
        for task in self._carried:
            task.cancel()

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry a connection for as long as both ends want, and the wire is whole."""
        if not self._whole:
            writer.close()
            return
        self._carried.add(task := asyncio.create_task(self._carry(reader, writer)))
        task.add_done_callback(self._carried.discard)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer):
            there, back = await asyncio.open_connection(self.host, self.port)
            with contextlib.closing(back):
                await asyncio.gather(_pass_on(reader, back), _pass_on(there, writer))


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while chunk := await reader.read(_CHUNK):
            writer.write(chunk)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def wire(to: str) -> AsyncIterator[Wire]:
    """Lay one to a server, `http://<host>:<port>`, for as long as the context lasts."""
    server = urllib.parse.urlsplit(to)
    assert server.hostname is not None
    assert server.port is not None
    made = Wire(server.hostname, server.port)
    listening = await asyncio.start_server(made.accept, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    try:
        yield made
    finally:
        listening.close()
        made.end()
