"""The client: what it tries again, how it goes on with a download, and what it makes of strange answers."""

import email.utils
import hashlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from darkroom_cli import client, download
from darkroom_cli.client import Client
from darkroom_cli.failures import DarkroomError, NotFound, NotReachable, Refused
from darkroom_contract.api import ArtifactView, JobView, Links
from darkroom_contract.job import State

type Handle = Callable[[httpx.Request], httpx.Response]
LINKS = {"self": "/", "page": "/"}
ACCEPTED = {"id": "a", "state": "queued", "links": LINKS}
DATA = bytes(range(256)) * 40


def _client(handle: Handle, **options: Any) -> Client:
    return Client("http://api/prod/", transport=httpx.MockTransport(handle), **options)


def _job(**fields: Any) -> JobView:
    return JobView(id="a", runtime="sd", state=State.COMPLETED, links=Links(itself="/", page="/"), **fields)


def _artifact(**fields: Any) -> ArtifactView:
    given = {"url": "s3://out/sd/a/0-a.png", "sha256": hashlib.sha256(DATA).hexdigest(), **fields}
    return ArtifactView(content_type="image/png", bytes=len(DATA), download_url="http://bucket/0-a.png?sig=1", **given)


@pytest.mark.parametrize("status", [429, 502, 503, 504])
async def test_a_busy_api_is_asked_again(status: int) -> None:
    """The try again is the same request: without an id of its own it has an idempotency key."""
    seen: list[str] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["idempotency-key"])
        if len(seen) < 3:
            return httpx.Response(status, headers={"Retry-After": "0"}, json={})
        return httpx.Response(202, json=ACCEPTED)

    async with _client(handle) as darkroom:
        assert (await darkroom.submit({})).id == "a"
    assert len(seen) == 3
    assert len(set(seen)) == 1


async def test_a_job_with_an_id_needs_no_key() -> None:
    """The id does that; the API's key goes to the API, below its stage."""

    def handle(request: httpx.Request) -> httpx.Response:
        assert "idempotency-key" not in request.headers
        assert (request.headers["x-api-key"], request.url.path) == ("k", "/prod/v1/jobs")
        return httpx.Response(202, json=ACCEPTED)

    async with _client(handle, api_key="k") as darkroom:
        await darkroom.submit({"id": "a"})


@pytest.mark.parametrize(
    ("header", "low", "high"),
    [
        ("7", 7, 7),
        ("100000", 30, 30),
        (email.utils.formatdate(time.time() + 3600, usegmt=True), 30, 30),
        (email.utils.formatdate(0, usegmt=True), 0, 0),
        ("soon", 0.5, 0.5),
        (None, 0.5, 0.5),
    ],
)
def test_the_api_says_how_long_to_wait(header: str | None, low: float, high: float) -> None:
    """In seconds or as a date, and never for long."""
    assert low <= client._pause(header, 1) <= high


@pytest.mark.parametrize(
    ("answer", "kind", "message"),
    [
        (httpx.Response(422, json={"type": "", "title": "", "status": 422, "detail": "why"}), Refused, "why"),
        (httpx.Response(500, json={"type": "", "title": "", "status": 500, "detail": "why"}), DarkroomError, "why"),
        (httpx.Response(404, json={"type": "", "title": "", "status": 404, "detail": "why"}), NotFound, "why"),
        (httpx.Response(404, text="<html>"), NotFound, "there is nothing"),
        (httpx.Response(403, json={"message": "Forbidden"}), NotReachable, "key was not accepted"),
        (httpx.Response(400, text="<html>"), DarkroomError, "answered 400"),
        (httpx.Response(200, text="<html>"), NotReachable, "is no Darkroom API"),
        (httpx.Response(200, content=b"\xff"), NotReachable, "is no Darkroom API"),
        (httpx.Response(200, json=[]), NotReachable, "is no Darkroom API"),
    ],
)
async def test_strange_answers(answer: httpx.Response, kind: type[DarkroomError], message: str) -> None:
    """Each becomes one failure of ours, with a message that says what to think of it."""
    async with _client(lambda _: answer) as darkroom:
        with pytest.raises(DarkroomError, match=message) as raised:
            await darkroom.get("a")
    assert type(raised.value) is kind


