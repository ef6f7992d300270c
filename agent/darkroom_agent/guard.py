"""Which hosts and addresses a caller's URL may lead to: the wall between hostile callers and the network.

Inputs are fetched through it, and webhooks sent: so it knows nothing of either, nor of the rest of the agent. A URL is
checked before each request and each redirect; what a name leads to is checked by the resolver beside this module.
"""

import ipaddress
import socket
from dataclasses import dataclass

import yarl

type Address = ipaddress.IPv4Address | ipaddress.IPv6Address
type Network = ipaddress.IPv4Network | ipaddress.IPv6Network

MAX_URL = 2048
_PORTS = frozenset({80, 443, 8080, 8443})  # where the web is served; no database or admin page listens there


def _networks(*texts: str) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(text) for text in texts)


# Credentials lie behind these, so that not even a private network that is allowed opens them.
_NEVER = _networks(
    "169.254.0.0/16",  # link-local: metadata of EC2, GCE, Azure, ECS tasks and EKS Pod Identity
    "fe80::/10",  # link-local
    "fd00:ec2::/32",  # the same services of EC2 over IPv6
    "100.100.100.200/32",  # metadata of Alibaba Cloud
    "168.63.129.16/32",  # Azure's wire server
)
# What `is_global` lets through although no public server is there.
_SPECIAL = _networks(
    "100.64.0.0/10",  # carrier-grade NAT (RFC 6598)
    "192.0.0.0/24",  # IETF protocol assignments (RFC 6890)
    "192.88.99.0/24",  # 6to4 relays (RFC 7526)
    "3fff::/20",  # documentation (RFC 9637)
)
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")  # all that IANA has given out (RFC 4291, 2.4)
_IPV4_AS_IPV6 = _networks(  # how IPv6-only networks write public IPv4 addresses
    "::ffff:0:0/96",  # IPv4-mapped (RFC 4291, 2.5.5.2)
    "64:ff9b::/96",  # NAT64 (RFC 6052)
)
_IPV4_IN_THE_END = _IPV4_AS_IPV6 + _networks(
    "::/96",  # IPv4-compatible (RFC 4291, 2.5.5.1)
    "::ffff:0:0:0/96",  # IPv4-translated (RFC 7915)
    "64:ff9b:1::/48",  # NAT64 of a network's own (RFC 8215)
)
_ISATAP = bytes.fromhex("00005efe"), bytes.fromhex("02005efe")  # RFC 5214, 6.1


@dataclass(frozen=True, slots=True)
class FetchPolicy:
    """What is allowed beside the public internet.

    `hosts`: if any are named, only these may be reached (`.example.com` means the domain with its subdomains); their
    addresses are checked all the same. `networks`: addresses that are allowed though they are not public.
    `ports`: beside 80, 443, 8080 and 8443.
    """

    hosts: tuple[str, ...] = ()
    networks: tuple[Network, ...] = ()
    ports: frozenset[int] = frozenset()


class Refused(Exception):
    """The URL may not be asked for. The message names only what the caller wrote."""


class HostRefused(Refused):
    """The host is unknown, or its addresses may not be connected to."""


class HostUnknown(HostRefused):
    """The host is unknown. Its message is that of the others: callers must not learn which names exist inside."""


def check_url(text: str, policy: FetchPolicy) -> yarl.URL:
    """The URL, if it may be asked for at all; the addresses of a name are checked when they are known.

    Raises:
        Refused: it may not.
    """
    if len(text) > MAX_URL:
        raise Refused(f"a URL of {len(text)} characters; {MAX_URL} are allowed")
    if any(character in " \\" or not character.isprintable() for character in text):
        raise Refused("a URL with blanks, backslashes or control characters")
    try:
        # A signed URL must be sent as it was signed, to the byte; only what is no ASCII needs encoding.
        url = yarl.URL(text, encoded=text.isascii())
        host, port = url.host, url.port
    except ValueError as error:
        raise Refused("what is no URL") from error
    if url.scheme not in ("http", "https"):
        raise Refused(f"the scheme {url.scheme[:20] or 'is missing,'} is not allowed; http and https are")
    if not host or "%" in host:
        raise Refused("a URL without a proper host")
    if "@" in url.raw_authority:
        raise Refused("a URL with user name or password")
    if port not in _PORTS | policy.ports:
        raise Refused(f"the port {port} is not allowed")
    _check_host(host, policy)
    return url


def _check_host(host: str, policy: FetchPolicy) -> None:
    name = host.rstrip(".").lower()
    if policy.hosts and not any(_matches(name, allowed.lower()) for allowed in policy.hosts):
        raise Refused(f"the host {host} is not one of those that are allowed")
    address = _literal(name)
    if address is not None and not is_allowed(address, policy):
        raise refusal_of(host)


def refusal_of(host: str, kind: type[HostRefused] = HostRefused) -> HostRefused:
    """The same words for what is unknown and for what is private: else callers could map what is inside."""
    return kind(f"the host {host} is unknown, or may not be connected to")


def _matches(name: str, allowed: str) -> bool:
    return name == allowed.lstrip(".") or (allowed.startswith(".") and name.endswith(allowed))


def _literal(host: str) -> Address | None:
    """The address that a host spells out, in any form that a C library takes (0x7f.1, 017700000001, 2130706433)."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        pass
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host))
    except (OSError, ValueError):
        return None


def is_allowed(address: Address, policy: FetchPolicy) -> bool:
    """Whether a connection to this address may be made."""
    inner = _embedded(address)
    judged = (address,) if inner is None else (inner, address)
    if any(_in(one, _NEVER) for one in judged):
        return False
    if any(_in(one, policy.networks) for one in judged):
        return True
    if inner is not None and _in(address, _IPV4_AS_IPV6):
        return _is_public(inner)
    return all(_is_public(one) for one in judged)


def _is_public(address: Address) -> bool:
    if not address.is_global or address.is_multicast or address.is_reserved or _in(address, _SPECIAL):
        return False
    return isinstance(address, ipaddress.IPv4Address) or address in _GLOBAL_UNICAST


def _in(address: Address, networks: tuple[Network, ...]) -> bool:
    return any(address in network for network in networks)


def _embedded(address: Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address inside an IPv6 one: whoever translates it connects there."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address.teredo:
        return address.teredo[1]
    if _in(address, _IPV4_IN_THE_END) or address.packed[8:12] in _ISATAP:
        return ipaddress.IPv4Address(address.packed[12:])
    return address.sixtofour
