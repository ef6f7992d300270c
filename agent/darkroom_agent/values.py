"""From a variable's text to its value. Each raises a ValueError that says what is expected."""

from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec

from darkroom_contract.job import Task


class WarmUp(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The job that a runtime runs before it serves."""

    task: Task
    input: dict[str, Any]


type Prices = dict[str, dict[str, Annotated[float, msgspec.Meta(gt=0)]]]
"""USD an hour, by instance type and capacity type."""


def text(value: str) -> str:
    """As it is."""
    return value


def integer(low: int, high: int) -> Callable[[str], int]:
    """A whole number within bounds."""

    def parse(value: str) -> int:
        if not value.isascii() or not value.isdigit() or not low <= int(value) <= high:
            raise ValueError(f"expected a whole number {low} … {high}")
        return int(value)

    return parse


def seconds(low: float, high: float) -> Callable[[str], float]:
    """A time within bounds."""

    def parse(value: str) -> float:
        try:
            number = float(value)
        except ValueError:
            number = float("nan")
        if not low <= number <= high:
            raise ValueError(f"expected seconds {low:g} … {high:g}")
        return number

    return parse


def price(value: str) -> float:
    """USD an hour."""
    try:
        number = float(value)
    except ValueError:
        number = float("nan")
    if not 0 < number < float("inf"):
        raise ValueError("expected USD an hour, above 0")
    return number


def flag(value: str) -> bool:
    """`true` or `false`, in whatever case."""
    if value.lower() not in ("true", "false"):
        raise ValueError("expected true or false")
    return value.lower() == "true"


def choice(*known: str) -> Callable[[str], str]:
    """One of these, in whatever case."""

    def parse(value: str) -> str:
        if value.lower() not in known:
            raise ValueError(f"expected one of {', '.join(known)}")
        return value.lower()

    return parse


def secret(value: str) -> str:
    """As it is, where an HTTP header can carry it."""
    if not value.isascii() or not value.isprintable():
        raise ValueError("expected printable ASCII, on one line")
    return value


def names(value: str) -> tuple[str, ...]:
    """A list, comma-separated."""
    return tuple(part.strip() for part in value.split(",") if part.strip())


def ports(value: str) -> frozenset[int]:
    """A list of ports."""
    return frozenset(integer(1, 65_535)(part) for part in names(value))


def networks(value: str) -> tuple[IPv4Network | IPv6Network, ...]:
    """A list of networks, in CIDR notation."""
    return tuple(ip_network(part) for part in names(value))


def url(value: str) -> str:
    """Take also the predecessor's `localhost:8080` and `http://localhost:8080/sdapi/v1/`, and OpenAI's `…:8080/v1`."""
    parts = urlsplit(value if "://" in value else f"http://{value}")
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise ValueError("expected http://host:port")
    return f"{parts.scheme}://{parts.netloc}{parts.path.removesuffix('/').removesuffix('/v1').removesuffix('/sdapi')}"


def warm_up(value: str) -> WarmUp:
    """A job for the warm-up, as JSON."""
    try:
        return msgspec.json.decode(value, type=WarmUp)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError(f"expected JSON with task and input ({error})") from error


def prices(value: str) -> Prices:
    """Prices of nodes, as JSON."""
    try:
        read: Prices = msgspec.json.decode(value, type=Prices)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError(f"expected JSON, instance type to capacity type to USD an hour ({error})") from error
    return read
