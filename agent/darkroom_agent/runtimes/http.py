"""HTTP to a runtime: bounded answers, and what a broken connection means."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import msgspec

from darkroom_agent.errors import ResultTooLarge, RuntimeFailed, RuntimeGone


@dataclass(frozen=True, slots=True)
class Reply:
    """A runtime's answer, read to its end."""

    status: int
    content_type: str
    body: bytes | bytearray

    def json(self) -> Any:
        """The body as JSON.

        Raises:
            RuntimeFailed: it is none.
        """
        try:
            return msgspec.json.decode(self.body)
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            raise RuntimeFailed(f"the runtime answered {self.status} with no JSON: {self.text()}") from error

    def text(self) -> str:
        """The beginning of the body, for messages."""
        return self.body[:500].decode("utf-8", "replace")


class Opened:
    """An answer of which only the head has been read: the work is done, the body still travels."""

    def __init__(self, response: aiohttp.ClientResponse, what: str, answer_bytes: int) -> None:
        self.status = response.status
        self._response = response
        self._what = what
        self._answer_bytes = answer_bytes

    async def read(self) -> Reply:
        """The whole answer.

        Raises:
            RuntimeGone: the connection broke.
            ResultTooLarge: it is longer than allowed.
        """
        body = bytearray()  # grows in place: parts that are joined in the end would take twice the memory
        with _connection(self._what):
            async with self._response as response:
                self._check_length(response.content_length or 0)
                async for part in response.content.iter_any():
                    self._check_length(len(body) + len(part))
                    body += part
        return Reply(self.status, self._response.content_type, body)

    def _check_length(self, length: int) -> None:
        if length > self._answer_bytes:
            self._response.close()
            raise ResultTooLarge(f"the runtime's answer is longer than {self._answer_bytes} bytes")

    def close(self) -> None:
        """Throw it away unread."""
        self._response.close()


@contextmanager
def _connection(what: str) -> Iterator[None]:
    """Say what a broken connection means."""
    try:
        yield
    except TimeoutError as error:
        raise RuntimeGone(f"the runtime did not answer {what} in time") from error
    except (aiohttp.ClientError, OSError) as error:
        raise RuntimeGone(f"no connection to the runtime for {what}: {str(error) or type(error).__name__}") from error


class RuntimeHttp:
    """A session to one runtime. Connections are kept; nothing is sent twice."""

    def __init__(self, base_url: str, answer_bytes: int, api_key: str | None = None) -> None:
        """`base_url` ends without `/`; no answer may be longer than `answer_bytes`; `api_key` is a bearer token."""
        self.base_url = base_url
        self._answer_bytes = answer_bytes
        self._headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._session: aiohttp.ClientSession | None = None

    @property
    def session(self) -> aiohttp.ClientSession:
        """The session, made when first needed: it must be made inside the event loop."""
        if self._session is None or self._session.closed:
            # A job's own time limit is the pipeline's business; here only connecting is bounded.
            timeout = aiohttp.ClientTimeout(total=None, sock_connect=10)
            # A small buffer: a result that comes in at full speed would keep the next job's request waiting.
            self._session = aiohttp.ClientSession(
                headers=self._headers, timeout=timeout, read_bufsize=1 << 16, auto_decompress=False
            )
        return self._session

    async def request(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        content_type: str = "application/json",
        form: aiohttp.FormData | None = None,
        params: Mapping[str, str] | None = None,
        seconds: float | None = None,
    ) -> Reply:
        """Send a request and read its whole answer, within `seconds` if given.

        Raises:
            RuntimeGone: refused, reset, closed or too slow.
            ResultTooLarge: the answer is longer than allowed.
        """
        opened = await self.open(
            method, path, body=body, content_type=content_type, form=form, params=params, seconds=seconds
        )
        return await opened.read()

    async def open(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        content_type: str = "application/json",
        form: aiohttp.FormData | None = None,
        params: Mapping[str, str] | None = None,
        seconds: float | None = None,
    ) -> "Opened":
        """Send a request and wait for the head of its answer; `read` or `close` what comes.

        Raises:
            RuntimeGone: refused, reset, closed or too slow.
        """
        headers = {"Content-Type": content_type} if body is not None else None
        what = f"{method} {path}"
        with _connection(what):
            response = await self.session.request(
                method,
                self.base_url + path,
                data=body if form is None else form,
                params=params,
                headers=headers,
                timeout=aiohttp.ClientTimeout(total=seconds, sock_connect=10),
            )
        return Opened(response, what, self._answer_bytes)

    async def close(self) -> None:
        """Close the session's connections."""
        if self._session is not None:
            await self._session.close()
