"""Models from files and URLs: read once, in order, over connections that break."""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom_cli import model_sources
from darkroom_cli.failures import DarkroomError, NotFound, NotReachable, Refused
from darkroom_cli.model_sources import file_source, parts, sha256_of, shown, url_source

DATA = bytes(range(256)) * 40
URL = "https://user:secret@models.example/a/vae.safetensors?token=secret"


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_sources, "_PAUSE_SECONDS", 0.0)


class Broken(httpx.SyncByteStream):
    """A body whose connection breaks at its end."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def __iter__(self) -> Iterator[bytes]:
        yield self._data
        raise httpx.ReadError("the connection broke")


class Server:
    """Serves DATA, at most `most` bytes an answer."""

    def __init__(self, most: int, etag: str | None = '"1"', *, ranges: bool = True) -> None:
        self.most, self.etag, self.ranges = most, etag, ranges
        self.asked: list[str | None] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        asked = request.headers.get("Range")
        self.asked.append(asked)
        start = int(asked[6:-1]) if asked and self.ranges and request.headers["If-Range"] == self.etag else 0
        rest = DATA[start:]
        headers = {"Content-Length": str(len(rest))} | ({"ETag": self.etag} if self.etag else {})
        body = httpx.ByteStream(rest) if len(rest) <= self.most else Broken(rest[: self.most])
        return httpx.Response(206 if start else 200, headers=headers, stream=body)


def client(handle: Callable[[httpx.Request], httpx.Response]) -> httpx.Client:
    return httpx.Client(transport=httpx.MockTransport(handle))


@given(st.lists(st.binary(max_size=20), max_size=20), st.integers(1, 30))
def test_parts_are_the_same_bytes(chunks: list[bytes], size: int) -> None:
    """All of one size but the last, none of them empty."""
    cut = list(parts(iter(chunks), size))
    assert b"".join(cut) == b"".join(chunks)
    assert all(len(part) == size for part in cut[:-1])
    assert all(cut)


def test_a_file_is_read(tmp_path: Path) -> None:
    """With its name, size and digest; one that is not there, or a folder, is refused."""
    (tmp_path / "vae.safetensors").write_bytes(DATA)
    source, read = file_source(tmp_path / "vae.safetensors"), list[int]()
    assert (source.name, source.size) == ("vae.safetensors", len(DATA))
    assert sha256_of(source, read.append) == hashlib.sha256(DATA).hexdigest()
    assert sum(read) == len(DATA)
    for path in (tmp_path, tmp_path / "no"):
        with pytest.raises(Refused, match="there is no such file"):
            file_source(path)


def test_a_broken_connection_is_taken_up_where_it_broke() -> None:
    """As often as it brings something, and only if the file is the same (If-Range)."""
    server = Server(most=3000)
    source = url_source(URL, client(server))
    assert (source.name, source.size) == ("vae.safetensors", len(DATA))
    assert b"".join(source.chunks()) == DATA
    assert server.asked == [None, None, "bytes=3000-", "bytes=6000-", "bytes=9000-"]


@pytest.mark.parametrize("etag", [None, 'W/"weak"'])
def test_without_a_version_nothing_is_taken_up(etag: str | None) -> None:
    """Half of one file and half of another would be the result."""
    source = url_source(URL, client(Server(most=3000, etag=etag)))
    with pytest.raises(NotReachable, match="the connection broke"):
        list(source.chunks())


def test_another_file_by_now_is_refused() -> None:
    """A server that ignores the range sends the whole again."""
    source = url_source(URL, client(Server(most=3000, ranges=False)))
    with pytest.raises(DarkroomError, match="another file by now"):
        list(source.chunks())


def test_a_server_that_brings_nothing_is_given_up() -> None:
    """After some tries, and what was stored is not lost."""
    server = Server(most=0)
    with pytest.raises(NotReachable, match="run the command again"):
        list(url_source(URL, client(server)).chunks())
    assert len(server.asked) == 1 + 6


@pytest.mark.parametrize(
    ("status", "kind", "reason"),
    [
        (401, NotReachable, "give a token by --token-env"),
        (403, NotReachable, "not allowed"),
        (404, NotFound, "is not there"),
        (503, NotReachable, "answered 503"),
        (418, DarkroomError, "answered 418"),
    ],
)
def test_a_refusal_says_what_to_do_and_no_secret(status: int, kind: type[DarkroomError], reason: str) -> None:
    """Addresses carry passwords and signatures."""
    with pytest.raises(kind, match=reason) as caught:
        url_source(URL, client(lambda _: httpx.Response(status)))
    assert "secret" not in str(caught.value)
    assert shown(URL) in str(caught.value)
    assert shown(URL) == "https://models.example/a/vae.safetensors"
