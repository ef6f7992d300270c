"""URLs are fetched through the guard, however hosts answer."""

import asyncio
import gzip
import socket
from collections.abc import AsyncIterator
from ipaddress import ip_network
from unittest.mock import AsyncMock

import pytest
from aiohttp.abc import ResolveResult

from darkroom_agent.errors import InputInterrupted, InputUnavailable
from darkroom_agent.guard import FetchPolicy
from darkroom_agent.resolver import GuardedResolver
from darkroom_agent.web import Web
from tests.unit.ssrf_corpus import ADDRESSES, HOSTS, URLS
from tests.unit.web_host import WebHost, answer, redirect

LOOPBACK = (ip_network("127.0.0.1/32"),)


class Names:
    """A look-up whose every answer is given by the test; all names lead to loopback by default."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.next: list[list[str]] = []
        self.known: dict[str, list[str]] = {}

    async def __call__(self, host: str, port: int, family: socket.AddressFamily) -> list[str]:
        self.asked.append(host)
        return self.next.pop(0) if self.next else self.known.get(host, ["127.0.0.1"])


@pytest.fixture
async def host() -> AsyncIterator[WebHost]:
    async with WebHost() as served:
        yield served


@pytest.fixture
def names() -> Names:
    return Names()


@pytest.fixture
def policy(host: WebHost) -> FetchPolicy:
    return FetchPolicy(networks=LOOPBACK, ports=frozenset({host.port}))


@pytest.fixture
async def web(policy: FetchPolicy, names: Names) -> AsyncIterator[Web]:
    made = Web(policy, 0.2, names)
    yield made
    await made.close()


def take(_: int) -> None:
    """Any number of bytes."""


async def test_a_body_is_fetched(host: WebHost, web: Web) -> None:
    """The body and the name at the end of the path, by name or address."""
    host.answers["/a/cat.png"] = answer(b"pixels")
    assert await web.get(host.url("/a/cat.png?sig=x"), take) == (b"pixels", "cat.png")
    assert await web.get(host.url("/a/cat.png", host="images.example"), take) == (b"pixels", "cat.png")


async def test_a_request_carries_nothing_of_ours(
    host: WebHost, web: Web, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """No cookies of earlier answers, no proxy and no credentials of the environment, no wish for compression."""
    netrc = tmp_path_factory.mktemp("home") / "netrc"
    netrc.write_text("machine images.example login me password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    host.answers["/"] = answer(b"x", Set_Cookie="session=1; Path=/")
    for _ in range(2):
        await web.get(host.url("/", host="images.example"), take)
    head = host.heads[-1].lower()
    assert "accept-encoding: identity" in head
    assert not any(word in head for word in ("cookie", "authorization", "proxy"))


async def test_connections_are_kept(host: WebHost, web: Web) -> None:
    """Inputs that follow each other from one host share a connection."""
    host.answers["/"] = answer(b"x")
    for _ in range(3):
        await web.get(host.url("/"), take)
    assert host.connections == 1


async def test_the_connection_goes_to_the_address_that_was_checked(
    host: WebHost, web: Web, names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that leads elsewhere at the second look (rebinding) is looked up once; the next fetch judges it anew."""
    loop = asyncio.get_running_loop()
    monkeypatch.setattr(loop, "getaddrinfo", AsyncMock(side_effect=AssertionError("looked up a second time")))
    host.answers["/"] = answer(b"x", Connection="close")
    names.next = [["127.0.0.1"], ["10.0.0.1"]]
    url = host.url("/", host="rebind.example")
    assert await web.get(url, take) == (b"x", "")
    assert names.asked == ["rebind.example"]
    with pytest.raises(InputUnavailable, match=r"^the host rebind\.example is unknown, or may not be connected to$"):
        await web.get(url, take)
    assert host.connections == 1


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 Other", "307 Temporary", "308 Permanent"])
async def test_redirects_are_followed(host: WebHost, web: Web, status: str) -> None:
    """Absolute and relative ones, up to five."""
    for hop in range(5):
        host.answers[f"/{hop}"] = redirect(f"{hop + 1}" if hop % 2 else host.url(f"/{hop + 1}"), status)
    host.answers["/5"] = answer(b"there")
    assert await web.get(host.url("/0"), take) == (b"there", "5")


