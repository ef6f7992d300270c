"""Which hosts and addresses inputs may be fetched from: the wall between hostile inputs and the network.

A URL is checked before each request and each redirect; every address that its host resolves to is checked by the
resolver that the connection uses, so it goes to the very address that was checked: no second look-up can rebind it.
"""

import asyncio
import ipaddress
import socket
from dataclasses import dataclass
from typing import Any

import yarl
from aiohttp.abc import AbstractResolver, ResolveResult

from .errors import InputUnavailable

type Address = ipaddress.IPv4Address | ipaddress.IPv6Address
type Network = ipaddress.IPv4Network | ipaddress.IPv6Network

MAX_URL = 2048
_PORTS = frozenset({80, 443, 8080, 8443})

# Beside what `is_global` says already: metadata services and translations that carry an IPv4 address inside.
_REFUSED: tuple[Network, ...] = tuple(
    ipaddress.ip_network(network)
    for network in (
        "100.64.0.0/10",  # carrier-grade NAT, and Alibaba's metadata service
        "168.63.129.16/32",  # Azure's wire server
        "192.88.99.0/24",  # 6to4 relays
        "fd00:ec2::/32",  # AWS's metadata service over IPv6
        "fec0::/10",  # site-local, deprecated
    )
)
_NAT64 = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("64:ff9b:1::/48"))


@dataclass(frozen=True, slots=True)
class FetchPolicy:
    """What is allowed beside the public internet.

    `hosts`: if any are named, only these may be fetched (`.example.com` means the domain with its subdomains).
    `networks`: addresses that are allowed though they are not public. `ports`: beside 80, 443, 8080 and 8443.
    """

    hosts: tuple[str, ...] = ()
    networks: tuple[Network, ...] = ()
    ports: frozenset[int] = frozenset()


def check_url(text: str, policy: FetchPolicy) -> yarl.URL:
    """The URL, if it may be asked for at all; addresses are checked when they are known.

    Raises:
        InputUnavailable: it may not. The message names only what the caller wrote.
    """
    if len(text) > MAX_URL:
        raise InputUnavailable(f"a URL of {len(text)} characters; {MAX_URL} are allowed")
    if any(character <= " " or character in "\\\x7f" for character in text):
        raise InputUnavailable("a URL with blanks, backslashes or control characters")
    try:
        url = yarl.URL(text)
        host, port = url.host, url.port
    except ValueError as error:
        raise InputUnavailable(f"not a URL: {error}") from error
    if url.scheme not in ("http", "https"):
        raise InputUnavailable(f"the scheme {url.scheme or 'of the URL'} is not fetched, only http, https and s3")
    if not host:
        raise InputUnavailable("a URL without a host")
    if url.user is not None or url.password is not None:
        raise InputUnavailable("a URL with user name or password")
    if port not in _PORTS | policy.ports:
        raise InputUnavailable(f"the port {port} is not fetched from")
    _check_host(host, policy)
    return url


def _check_host(host: str, policy: FetchPolicy) -> None:
    name = host.rstrip(".").lower()
    if policy.hosts and not any(_matches(name, allowed.lower()) for allowed in policy.hosts):
        raise InputUnavailable(f"the host {host} is not one that inputs may come from")
    address = _literal(name)
    if address is not None and not is_allowed(address, policy):
        raise InputUnavailable(f"the host {host} may not be fetched from")


def _matches(name: str, allowed: str) -> bool:
    return name == allowed.lstrip(".") or (allowed.startswith(".") and name.endswith(allowed))


def _literal(host: str) -> Address | None:
    """The address that a host spells out, in any form that a C library takes (0x7f.1, 017700000001, 2130706433)."""
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        pass
    if not host.replace(".", "").replace("x", "").isalnum() or not host[:1].isdigit():
        return None
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host))
    except OSError:
        return None


def is_allowed(address: Address, policy: FetchPolicy) -> bool:
    """Whether a connection to this address may be made."""
    judged = _embedded(address) or address
    if any(judged in network or address in network for network in policy.networks):
        return True
    if any(judged in network for network in _REFUSED):
        return False
    return judged.is_global and not judged.is_multicast and not judged.is_reserved


def _embedded(address: Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address inside an IPv6 one: whoever translates it connects there."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address.ipv4_mapped or address.sixtofour:
        return address.ipv4_mapped or address.sixtofour
    if address.teredo:
        return address.teredo[1]
    packed = address.packed
    if any(address in network for network in _NAT64) or packed[:12] == bytes(12):
        return ipaddress.IPv4Address(packed[12:])
    return None


class GuardedResolver(AbstractResolver):
    """Resolves names for aiohttp, and gives away only addresses that may be connected to."""

    def __init__(self, policy: FetchPolicy) -> None:
        self._policy = policy

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """All addresses of a host. If one of them may not be connected to, none may: such a name is an attack.

        Raises:
            InputUnavailable: the name is unknown, or may not be fetched from.
        """
        try:
            found = await self._look_up(host, port, family)
        except OSError as error:
            raise InputUnavailable(f"the host {host} is not known") from error
        results: list[ResolveResult] = []
        for kind, _, protocol, _, place in found:
            address = ipaddress.ip_address(str(place[0]).partition("%")[0])
            if not is_allowed(address, self._policy):
                raise InputUnavailable(f"the host {host} may not be fetched from")
            results.append(
                ResolveResult(
                    hostname=host,
                    host=str(address),
                    port=port,
                    family=kind,
                    proto=protocol,
                    flags=socket.AI_NUMERICHOST,
                )
            )
        return results

    async def _look_up(self, host: str, port: int, family: socket.AddressFamily) -> list[Any]:
        return await asyncio.get_running_loop().getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM)

    async def close(self) -> None:
        """Nothing to close."""
