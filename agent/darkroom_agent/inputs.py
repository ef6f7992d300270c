"""Fetch a job's input images: http(s), `s3://` or base64, side by side, bounded in number, size, time and pixels."""

import asyncio
import base64
import binascii
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

import aiohttp
import yarl

from .errors import InputInterrupted, InputUnavailable
from .guard import FetchPolicy, GuardedResolver, check_url
from .media import sniff
from .ports import FieldPath, InputImage, Store

_IMAGES = {"png", "jpg", "webp", "gif", "bmp", "tiff", "avif"}
_MOST_REDIRECTS = 5
_AT_ONCE = 8
_IDLE_SECONDS = 10.0
_DATA_URI = re.compile(r"^data:[\w.+/-]*(?:;[\w=.-]+)*;base64,", re.ASCII)
_BESIDE = 256 * 1024  # characters of base64 from which decoding would be felt by others


@dataclass(frozen=True, slots=True)
class InputLimits:
    """Bounds of one job's inputs: bytes of each and of all, their number, seconds for each, pixels of each."""

    bytes_each: int = 32 * 1024 * 1024
    bytes_all: int = 128 * 1024 * 1024
    number: int = 64
    seconds: float = 30.0
    pixels: int = 100_000_000


class Inputs:
    """Fetches inputs. One session, made when first needed; it sends no cookies and reads no proxies."""

    def __init__(
        self,
        store: Store,
        buckets: frozenset[str],
        policy: FetchPolicy,
        limits: InputLimits,
        resolver: GuardedResolver | None = None,
    ) -> None:
        """`buckets` are those that `s3://` inputs may lie in."""
        self._store = store
        self._buckets = buckets
        self._policy = policy
        self._limits = limits
        self._resolver = resolver or GuardedResolver(policy)
        self._session: aiohttp.ClientSession | None = None

    async def fetch(self, fields: list[tuple[FieldPath, str]]) -> dict[FieldPath, InputImage]:
        """The images of these fields; the same source is fetched once.

        Raises:
            InputUnavailable: one of them cannot be had, or may not: its message begins with the field's JSON path.
            InputInterrupted: one of them could not be had this time.
        """
        if len(fields) > self._limits.number:
            raise InputUnavailable(f"$.input: {len(fields)} input images; {self._limits.number} are allowed")
        where: dict[str, FieldPath] = {}
        for path, source in fields:
            where.setdefault(source, path)
        images: dict[str, InputImage] = {}
        room = asyncio.Semaphore(_AT_ONCE)

        async def one(source: str, path: FieldPath) -> None:
            async with room:
                images[source] = await self._one(source, path)
            total = sum(len(image.data) for image in images.values())
            if total > self._limits.bytes_all:
                raise InputUnavailable(f"$.input: more than {self._limits.bytes_all} bytes of input images")

        try:
            async with asyncio.TaskGroup() as group:
                for source, path in where.items():
                    group.create_task(one(source, path))
        except BaseExceptionGroup as several:
            raise several.exceptions[0] from several.exceptions[0].__cause__
        return {path: images[source] for path, source in fields}

    async def _one(self, source: str, path: FieldPath) -> InputImage:
        field = json_path(path)
        try:
            async with asyncio.timeout(self._limits.seconds):
                data, name = await self._bytes_of(source)
        except TimeoutError as error:
            raise InputInterrupted(f"{field}: not there within {self._limits.seconds:g} s") from error
        except InputUnavailable as failure:
            raise InputUnavailable(f"{field}: {failure.message}") from failure
        except InputInterrupted as failure:
            raise InputInterrupted(f"{field}: {failure.message}") from failure
        return self._checked(data, name, field)

    async def _bytes_of(self, source: str) -> tuple[bytes, str]:
        if source.startswith("s3://"):
            return await self._from_s3(source)
        if source[:8].lower().startswith(("http://", "https://")):
            return await self._from_web(source)
        return await self._from_base64(source), ""

    def _checked(self, data: bytes, name: str, field: str) -> InputImage:
        media = sniff(data)
        if media is None or media.extension not in _IMAGES:
            what = media.content_type if media else "empty" if not data else "no image, by its content"
            raise InputUnavailable(f"{field}: expected an image, got what is {what}")
        if (media.width or 0) * (media.height or 0) > self._limits.pixels:
            raise InputUnavailable(f"{field}: {media.width} × {media.height} pixels are too many")
        return InputImage(data, media.content_type, name or f"input.{media.extension}")

    async def _from_base64(self, source: str) -> bytes:
        if len(source) > self._limits.bytes_each * 4 // 3 + 1024:
            raise InputUnavailable(f"larger than {self._limits.bytes_each} bytes")
        if len(source) > _BESIDE:
            return await asyncio.to_thread(decode_base64, source)
        return decode_base64(source)

    async def _from_s3(self, source: str) -> tuple[bytes, str]:
        parts = urlsplit(source)
        key = parts.path.removeprefix("/")
        if parts.netloc not in self._buckets:
            raise InputUnavailable(f"the bucket {parts.netloc} is not one that inputs may come from")
        if not key:
            raise InputUnavailable("an s3:// address without a key")
        data = await self._store.read_object(parts.netloc, key, self._limits.bytes_each)
        return data, key.rsplit("/", 1)[-1]

    async def _from_web(self, source: str) -> tuple[bytes, str]:
        url = check_url(source, self._policy)
        for _ in range(_MOST_REDIRECTS + 1):
            answer = await self._get(url)
            if isinstance(answer, bytes):
                return answer, url.name
            if url.scheme == "https" and answer.scheme == "http":
                raise InputUnavailable(f"{shown(url)} redirects from https to http")
            url = answer
        raise InputUnavailable(f"{shown(url)}: more than {_MOST_REDIRECTS} redirects")

    async def _get(self, url: yarl.URL) -> bytes | yarl.URL:
        """The body, or where it redirects to, checked."""
        try:
            async with self._web().get(url, allow_redirects=False) as response:
                if response.status in (301, 302, 303, 307, 308):
                    return check_url(str(url.join(yarl.URL(response.headers.get("Location", "")))), self._policy)
                if response.status in (408, 425, 429) or response.status >= 500:
                    raise InputInterrupted(f"{shown(url)} answered {response.status}")
                if response.status != 200:
                    raise InputUnavailable(f"{shown(url)} answered {response.status}")
                return await self._read(response, url)
        except TimeoutError as error:
            raise InputInterrupted(f"{shown(url)} is too slow") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise InputInterrupted(f"{shown(url)}: {type(error).__name__}") from error

    async def _read(self, response: aiohttp.ClientResponse, url: yarl.URL) -> bytes:
        parts, size = [], 0
        async for part in response.content.iter_any():
            size += len(part)
            if size > self._limits.bytes_each:
                response.close()
                raise InputUnavailable(f"{shown(url)} is larger than {self._limits.bytes_each} bytes")
            parts.append(part)
        return b"".join(parts)

    def _web(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(resolver=self._resolver, use_dns_cache=False, limit=64),
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
                # What is compressed may be anything once it is not.
                auto_decompress=False,
                headers={"Accept-Encoding": "identity", "User-Agent": "darkroom", "Accept": "image/*"},
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=_IDLE_SECONDS, sock_read=_IDLE_SECONDS),
            )
        return self._session

    async def close(self) -> None:
        """Close the session's connections."""
        if self._session is not None:
            await self._session.close()


def decode_base64(text: str) -> bytes:
    """Bytes of base64 or a data URI; white space is passed over.

    Raises:
        InputUnavailable: it is neither.
    """
    found = _DATA_URI.match(text[:256])
    body = "".join(text[found.end() if found else 0 :].split())
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InputUnavailable(f"expected a URL, s3:// or base64, got {text[:40]!r}") from error


def json_path(path: FieldPath) -> str:
    """A field's place for people: `$.input.init_images[0]`."""
    return "$.input" + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)


def shown(url: yarl.URL) -> str:
    """A URL as it may stand in a message: its query may hold a signature."""
    return str(url.with_query(None).with_fragment(None))
