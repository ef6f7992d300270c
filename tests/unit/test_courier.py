"""Webhooks are sent through the guard, however their receivers behave."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from ipaddress import ip_network

import pytest
import yarl

from darkroom_agent.guard import FetchPolicy, check_url
from darkroom_api.courier import Courier
from darkroom_api.verdict import Delivered, Dropped, Failed
from tests.unit.ssrf_corpus import ADDRESSES, HOSTS
from tests.unit.web_host import WebHost, answer, redirect

LOOPBACK = (ip_network("127.0.0.1/32"),)
SECONDS = 0.5


async def names(host: str, port: int, family: socket.AddressFamily) -> list[str]:
    """All names lead to loopback, but for some."""
    match host:
        case "unknown.example":
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        case "away.example":
            raise socket.gaierror(socket.EAI_AGAIN, "try again")
        case "inside.example":
            return ["10.0.0.1"]
        case "slow.example":
            await asyncio.Event().wait()
    return ["127.0.0.1"]


@pytest.fixture
async def host() -> AsyncIterator[WebHost]:
    async with WebHost() as served:
        yield served


@pytest.fixture
async def courier(host: WebHost) -> AsyncIterator[Courier]:
    async with Courier(FetchPolicy(networks=LOOPBACK, ports=frozenset({host.port})), names, SECONDS) as made:
        yield made


async def test_a_webhook_is_posted_as_it_is(host: WebHost, courier: Courier) -> None:
    """To the byte, with the headers of its signature, and with nothing of ours beside them."""
    host.answers["/hook"] = answer(status="204 No Content", Set_Cookie="a=b; Path=/")
    for _ in range(2):
        said = await courier.send(host.url("/hook?token=x%2F"), {"webhook-id": "a.completed"}, b'{"a":  1}')
        assert said == Delivered(204)
    assert host.heads[1].startswith("POST /hook?token=x%2F HTTP/1.1\r\n")
    assert host.bodies == [b'{"a":  1}'] * 2
    headers = host.headers()
    assert (headers["content-type"], headers["webhook-id"]) == ("application/json", "a.completed")
    assert not headers.keys() & {"cookie", "authorization", "referer"}
    assert host.connections == 2


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://169.254.169.254/latest/meta-data", "169.254.169.254 is unknown, or may not be connected to"),
        ("http://inside.example/", "inside.example is unknown, or may not be connected to"),
        ("http://127.0.0.1:22/", "port 22"),
        ("ftp://example.com/", "scheme ftp"),
        ("http://me:secret@example.com/", "user name or password"),
        ("http:///hook", "without a proper host"),
        ("http://[::1/", "what is no URL"),
    ],
)
async def test_what_may_never_be_sent_is_dropped(courier: Courier, url: str, said: str) -> None:
    """Refused addresses and broken URLs will be no better tomorrow."""
    verdict = await courier.send(url, {}, b"{}")
    assert isinstance(verdict, Dropped)
    assert said in verdict.reason
    assert "secret" not in verdict.reason


@pytest.mark.parametrize("target", [*ADDRESSES, *HOSTS])
async def test_no_address_inside_is_reached(target: str) -> None:
    """Every entry of the corpus, in the policy that a deployment has by default."""
    async with Courier(FetchPolicy(), names, SECONDS) as courier:
        literal = f"[{target}]" if ":" in target and not target.startswith("[") else target
        assert isinstance(await courier.send(f"http://{literal}/", {}, b"{}"), Dropped)


@pytest.mark.parametrize("name", ["unknown.example", "away.example"])
async def test_a_name_that_is_not_known_now_may_be_known_later(courier: Courier, name: str) -> None:
    """DNS is changed and mended."""
    assert isinstance(await courier.send(f"http://{name}/", {}, b"{}"), Failed)


async def test_nobody_is_there(courier: Courier, host: WebHost) -> None:
    """A refused connection is worth another try."""
    async with WebHost() as gone:
        port = gone.port
    async with Courier(FetchPolicy(networks=LOOPBACK, ports=frozenset({port})), names, SECONDS) as other:
        verdict = await other.send(f"http://127.0.0.1:{port}/", {}, b"{}")
    assert verdict == Failed("the connection failed or was cut (ClientConnectorError)")


@pytest.mark.parametrize("drop", [b"", b"HTTP/1.1 200 OK\r\nContent-", b"garbage\r\n\r\n"])
async def test_a_connection_that_is_dropped_is_tried_again(courier: Courier, host: WebHost, drop: bytes) -> None:
    """Before, in the middle of or instead of an answer."""

    async def dropping(writer: asyncio.StreamWriter) -> None:
        writer.write(drop)

    host.answers["/"] = dropping
    verdict = await courier.send(host.url("/"), {}, b"{}")
    assert isinstance(verdict, Failed)
    assert verdict.reason.startswith("the connection failed or was cut")


@pytest.mark.parametrize("where", ["answer", "name", "redirects"])
async def test_a_slow_receiver_is_given_up(courier: Courier, host: WebHost, where: str) -> None:
    """The time is for all of it: a receiver cannot stretch it by parts."""

    async def silent(writer: asyncio.StreamWriter) -> None:
        await writer.wait_closed()

    async def slow_redirect(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(SECONDS * 0.4)
        writer.write(redirect("/redirects"))

    host.answers = {"/answer": silent, "/redirects": slow_redirect}
    url = "http://slow.example/" if where == "name" else host.url(f"/{where}")
    loop = asyncio.get_running_loop()
    began = loop.time()
    assert await courier.send(url, {}, b"{}") == Failed("the receiver did not answer within 0.5 s")
    assert loop.time() - began < SECONDS * 2


async def test_what_a_receiver_says_is_not_read(courier: Courier, host: WebHost) -> None:
    """Its status counts; a body without end is cut off at once, and only what was under way has been taken."""
    sent = 0

    async def endless(writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            while True:
                writer.write(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
                await writer.drain()
                sent += 0x10000

    host.answers["/"] = endless
    async with asyncio.timeout(5):
        assert await courier.send(host.url("/"), {}, b"{}") == Delivered(200)
    assert sent < 16 * 1024 * 1024


async def test_endless_headers_are_no_answer(courier: Courier, host: WebHost) -> None:
    """A head without end is refused, long before memory is."""

    async def endless(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        with contextlib.suppress(ConnectionError):
            while True:
                writer.write(b"X: " + b"x" * 4000 + b"\r\n")
                await writer.drain()

    host.answers["/"] = endless
    assert isinstance(await courier.send(host.url("/"), {}, b"{}"), Failed)


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"])
async def test_redirects_of_the_same_host_are_followed(courier: Courier, host: WebHost, status: str) -> None:
    """With the same method, headers and body."""
    host.answers = {"/old": redirect("/new?a=%2F", status), "/new": answer()}
    assert await courier.send(host.url("/old"), {"webhook-id": "x"}, b"{}") == Delivered(200)
    assert host.heads[-1].startswith("POST /new?a=%2F ")
    assert (host.bodies[-1], host.headers()["webhook-id"]) == (b"{}", "x")


@pytest.mark.parametrize(
    ("location", "said"),
    [
        ("http://elsewhere.example/", "another host"),
        ("//elsewhere.example/", "another host"),
        ("http://169.254.169.254/latest/meta-data", "another host"),
        ("http://127.0.0.1:22/", "where webhooks are not sent"),
        ("http://me:secret@127.0.0.1/", "where webhooks are not sent"),
        ("ftp://127.0.0.1/", "where webhooks are not sent"),
        ("http://[::1/", "where webhooks are not sent"),
        ("/loop", "more than 3 redirects"),
    ],
)
async def test_redirects_lead_nowhere_else(courier: Courier, host: WebHost, location: str, said: str) -> None:
    """The payload is for the host that the caller named; where it was sent on to is not told."""
    host.answers = {"/": redirect(location), "/loop": redirect("/loop")}
    verdict = await courier.send(host.url("/"), {}, b"{}")
    assert isinstance(verdict, Failed)
    assert said in verdict.reason
    assert "secret" not in verdict.reason
    assert set(host.paths) <= {"/", "/loop"}


def test_https_does_not_become_http() -> None:
    """A redirect may not take the encryption away."""
    courier = Courier(FetchPolicy())
    target = courier._target(check("https://example.com/a"), "http://example.com/a")
    assert target == Failed("the receiver redirects from https to http")
    assert courier._target(check("http://example.com/a"), "https://example.com/b") == check("https://example.com/b")


def check(url: str) -> yarl.URL:
    return check_url(url, FetchPolicy())