async def test_redirect_loops_end(host: WebHost, web: Web) -> None:
    """After five redirects it is over."""
    host.answers |= {"/a": redirect("/b"), "/b": redirect("/a")}
    with pytest.raises(InputUnavailable, match="more than 5 redirects"):
        await web.get(host.url("/a"), take)
    assert len(host.heads) == 6


async def test_a_redirect_leads_nowhere_that_a_caller_could_not_name(
    host: WebHost, names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every entry of the corpus, and every name for one, is refused as the target of a redirect, and is not told."""
    judged = GuardedResolver.resolve

    async def resolve(self: GuardedResolver, name: str, port: int, family: socket.AddressFamily) -> list[ResolveResult]:
        # Only the host that redirects is let through; the policy itself opens nothing.
        return [numeric(name, port)] if name == "front.example" else await judged(self, name, port, family)

    monkeypatch.setattr(GuardedResolver, "resolve", resolve)
    names.known = {f"n{index}.example": [address] for index, address in enumerate(ADDRESSES)}
    literals = [f"[{address}]" if ":" in address else address for address in ADDRESSES]
    targets = [f"http://{one}/" for one in (*literals, *HOSTS, *names.known)]
    targets += [url for url in URLS if url.isprintable()]
    # Without a host they stay on the one that redirects.
    targets = [target for target in targets if not target.startswith(("http:///", "http:/1", "http:1"))]
    strict = Web(FetchPolicy(ports=frozenset({host.port})), 0.2, names)
    start = host.url("/", host="front.example")
    for target in targets:
        host.answers["/"] = redirect(target)
        with pytest.raises(InputUnavailable) as refused:
            await strict.get(f"{start}?sig=x", take)
        assert refused.value.message == f"{start} redirects to where inputs may not come from", target
    await strict.close()
    assert len(host.heads) == len(targets) >= 60
    assert set(host.paths) == {"/"}


def numeric(name: str, port: int) -> ResolveResult:
    return ResolveResult(hostname=name, host="127.0.0.1", port=port, family=socket.AF_INET, proto=0, flags=0)


async def test_https_does_not_become_http(web: Web, host: WebHost, monkeypatch: pytest.MonkeyPatch) -> None:
    """A redirect may not take the encryption away."""
    monkeypatch.setattr(web, "_ask", AsyncMock(side_effect=[host.url("/"), b"x"]))
    with pytest.raises(InputUnavailable, match="redirects from https to http"):
        await web.get(host.url("/", scheme="https"), take)


@pytest.mark.parametrize(
    "status", ["400 Bad", "401 No", "403 Forbidden", "404 Not Found", "410 Gone", "204 None", "304 Same"]
)
async def test_what_is_not_there_is_permanent(host: WebHost, web: Web, status: str) -> None:
    """The same request would get the same answer; the message shows no signature."""
    host.answers["/a"] = answer(status=status)
    with pytest.raises(InputUnavailable) as failed:
        await web.get(host.url("/a?X-Amz-Signature=secret#x"), take)
    assert failed.value.message == f"{host.url('/a')} answered {status[:3]}"


@pytest.mark.parametrize("status", ["408 Late", "425 Early", "429 Many", "500 Oh", "502 Bad", "503 Busy", "504 Late"])
async def test_what_may_be_there_later_is_retryable(host: WebHost, web: Web, status: str) -> None:
    """The host failed or asked to come again."""
    host.answers["/a"] = answer(status=status)
    with pytest.raises(InputInterrupted, match=f"answered {status[:3]}$"):
        await web.get(host.url("/a"), take)


async def test_a_body_that_is_cut_off_is_retryable(host: WebHost, web: Web) -> None:
    """Fewer bytes than were promised are no image."""

    async def cut(writer: asyncio.StreamWriter) -> None:
        writer.write(answer(b"half", length=1000))
        await writer.drain()

    host.answers["/"] = cut
    with pytest.raises(InputInterrupted, match="the connection failed or was cut"):
        await web.get(host.url("/"), take)


async def test_no_connection_is_retryable(host: WebHost, web: Web, policy: FetchPolicy) -> None:
    """Who does not listen now may do so later."""
    async with WebHost() as gone:
        port = gone.port
    other = Web(FetchPolicy(networks=LOOPBACK, ports=frozenset({port})), 0.2)
    with pytest.raises(InputInterrupted, match="the connection failed"):
        await other.get(f"http://127.0.0.1:{port}/", take)
    await other.close()


async def test_a_silent_name_server_is_retryable(policy: FetchPolicy) -> None:
    """What could not be looked up now may be later."""

    async def silent(host: str, port: int, family: socket.AddressFamily) -> list[str]:
        raise socket.gaierror(socket.EAI_AGAIN, "try again")

    web = Web(policy, 0.2, silent)
    with pytest.raises(InputInterrupted, match=r"^the host slow\.example could not be looked up$"):
        await web.get("http://slow.example/", take)
    await web.close()


async def test_a_silent_host_is_given_up(host: WebHost, web: Web) -> None:
    """A host that sends half a body and then nothing is too slow, long before the input's whole time."""

    async def silent(writer: asyncio.StreamWriter) -> None:
        writer.write(answer(b"half", length=1000))
        await writer.drain()
        await writer.wait_closed()

    host.answers["/"] = silent
    async with asyncio.timeout(2):
        with pytest.raises(InputInterrupted, match="is too slow"):
            await web.get(host.url("/"), take)


@pytest.mark.parametrize("length", [None, 10**15], ids=["chunked", "by its length"])
async def test_a_body_that_never_ends_is_stopped(host: WebHost, web: Web, length: int | None) -> None:
    """Bytes are counted as they come, whatever the length that was claimed; too many close the connection."""
    taken = 0

    async def endless(writer: asyncio.StreamWriter) -> None:
        part = bytes(65536)
        if length is None:
            writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            part = b"10000\r\n" + part + b"\r\n"
        else:
            writer.write(answer(length=length))
        while not writer.is_closing():
            writer.write(part)
            await writer.drain()

    def some(count: int) -> None:
        nonlocal taken
        taken += count
        if taken > 1_000_000:
            raise InputUnavailable("too many")

    host.answers["/"] = endless
    async with asyncio.timeout(5):
        with pytest.raises(InputUnavailable, match="too many"):
            await web.get(host.url("/"), some)
    assert taken < 4_000_000


async def test_more_than_was_promised_is_no_answer(host: WebHost, web: Web) -> None:
    """A host that lies about the length is not trusted with the rest."""
    host.answers["/"] = answer(b"0123456789", length=5)
    with pytest.raises(InputInterrupted, match="the connection failed or was cut"):
        await web.get(host.url("/"), take)


async def test_what_is_compressed_stays_so(host: WebHost, web: Web) -> None:
    """A small body that becomes a large one is not unpacked."""
    bomb = gzip.compress(bytes(1_000_000))
    host.answers["/"] = answer(bomb, Content_Encoding="gzip")
    assert await web.get(host.url("/"), take) == (bomb, "")


@pytest.mark.parametrize("garbage", [b"what?\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100_000 + b"\r\n\r\n", b""])
async def test_what_is_no_http_is_a_failed_connection(host: WebHost, web: Web, garbage: bytes) -> None:
    """Garbage, endless headers and nothing at all."""

    async def send(writer: asyncio.StreamWriter) -> None:
        writer.write(garbage)
        await writer.drain()

    host.answers["/"] = send
    with pytest.raises(InputInterrupted):
        await web.get(host.url("/"), take)


async def test_what_another_spelling_allows_is_still_no_url(host: WebHost, web: Web) -> None:
    """An allowed address in a legacy form is refused for good, not tried again."""
    with pytest.raises(InputUnavailable):
        await web.get(host.url("/", host="127.1"), take)
