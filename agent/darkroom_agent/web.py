"""Fetch one URL through the guard: redirects followed by hand, bodies bounded, failures named after what they mean."""

import re
from collections.abc import Callable

import aiohttp
import yarl

from .errors import InputInterrupted, InputUnavailable
from .guard import FetchPolicy, HostRefused, Refused, check_url
from .resolver import GuardedResolver, LookUp, LookUpFailed

type Take = Callable[[int], None]
"""Told of every byte that comes, before it is kept; raises InputUnavailable when there are too many."""

_MOST_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_TRY_AGAIN = frozenset({408, 425, 429})  # besides 5xx
_HEADERS = {"Accept": "image/*", "Accept-Encoding": "identity", "User-Agent": "darkroom"}
_SIGNED = re.compile(r"[?#].*", re.DOTALL)


class Web:
    """A session to the world outside, whose connections are kept.

    It sends no cookies and no credentials, and knows no proxies: a proxy would look names up behind the guard's back.
    """

    def __init__(self, policy: FetchPolicy, idle_seconds: float, look_up: LookUp | None = None) -> None:
        """A host may be silent for `idle_seconds`; `look_up` replaces the system's resolver."""
        self._policy = policy
        self._idle_seconds = idle_seconds
        self._look_up = look_up
        self._session: aiohttp.ClientSession | None = None

    async def get(self, text: str, take: Take) -> tuple[bytes, str]:
        """The body that a URL leads to in the end, and the last part of that URL's path.

        Raises:
            InputUnavailable: it may not be fetched, or is not there.
            InputInterrupted: its host failed or was too slow.
        """
        try:
            first = url = check_url(text, self._policy)
        except Refused as refusal:
            raise InputUnavailable(str(refusal)) from refusal
        named = shown(text)
        for _ in range(_MOST_REDIRECTS + 1):
            try:
                answer = await self._ask(url, named, take)
            except HostRefused as refusal:
                # Only what the caller wrote is told, never where a host sent us.
                raise InputUnavailable(str(refusal)) if url is first else _astray(named) from refusal
            if isinstance(answer, bytes):
                return answer, url.name
            url = self._target(url, answer, named)
        raise InputUnavailable(f"{named}: more than {_MOST_REDIRECTS} redirects")

    def _target(self, url: yarl.URL, location: str, named: str) -> yarl.URL:
        try:
            target = check_url(str(url.join(yarl.URL(location, encoded=True))), self._policy)
        except (Refused, ValueError) as error:
            raise _astray(named) from error
        if url.scheme == "https" and target.scheme == "http":
            raise InputUnavailable(f"{named} redirects from https to http")
        return target

    async def _ask(self, url: yarl.URL, named: str, take: Take) -> bytes | str:
        """The body, or the Location that is answered in its place."""
        try:
            async with self._open().get(url, allow_redirects=False) as response:
                if response.status in _REDIRECTS:
                    return response.headers.get("Location", "")
                if response.status in _TRY_AGAIN or response.status >= 500:
                    raise InputInterrupted(f"{named} answered {response.status}")
                if response.status != 200:
                    raise InputUnavailable(f"{named} answered {response.status}")
                return await _read(response, take)
        except TimeoutError as error:
            raise InputInterrupted(f"{named} is too slow") from error
        except LookUpFailed as error:
            raise InputInterrupted(str(error)) from error
        except aiohttp.ClientConnectorCertificateError as error:
            raise InputUnavailable(f"{named}: its certificate is not trusted") from error
        except aiohttp.InvalidURL as error:
            raise InputUnavailable(f"{named} is no URL") from error
        except (aiohttp.ClientError, OSError) as error:
            raise InputInterrupted(f"{named}: the connection failed or was cut") from error

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    resolver=GuardedResolver(self._policy, self._look_up), use_dns_cache=False, limit=64
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
                auto_decompress=False,  # what is compressed may be of any size once it is not
                headers=_HEADERS,
                timeout=aiohttp.ClientTimeout(
                    total=None, sock_connect=self._idle_seconds, sock_read=self._idle_seconds
                ),
            )
        return self._session

    async def close(self) -> None:
        """Close the session's connections."""
        if self._session is not None:
            await self._session.close()


async def _read(response: aiohttp.ClientResponse, take: Take) -> bytes:
    parts = []
    async for part in response.content.iter_any():
        take(len(part))
        parts.append(part)
    return b"".join(parts)


def _astray(named: str) -> InputUnavailable:
    return InputUnavailable(f"{named} redirects to where inputs may not come from")


def shown(text: str) -> str:
    """A URL as it may stand in a message: its query may hold a signature."""
    return _SIGNED.sub("", text)
