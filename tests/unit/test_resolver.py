"""What a name leads to is judged as if it stood in the URL, and told to nobody."""

import socket
from ipaddress import ip_network

import pytest

from darkroom_agent.guard import FetchPolicy, HostRefused, HostUnknown, Refused
from darkroom_agent.resolver import GuardedResolver, LookUp, LookUpFailed
from tests.unit.ssrf_corpus import ADDRESSES

PUBLIC = "93.184.216.34"
ANY = FetchPolicy()


def names(**known: list[str]) -> LookUp:
    """A look-up that knows these names; `_` in them stands for a point."""

    async def look_up(host: str, port: int, family: socket.AddressFamily) -> list[str]:
        found = known.get(host.replace(".", "_"))
        if found is None:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return found

    return look_up


@pytest.mark.parametrize("address", ADDRESSES)
async def test_a_name_that_leads_inside_is_refused(address: str) -> None:
    """Each forbidden address is refused behind a name too, and the message tells neither it nor why."""
    resolver = GuardedResolver(ANY, names(evil_example=[address]))
    with pytest.raises(Refused) as refused:
        await resolver.resolve("evil.example", 80)
    assert str(refused.value) == "the host evil.example is unknown, or may not be connected to"


async def test_one_forbidden_address_among_many_refuses_the_name() -> None:
    """No retry of the connection may fall on the address that was hidden among good ones."""
    resolver = GuardedResolver(ANY, names(mixed_example=[PUBLIC, "10.0.0.1"], fine_example=[PUBLIC]))
    with pytest.raises(Refused):
        await resolver.resolve("mixed.example", 80)
    assert [found["host"] for found in await resolver.resolve("fine.example", 80)] == [PUBLIC]


async def test_unknown_names_sound_like_private_ones() -> None:
    """Messages cannot be used to find out which names exist inside."""
    resolver = GuardedResolver(ANY, names(inside_example=["10.0.0.1"], empty_example=[]))
    messages = set()
    for host in ("inside.example", "nowhere.example", "empty.example"):
        with pytest.raises(Refused) as refused:
            await resolver.resolve(host, 80)
        messages.add(str(refused.value).replace(host, "HOST"))
    assert len(messages) == 1


async def test_who_asks_can_tell_an_unknown_name_from_a_forbidden_one() -> None:
    """An unknown name may be known tomorrow."""
    resolver = GuardedResolver(ANY, names(inside_example=["10.0.0.1"]))
    with pytest.raises(HostUnknown):
        await resolver.resolve("nowhere.example", 80)
    with pytest.raises(HostRefused) as refused:
        await resolver.resolve("inside.example", 80)
    assert not isinstance(refused.value, HostUnknown)


async def test_a_silent_name_server_is_worth_another_try() -> None:
    """What failed for the moment is retryable."""

    async def look_up(host: str, port: int, family: socket.AddressFamily) -> list[str]:
        raise socket.gaierror(socket.EAI_AGAIN, "try again")

    with pytest.raises(LookUpFailed):
        await GuardedResolver(ANY, look_up).resolve("example.com", 80)


async def test_the_system_is_asked_by_default() -> None:
    """Without another look-up the system's own resolver is used, and judged alike."""
    with pytest.raises(Refused):
        await GuardedResolver(ANY).resolve("localhost", 80)
    opened = GuardedResolver(FetchPolicy(networks=(ip_network("127.0.0.0/8"), ip_network("::1/128"))))
    assert await opened.resolve("localhost", 80)
    with pytest.raises(Refused):
        await opened.resolve("a" * 70 + ".example", 80)
