"""Input images are fetched from wherever a job names them, within bounds, or refused with the field's path."""

import asyncio
import base64
import io
from collections.abc import AsyncIterator
from ipaddress import ip_network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.trace import NoOpTracer
from PIL import Image

from darkroom_agent.errors import InputInterrupted, InputUnavailable, ServiceUnavailable
from darkroom_agent.fakes import MemoryStore
from darkroom_agent.guard import FetchPolicy
from darkroom_agent.inputs import InputLimits, Inputs, decode_base64
from darkroom_agent.ports import FieldPath, InputImage
from darkroom_agent.traces import Traces
from tests.unit.web_host import WebHost, answer


def png(width: int = 4, height: int = 4) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height)).save(buffer, "PNG")
    return buffer.getvalue()


PNG = png()
BASE64 = base64.b64encode(PNG).decode()
FIRST: FieldPath = ("init_images", 0)


@pytest.fixture
async def host() -> AsyncIterator[WebHost]:
    async with WebHost() as served:
        served.answers["/cat.png"] = answer(PNG)
        yield served


@pytest.fixture
def store() -> MemoryStore:
    made = MemoryStore()
    made.others["pictures", "a/cat?#.png"] = PNG
    made.objects["sdxl/1/0.png"] = PNG
    return made


class Fetch:
    """Makes fetchers with other limits, and closes them."""

    def __init__(self, host: WebHost, store: MemoryStore) -> None:
        self._policy = FetchPolicy(networks=(ip_network("127.0.0.1/32"),), ports=frozenset({host.port}))
        self._store = store
        self.made: list[Inputs] = []

    async def __call__(self, *sources: str, **limits: Any) -> list[InputImage]:
        inputs = Inputs(
            self._store, frozenset({"pictures", "memory"}), self._policy, InputLimits(**limits), Traces(NoOpTracer())
        )
        self.made.append(inputs)
        fields: list[tuple[FieldPath, str]] = [(("init_images", index), one) for index, one in enumerate(sources)]
        images = await inputs.fetch(fields)
        assert list(images) == [path for path, _ in fields]
        return list(images.values())


@pytest.fixture
async def fetch(host: WebHost, store: MemoryStore) -> AsyncIterator[Fetch]:
    made = Fetch(host, store)
    yield made
    for inputs in made.made:
        await inputs.close()


async def test_every_kind_of_source_brings_the_same_image(host: WebHost, fetch: Fetch) -> None:
    """URLs, `s3://` of an allowed bucket and of the output bucket, base64 and data URIs, side by side."""
    sources = [
        host.url("/cat.png"),
        "s3://pictures/a/cat?#.png",
        "S3://memory/sdxl/1/0.png",
        BASE64,
        f"data:image/png;base64,{BASE64}",
        f"data:;charset=x;base64,\n{BASE64[:9]}\r\n {BASE64[9:]}\t",
    ]
    images = await fetch(*sources)
    assert {image.data for image in images} == {PNG}
    assert {image.content_type for image in images} == {"image/png"}
    assert [image.name for image in images] == ["cat.png", "cat?#.png", "0.png", *["input.png"] * 3]


async def test_nothing_is_fetched_for_nothing(fetch: Fetch) -> None:
    """A job without images needs no session."""
    assert await fetch() == []


async def test_the_same_source_is_fetched_once(host: WebHost, fetch: Fetch) -> None:
    """An image that a job names in several fields is asked for once and stands in each; a failure names the first."""
    assert len(await fetch(*[host.url("/cat.png")] * 5)) == 5
    assert len(host.heads) == 1
    with pytest.raises(InputUnavailable, match=r"^\$\.input\.init_images\[1\]: .* answered 404$"):
        await fetch(BASE64, *[host.url("/404")] * 3)


