"""The guard lets callers' URLs lead to the public internet, and to nowhere else."""

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom_agent.guard import (
    MAX_URL,
    FetchPolicy,
    Refused,
    check_url,
    is_allowed,
)
from tests.unit.ssrf_corpus import ADDRESSES, HOSTS, URLS

PUBLIC = "93.184.216.34"
ANY = FetchPolicy()


def literal(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def test_the_corpus_is_large_enough() -> None:
    """At least sixty ways in are tried, each once."""
    assert len({*ADDRESSES, *HOSTS, *URLS}) == len(ADDRESSES) + len(HOSTS) + len(URLS) >= 60


@pytest.mark.parametrize("address", ADDRESSES)
def test_no_private_or_special_address_is_allowed(address: str) -> None:
    """Whatever is not public is refused, in IPv6 clothes too; so is a URL that spells it."""
    assert not is_allowed(ip_address(address), ANY)
    with pytest.raises(Refused):
        check_url(f"http://{literal(address)}/a.png", ANY)


@pytest.mark.parametrize("host", HOSTS)
def test_no_other_spelling_of_a_host_gets_through(host: str) -> None:
    """Octal, hexadecimal, short, full-width and scoped forms are refused before anything is connected."""
    with pytest.raises(Refused):
        check_url(f"http://{host}/latest/meta-data", ANY)


@pytest.mark.parametrize("url", URLS, ids=lambda url: ascii(url[:60]))
def test_no_trick_in_a_url_gets_through(url: str) -> None:
    """Other schemes, user names, ports, blanks and broken URLs are refused."""
    with pytest.raises(Refused) as refused:
        check_url(url, ANY)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        f"http://{PUBLIC}/a.png",
        f"https://{PUBLIC}:8443/a.png",
        "https://example.com/a.png",
        "https://example.com./a.png",
        "https://bücher.example/ä.png?q=ß",
        "https://[2606:2800:220:1:248:1893:25c8:1946]/a.png",
        f"https://[::ffff:{PUBLIC}]/a.png",
        f"https://[64:ff9b::{PUBLIC}]/a.png",
        "https://a_b.s3.amazonaws.com/key",
    ],
)
def test_public_urls_may_be_fetched(url: str) -> None:
    """Names and public addresses pass; a name's addresses are checked when they are known."""
    assert check_url(url, ANY).host


def test_a_signed_url_is_sent_to_the_byte_as_it_was_signed() -> None:
    """Nothing is decoded or encoded anew: many signatures cover the very bytes."""
    text = "https://example.com/a%2Fb+c/%7e?X-Amz-Credential=A%2F2&sig=%2b%3D&empty"
    assert str(check_url(text, ANY)) == text


def test_a_url_has_a_length_limit() -> None:
    """The limit is exact, and the message does not repeat the URL."""
    start = f"http://{PUBLIC}/"
    assert check_url(start + "a" * (MAX_URL - len(start)), ANY)
    with pytest.raises(Refused, match=rf"^a URL of {MAX_URL + 1} characters"):
        check_url(start + "a" * (MAX_URL - len(start) + 1), ANY)


@pytest.mark.parametrize("host", ["images.example.com", "IMAGES.example.com.", "cdn.example.org", "a.cdn.example.org"])
def test_named_hosts_may_be_fetched(host: str) -> None:
    """A host list takes exact names and domains with their subdomains, whatever their case."""
    policy = FetchPolicy(hosts=("Images.example.com", ".cdn.example.org"))
    assert check_url(f"https://{host}/a.png", policy)


@pytest.mark.parametrize(
    "host", ["example.com", "x.images.example.com", "evilcdn.example.org", PUBLIC, "xn--bcher-kva.example"]
)
def test_other_hosts_than_the_named_may_not(host: str) -> None:
    """Where hosts are named, only these: no parent, no child, no look-alike."""
    policy = FetchPolicy(hosts=("images.example.com", ".cdn.example.org"))
    with pytest.raises(Refused, match="not one of those that are allowed"):
        check_url(f"https://{host}/a.png", policy)


def test_naming_a_private_host_does_not_open_its_network() -> None:
    """A host list narrows; only networks widen."""
    with pytest.raises(Refused):
        check_url("http://10.0.0.5/", FetchPolicy(hosts=("10.0.0.5",)))


def test_allowed_networks_are_opened_and_nothing_beside_them() -> None:
    """An allowed network counts for its mapped and alternative spellings too."""
    policy = FetchPolicy(networks=(ip_network("10.1.0.0/16"), ip_network("fd12::/16")), ports=frozenset({9000}))
    for host in ("10.1.2.3", "[::ffff:10.1.2.3]", "0xa010203", "[fd12::1]"):
        assert check_url(f"http://{host}:9000/a.png", policy)
    for host in ("10.2.0.1", "127.0.0.1", "[fd13::1]"):
        with pytest.raises(Refused):
            check_url(f"http://{host}/a.png", policy)


@pytest.mark.parametrize("address", ["169.254.169.254", "169.254.170.23", "fd00:ec2::254", "2002:a9fe:a9fe::"])
def test_credentials_stay_shut_even_in_an_allowed_network(address: str) -> None:
    """Whoever allows all private networks does not mean the metadata service."""
    everything = FetchPolicy(networks=(ip_network("0.0.0.0/0"), ip_network("::/0")))
    assert not is_allowed(ip_address(address), everything)


@given(st.text(max_size=80) | st.text(max_size=60).map("http://{}".format))
def test_any_text_is_judged_and_nothing_else_is_raised(text: str) -> None:
    """No text makes the guard fail otherwise than by refusing."""
    try:
        url = check_url(text, ANY)
    except Refused:
        return
    assert url.scheme in ("http", "https")


@given(st.ip_addresses())
def test_any_address_is_judged(address: object) -> None:
    """No address makes the guard raise, and what Python calls private never passes."""
    judged = ip_address(str(address))
    assert judged.is_global or not is_allowed(judged, ANY)
