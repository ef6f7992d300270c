"""A loopback port before a server, which can be shut, opened again, led elsewhere, or made silent."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from darkroom_local.emulator import free_port

_CHUNK = 1 << 16


class Door:
    """Passes bytes on to the server at `behind` (a URL) while it is open; while it is shut, connecting is refused.

    An open door before a server that is not there turns its visitors away.
    """

    def __init__(self, behind: str, *, mute_websockets: bool = False) -> None:
        """`mute_websockets`: they open, and then nothing that the server says comes through."""
        self.behind = behind
        self._mute_websockets = mute_websockets
        self._turned_away = 0
        self._news = asyncio.Event()
        self._port = free_port()
        self._server: asyncio.Server | None = None
        self._passing: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """Where it stands."""
        return f"http://127.0.0.1:{self._port}"

    async def turned_away(self, count: int, seconds: float = 20) -> None:
        """Wait until so many visitors have found nobody."""
        async with asyncio.timeout(seconds):
            while self._turned_away < count:
                self._news.clear()
                await self._news.wait()

    async def open(self) -> None:
        """Let connections through."""
        self._server = await asyncio.start_server(self._enter, "127.0.0.1", self._port)

    async def shut(self) -> None:
        """Refuse connections, and cut those that there are."""
        if self._server is None:
            return
        self._server.close()
        self._server = None
        for task in self._passing:
            task.cancel()
        await asyncio.gather(*self._passing, return_exceptions=True)

    def _enter(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._pass(reader, writer))
        self._passing.add(task)
        task.add_done_callback(self._passing.discard)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        address = urlsplit(self.behind)
        try:
            answers, asking = await asyncio.open_connection(address.hostname, address.port)
        except OSError:
            writer.transport.abort()
            self._turned_away += 1
            self._news.set()
            return
        is_websocket = asyncio.Event()
        ways = {
            asyncio.create_task(self._asked(reader, asking, is_websocket)),
            asyncio.create_task(self._answered(answers, writer, is_websocket)),
        }
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            asking.transport.abort()
            writer.transport.abort()
            await asyncio.gather(*ways, return_exceptions=True)

    async def _asked(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, is_websocket: asyncio.Event
    ) -> None:
        while data := await reader.read(_CHUNK):
            if data.startswith(b"GET /ws"):
                is_websocket.set()
            writer.write(data)
            await writer.drain()

    async def _answered(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, is_websocket: asyncio.Event
    ) -> None:
        while data := await reader.read(_CHUNK):
            is_mute = self._mute_websockets and is_websocket.is_set()
            if is_mute:
                # The head alone: it opens the websocket. A first frame may have come with it.
                data, _, _ = data.partition(b"\r\n\r\n")
                data += b"\r\n\r\n"
            writer.write(data)
            await writer.drain()
            if is_mute:
                await _swallow(reader)


async def _swallow(reader: asyncio.StreamReader) -> None:
    while await reader.read(_CHUNK):
        pass


@asynccontextmanager
async def door(behind: str, *, is_open: bool = True, mute_websockets: bool = False) -> AsyncIterator[Door]:
    """One that is shut at the end."""
    made = Door(behind, mute_websockets=mute_websockets)
    if is_open:
        await made.open()
    try:
        yield made
    finally:
        await made.shut()