async def test_images_are_fetched_side_by_side_but_not_all_at_once(host: WebHost, fetch: Fetch) -> None:
    """Eight requests are under way together, and the ninth waits for one of them."""
    eight, go = asyncio.Event(), asyncio.Event()
    waiting = most = 0

    async def slow(writer: asyncio.StreamWriter) -> None:
        nonlocal waiting, most
        waiting += 1
        most = max(most, waiting)
        if waiting == 8:
            eight.set()
        await go.wait()
        waiting -= 1
        writer.write(answer(PNG))
        await writer.drain()

    for index in range(20):
        host.answers[f"/{index}"] = slow
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        fetching = group.create_task(fetch(*(host.url(f"/{index}") for index in range(20))))
        await eight.wait()
        go.set()
    assert len(fetching.result()) == 20
    assert most == 8


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("file:///etc/passwd", "the scheme file is not allowed"),
        ("http://169.254.169.254/latest", "the host 169.254.169.254 is unknown, or may not be connected to"),
        ("HTTP://10.0.0.1/?secret", "the host 10.0.0.1 is unknown, or may not be connected to"),
        ("s3://other/cat.png", "the bucket other is not one that inputs may come from"),
        ("s3://pictures", "an s3:// address without a key"),
        ("s3://pictures/", "an s3:// address without a key"),
        ("s3://pictures/gone.png", "s3://pictures/gone.png: missing"),
        ("s3:pictures/a", "the bucket"),
        ("not base64!", "expected a URL, s3:// or base64, got 'not base64!'"),
        (" http://example.com/", "expected a URL, s3:// or base64"),
        ("data:image/png,%89PNG", "expected a URL, s3:// or base64"),
        (BASE64[:-1], "expected a URL, s3:// or base64"),
        (BASE64.replace("/", "_").replace("+", "-")[:-4] + "-_==", "expected a URL, s3:// or base64"),
        ("", "expected an image, got what is empty"),
        ("aGVsbG8=", "expected an image, got what is no image"),
        (base64.b64encode(b"<!doctype html>").decode(), "expected an image, got what is text/html by its content"),
        (base64.b64encode(PNG[:20]).decode(), "image/png without a readable width and height"),
    ],
)
async def test_what_cannot_be_had_is_refused_with_its_field(fetch: Fetch, source: str, message: str) -> None:
    """The message begins with the field's path and says what is wrong, without what a query may hold."""
    with pytest.raises(InputUnavailable) as failed:
        await fetch(BASE64, source)
    assert failed.value.message.startswith(f"$.input.init_images[1]: {message}")
    assert "secret" not in failed.value.message


async def test_the_bytes_and_not_the_label_make_an_image(host: WebHost, fetch: Fetch) -> None:
    """A page that calls itself an image is none; an image that calls itself a page is one."""
    host.answers["/page.png"] = answer(b"<html>sign in</html>", Content_Type="image/png")
    host.answers["/cat"] = answer(PNG, Content_Type="text/html")
    assert [image.content_type for image in await fetch(host.url("/cat"))] == ["image/png"]
    with pytest.raises(InputUnavailable, match=r"^\$\.input\.init_images\[0\]: .* is text/html by its content$"):
        await fetch(host.url("/page.png"))


@pytest.mark.parametrize("format_", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"])
async def test_all_that_the_runtimes_read_may_come(fetch: Fetch, format_: str) -> None:
    """Each image format passes with its own media type."""
    buffer = io.BytesIO()
    Image.new("RGB", (4, 4)).save(buffer, format_)
    (image,) = await fetch(base64.b64encode(buffer.getvalue()).decode())
    assert image.content_type == f"image/{format_.lower()}"


async def test_there_may_be_so_many(fetch: Fetch) -> None:
    """Ten thousand images in one job are refused before the first is fetched."""
    assert len(await fetch(*[BASE64] * 64)) == 64
    with pytest.raises(InputUnavailable, match=r"^\$\.input: 10000 input images; 64 are allowed$"):
        await fetch(*["http://10.0.0.1/"] * 10_000)


@pytest.mark.parametrize("source", ["/cat.png", "s3://pictures/a/cat?#.png", BASE64])
async def test_each_may_be_so_large(host: WebHost, fetch: Fetch, source: str) -> None:
    """The limit holds for every kind of source, to the byte."""
    source = host.url(source) if source.startswith("/") else source
    assert await fetch(source, bytes_each=len(PNG))
    with pytest.raises(InputUnavailable, match=rf"^\$\.input\.init_images\[0\]: .*larger than {len(PNG) - 1} bytes"):
        await fetch(source, bytes_each=len(PNG) - 1)


async def test_base64_that_must_be_too_large_is_not_decoded(fetch: Fetch) -> None:
    """Its length tells."""
    with pytest.raises(InputUnavailable, match="larger than 1000 bytes"):
        await fetch("!" * 10_000, bytes_each=1000)


async def test_all_together_may_be_so_large(fetch: Fetch) -> None:
    """Many images that are each within the limit may be too much together."""
    sources = [base64.b64encode(png(4, height)).decode() for height in range(1, 11)]
    sizes = sum(len(base64.b64decode(source)) for source in sources)
    assert await fetch(*sources, bytes_all=sizes)
    with pytest.raises(InputUnavailable, match=rf"together are larger than {sizes - 1} bytes"):
        await fetch(*sources, bytes_all=sizes - 1)


async def test_an_endless_body_is_stopped_at_the_jobs_limit(host: WebHost, fetch: Fetch) -> None:
    """Bytes count against the job's limit as they come, not when they are all there."""

    async def endless(writer: asyncio.StreamWriter) -> None:
        writer.write(answer(length=10**12))
        while not writer.is_closing():
            writer.write(bytes(65536))
            await writer.drain()

    for index in range(4):
        host.answers[f"/{index}"] = endless
    async with asyncio.timeout(5):
        with pytest.raises(InputUnavailable, match="together are larger than 1000000 bytes"):
            await fetch(*(host.url(f"/{index}") for index in range(4)), bytes_all=1_000_000)


async def test_a_decompression_bomb_is_refused_by_its_header(fetch: Fetch) -> None:
    """A few bytes may say that they are a picture of billions of pixels."""
    assert await fetch(BASE64, pixels=16)
    with pytest.raises(InputUnavailable, match="4 × 4 pixels; 15 are allowed"):
        await fetch(BASE64, pixels=15)
    bomb = PNG[:16] + (60_000).to_bytes(4, "big") * 2 + PNG[24:]
    with pytest.raises(InputUnavailable, match="60000 × 60000 pixels"):
        await fetch(base64.b64encode(bomb).decode())


async def drip(writer: asyncio.StreamWriter) -> None:
    """A byte now and then, until the connection is closed."""
    writer.write(answer(length=10**9))
    while not writer.is_closing():
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.02)


