"""Resolve names for aiohttp, and give away only addresses that the guard lets connections go to.

Every address of a host is checked by the resolver that the connection uses, so it goes to the very address that was
checked: no second look-up can rebind it.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable

from aiohttp.abc import AbstractResolver, ResolveResult

from .guard import Address, FetchPolicy, HostUnknown, is_allowed, refusal_of

type LookUp = Callable[[str, int, socket.AddressFamily], Awaitable[list[str]]]
"""Host, port and family to addresses. Raises OSError as getaddrinfo does."""


class LookUpFailed(Exception):
    """The name server did not answer."""


class GuardedResolver(AbstractResolver):
    """Resolves names for aiohttp, and gives away only addresses that may be connected to."""

    def __init__(self, policy: FetchPolicy, look_up: LookUp | None = None) -> None:
        """`look_up` finds a name's addresses; by default the system's resolver does."""
        self._policy = policy
        self._look_up = look_up or _ask_system

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """All addresses of a host. If one of them may not be connected to, none may: such a name is an attack.

        Raises:
            HostRefused: the name is unknown, or may not be connected to.
            LookUpFailed: the name server did not answer.
        """
        try:
            addresses = [ipaddress.ip_address(found) for found in await self._look_up(host, port, family)]
        except socket.gaierror as error:
            if error.errno == socket.EAI_AGAIN:
                raise LookUpFailed(f"the host {host} could not be looked up") from error
            raise refusal_of(host, HostUnknown) from error
        except (OSError, ValueError) as error:
            raise refusal_of(host) from error
        if not addresses or not all(is_allowed(address, self._policy) for address in addresses):
            raise refusal_of(host)
        return [_result(host, port, address) for address in addresses]

    async def close(self) -> None:
        """Nothing to close."""


def _result(host: str, port: int, address: Address) -> ResolveResult:
    family = socket.AF_INET if isinstance(address, ipaddress.IPv4Address) else socket.AF_INET6
    numeric = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV  # so that nobody looks it up again
    return ResolveResult(hostname=host, host=str(address), port=port, family=family, proto=0, flags=numeric)


async def _ask_system(host: str, port: int, family: socket.AddressFamily) -> list[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM)
    return [str(place[0]).partition("%")[0] for _, _, _, _, place in found]