async def test_an_api_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Is tried again, and then said to be unreachable."""
    monkeypatch.setattr(client, "_TRIES", 2)
    tries: list[str] = []

    def handle(request: httpx.Request) -> httpx.Response:
        tries.append(request.url.path)
        raise httpx.ConnectError("refused", request=request)

    async with _client(handle) as darkroom:
        with pytest.raises(NotReachable, match="api does not answer: refused"):
            await darkroom.runtimes()
    assert len(tries) == 2


@pytest.mark.parametrize(("endpoint", "key"), [("api.example", None), ("http://a:x", None), ("http://a", "schlüssel")])
def test_an_address_or_a_key_that_cannot_be(endpoint: str, key: str | None) -> None:
    """Are refused before anything is sent."""
    with pytest.raises(NotReachable):
        Client(endpoint, key)


async def test_watching_gives_what_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each state and step once, the final one last."""
    monkeypatch.setattr(client, "_SHORTEST_LOOK", 0.0)
    states = [("queued", None), ("queued", None), ("running", 0.1), ("running", 0.1), ("running", 0.6)]
    told = iter([*states, ("completed", None)])

    def handle(_: httpx.Request) -> httpx.Response:
        state, progress = next(told)
        return httpx.Response(200, json={"id": "a", "runtime": "sd", "state": state, "links": LINKS} | (
            {"progress": progress} if progress else {}
        ))  # fmt: skip

    async with _client(handle) as darkroom:
        seen = [(job.state.value, job.progress) async for job in darkroom.watch("a")]
    assert seen == [("queued", None), ("running", 0.1), ("running", 0.6), ("completed", None)]


async def test_the_end_is_waited_for_by_the_api() -> None:
    """In requests that wait as long as the API lets them."""
    waits: list[str] = []

    def handle(request: httpx.Request) -> httpx.Response:
        waits.append(request.url.params["wait"])
        state = "running" if len(waits) == 1 else "failed"
        return httpx.Response(200, json={"id": "a", "runtime": "sd", "state": state, "links": LINKS})

    async with _client(handle) as darkroom:
        assert (await darkroom.finished("a")).state is State.FAILED
    assert waits == ["25", "25"]


async def test_a_bucket_that_takes_no_upload(tmp_path: Path) -> None:
    """Is told from the API's refusals."""
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    upload = {"method": "PUT", "url": "http://bucket/x", "headers": {"content-type": "image/png"}}
    ticket = {"url": "s3://b/x", "upload": upload, "expires_at": "2026-11-24T00:00:00Z"}

    def handle(request: httpx.Request) -> httpx.Response:
        return httpx.Response(403) if request.url.host == "bucket" else httpx.Response(201, json=ticket)

    async with _client(handle, api_key="k") as darkroom:
        with pytest.raises(DarkroomError, match=r"a\.png: the bucket answered 403"):
            await darkroom.upload(tmp_path / "a.png")


async def test_pages_follow_each_other() -> None:
    """With the same filters, by the cursor; a short page is not the end."""
    asked: list[dict[str, str]] = []

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(dict(request.url.params))
        return httpx.Response(200, json={"jobs": [], "next": "more" if len(asked) == 1 else None})

    async with _client(handle) as darkroom:
        assert [job async for job in darkroom.list(state=State.FAILED, limit=5)] == []
    assert asked == [{"state": "failed", "limit": "5"}, {"state": "failed", "limit": "5", "cursor": "more"}]