async def test_a_slow_drip_ends_with_the_inputs_time(host: WebHost, fetch: Fetch) -> None:
    """A host that keeps sending a byte now and then is never silent, but too slow in the end: retryable."""
    host.answers["/"] = drip
    with pytest.raises(InputInterrupted, match=r"^\$\.input\.init_images\[0\]: not there within 0\.2 s$"):
        await fetch(host.url("/"), seconds=0.2)


async def test_a_host_that_fails_is_retryable(host: WebHost, fetch: Fetch) -> None:
    """The field is named in this case too; the signature is not."""
    host.answers["/"] = answer(status="503 Busy")
    with pytest.raises(InputInterrupted) as failed:
        await fetch(host.url("/?X-Amz-Signature=secret"))
    assert failed.value.message == f"$.input.init_images[0]: {host.url('/')} answered 503"


async def test_a_store_that_fails_is_retryable(
    fetch: Fetch, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What S3 could not do this time says nothing of the input."""

    async def read_object(bucket: str, key: str, limit: int) -> bytes:
        raise ServiceUnavailable("S3 GetObject: SlowDown")

    monkeypatch.setattr(store, "read_object", read_object)
    with pytest.raises(ServiceUnavailable):
        await fetch("s3://pictures/a")


async def test_the_first_failure_stops_the_others(host: WebHost, fetch: Fetch) -> None:
    """No input is waited for once the job cannot run: its connection is closed."""
    there, gone = asyncio.Event(), asyncio.Event()

    async def forever(writer: asyncio.StreamWriter) -> None:
        there.set()
        try:
            await drip(writer)
        finally:
            gone.set()

    async def missing(writer: asyncio.StreamWriter) -> None:
        await there.wait()
        writer.write(answer(status="404 Not Found"))
        await writer.drain()

    host.answers |= {"/": forever, "/404": missing}
    async with asyncio.timeout(5):
        with pytest.raises(InputUnavailable, match=r"init_images\[1\]"):
            await fetch(host.url("/"), host.url("/404"))
        await gone.wait()


async def test_large_base64_is_decoded_beside_the_event_loop(fetch: Fetch, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tens of megabytes of text do not keep leases from being extended."""
    beside: list[int] = []
    to_thread = asyncio.to_thread

    async def watched(function: Any, source: str) -> Any:
        beside.append(len(source))
        return await to_thread(function, source)

    monkeypatch.setattr(asyncio, "to_thread", watched)
    large = base64.b64encode(PNG + bytes(300_000)).decode()
    await fetch(BASE64, large)
    assert beside == [len(large)]


@given(st.binary(max_size=200), st.booleans())
def test_base64_brings_back_the_bytes(data: bytes, uri: bool) -> None:
    """Whatever was encoded is decoded, with or without a data URI's head."""
    text = base64.b64encode(data).decode()
    assert decode_base64(f"data:image/png;base64,{text}" if uri else text) == data


@given(st.text(max_size=100))
def test_any_text_is_decoded_or_refused(text: str) -> None:
    """Nothing but a refusal is raised."""
    try:
        decode_base64(text)
    except InputUnavailable:
        return
