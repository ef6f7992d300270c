"""Send one webhook to wherever its caller wants it: through the guard, in 5 s, and without reading what comes back."""

import asyncio
from collections.abc import Mapping
from types import TracebackType
from typing import Self

import aiohttp
import yarl

from darkroom_agent.guard import FetchPolicy, HostUnknown, Refused, check_url
from darkroom_agent.resolver import GuardedResolver, LookUp, LookUpFailed
from darkroom_contract.job import now

from .verdict import Dropped, Failed, Verdict, verdict

SECONDS = 5.0
"""For all of an attempt: name, connection, redirects, the head of the answer."""
_MOST_REDIRECTS = 3
_REDIRECTS = frozenset({301, 302, 307, 308})  # 303 would turn it into a GET, which carries nothing
_HEADERS = {
    "Content-Type": "application/json",
    "User-Agent": "darkroom-webhooks",
    "Accept-Encoding": "identity",
}


class Courier:
    """A session to the receivers: no cookies, no proxies, no credentials, and a new connection for each webhook.

    Connections are not kept: a Lambda is frozen between invocations, and wakes up with broken ones.
    """

    def __init__(self, policy: FetchPolicy, look_up: LookUp | None = None, seconds: float = SECONDS) -> None:
        """`policy` is what receivers may be beside the public internet; `look_up` replaces the system's resolver."""
        self._policy = policy
        self._look_up = look_up
        self._seconds = seconds

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                resolver=GuardedResolver(self._policy, self._look_up), use_dns_cache=False, force_close=True, limit=0
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            auto_decompress=False,
            headers=_HEADERS,
            read_bufsize=4096,  # of a body that nobody reads
            timeout=aiohttp.ClientTimeout(total=None),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Verdict:
        """Send it, and say what that led to. Reasons are fit for the log: none has more of the URL than its host."""
        try:
            async with asyncio.timeout(self._seconds):
                return await self._send(check_url(url, self._policy), headers, body)
        except TimeoutError:
            return Failed(f"the receiver did not answer within {self._seconds:g} s")
        except (HostUnknown, LookUpFailed) as failure:
            return Failed(str(failure))
        except Refused as refusal:
            return Dropped(str(refusal))
        except aiohttp.InvalidURL:
            return Dropped("the URL is none")
        except (aiohttp.ClientError, OSError) as error:
            return Failed(f"the connection failed or was cut ({type(error).__name__})")

    async def _send(self, url: yarl.URL, headers: Mapping[str, str], body: bytes) -> Verdict:
        for _ in range(_MOST_REDIRECTS + 1):
            async with self._session.post(url, headers=headers, data=body, allow_redirects=False) as response:
                location = response.headers.get("Location") if response.status in _REDIRECTS else None
                if location is None:
                    return verdict(response.status, response.headers.get("Retry-After"), now())
            target = self._target(url, location)
            if isinstance(target, Failed):
                return target
            url = target
        return Failed(f"more than {_MOST_REDIRECTS} redirects")

    def _target(self, url: yarl.URL, location: str) -> yarl.URL | Failed:
        """Where a redirect leads, if it may be followed. What it says is the receiver's, and is not repeated."""
        try:
            target = url.join(yarl.URL(location, encoded=True))
            if target.host != url.host:
                return Failed("the receiver redirects to another host")
            if url.scheme == "https" and target.scheme != "https":
                return Failed("the receiver redirects from https to http")
            return check_url(str(target), self._policy)
        except (Refused, ValueError):
            return Failed("the receiver redirects to where webhooks are not sent")