async def test_a_download_goes_on_where_it_was_cut_off(tmp_path: Path) -> None:
    """The connection is lost in the middle; the next try asks for the rest alone."""
    ranges: list[str | None] = []

    class Cut(httpx.AsyncByteStream):
        async def __aiter__(self):  # type: ignore[no-untyped-def]
            yield DATA[:100]
            raise httpx.ReadError("cut")

    def handle(request: httpx.Request) -> httpx.Response:
        ranges.append(request.headers.get("range"))
        assert "x-api-key" not in request.headers
        if len(ranges) == 1:
            return httpx.Response(200, stream=Cut())
        return httpx.Response(206, content=DATA[100:])

    async with _client(handle, api_key="k") as darkroom:
        (file,) = await darkroom.save(_job(artifacts=(_artifact(),)), tmp_path)
    assert (ranges, file.read_bytes()) == ([None, "bytes=100-"], DATA)
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["0-a.png"]


async def test_what_an_earlier_run_left_is_used(tmp_path: Path) -> None:
    """Even if the bucket knows no ranges and sends all of it again."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "0-a.png.part").write_bytes(DATA[:50])
    async with _client(lambda _: httpx.Response(200, content=DATA)) as darkroom:
        (file,) = await darkroom.save(_job(artifacts=(_artifact(),)), tmp_path)
    assert file.read_bytes() == DATA


@pytest.mark.parametrize("url", ["s3://out/a/..", "s3://out/a/", "s3://out/a/b\\c", "s3://out/a/\x1b[31m"])
async def test_no_file_is_written_elsewhere(tmp_path: Path, url: str) -> None:
    """The names are the server's word, and are looked at before anything is fetched."""
    async with _client(lambda _: httpx.Response(200, content=DATA)) as darkroom:
        with pytest.raises(DarkroomError, match="which no file here can have"):
            await darkroom.save(_job(artifacts=(_artifact(url=url),)), tmp_path)
        with pytest.raises(DarkroomError, match="which no file here can have"):
            await darkroom.save(msgspec.structs.replace(_job(artifacts=(_artifact(),)), id="../b"), tmp_path)
    assert list(tmp_path.rglob("*")) == []


@pytest.mark.parametrize(("status", "message"), [(403, "has expired"), (404, "it is gone"), (400, "answered 400")])
async def test_an_artifact_that_cannot_be_had(tmp_path: Path, status: int, message: str) -> None:
    """Is said so; the bucket's refusal is not taken for the API's."""
    async with _client(lambda _: httpx.Response(status)) as darkroom:
        with pytest.raises(NotReachable, match=message):
            await darkroom.save(_job(artifacts=(_artifact(),)), tmp_path)


async def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    """Is named."""
    (tmp_path / "file").write_text("")
    async with _client(lambda _: httpx.Response(200, content=DATA)) as darkroom:
        with pytest.raises(DarkroomError, match=r"file/a/0-a\.png: Not a directory"):
            await darkroom.save(_job(artifacts=(_artifact(),)), tmp_path / "file")


async def test_a_busy_bucket_is_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And at last said to be busy; what was there of too many bytes is begun anew."""
    monkeypatch.setattr(download, "_PAUSE_SECONDS", 0.0)
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "0-a.png.part").write_bytes(DATA + b"more")
    answers = [httpx.Response(503), httpx.Response(200, content=DATA)]
    async with _client(lambda _: answers.pop(0)) as darkroom:
        (file,) = await darkroom.save(_job(artifacts=(_artifact(),)), tmp_path)
    assert file.read_bytes() == DATA
    async with _client(lambda _: httpx.Response(503)) as darkroom:
        with pytest.raises(NotReachable, match="the bucket is busy"):
            await darkroom.save(_job(artifacts=(_artifact(),)), tmp_path / "other")

    def lost(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("", request=request)

    async with _client(lost) as darkroom:
        with pytest.raises(NotReachable, match="ReadTimeout; try again to go on"):
            await darkroom.save(_job(artifacts=(_artifact(),)), tmp_path / "other")
