"""Fetch a job's input images: http(s), `s3://` or base64, side by side, bounded in number, size, time and pixels."""

import asyncio
import base64
import binascii
import re
from dataclasses import dataclass

from .errors import InputInterrupted, InputUnavailable
from .guard import FetchPolicy
from .guarded import together
from .media import sniff
from .ports import FieldPath, InputImage, Store
from .resolver import LookUp
from .traces import Traces
from .web import Take, Web

_IMAGES = frozenset({"png", "jpg", "webp", "gif", "bmp", "tiff", "avif"})  # what the runtimes read
_AT_ONCE = 8
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE | re.ASCII)  # no base64 has a colon
_DATA_URI = re.compile(r"data:[\w.+/-]*(?:;[\w=.-]+)*?;base64,", re.IGNORECASE | re.ASCII)
_BESIDE = 256 * 1024  # characters of base64 from which decoding would be felt by others


@dataclass(frozen=True, slots=True)
class InputLimits:
    """Bounds of one job's inputs.

    `bytes_each` and `bytes_all`: of one and of all together; `number` of images; `seconds` for each, of which
    `idle_seconds` may pass in silence; `pixels` of each, width × height as its header says.
    """

    bytes_each: int = 32 * 1024 * 1024
    bytes_all: int = 128 * 1024 * 1024
    number: int = 64
    seconds: float = 30.0
    idle_seconds: float = 10.0
    pixels: int = 100_000_000


class Inputs:
    """Fetches inputs, over connections that are kept from job to job."""

    def __init__(
        self,
        store: Store,
        buckets: frozenset[str],
        policy: FetchPolicy,
        limits: InputLimits,
        traces: Traces,
        look_up: LookUp | None = None,
    ) -> None:
        """`buckets` are those that `s3://` inputs may lie in; `look_up` replaces the system's resolver."""
        self._traces = traces
        self._store = store
        self._buckets = buckets
        self._limits = limits
        self._web = Web(policy, limits.idle_seconds, look_up)

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
        all_of_them = _Allowance(self._limits.bytes_all, "the job's input images together are larger than")

        async def one(source: str, path: FieldPath) -> None:
            field = json_path(path)
            async with room:
                with self._traces.stage("input", {"darkroom.input.field": field}):
                    images[source] = image = await self._one(source, field, all_of_them)
                    self._traces.note({"darkroom.bytes": len(image.data), "darkroom.content_type": image.content_type})

        await together(*(one(source, path) for source, path in where.items()))
        return {path: images[source] for path, source in fields}

    async def _one(self, source: str, field: str, all_of_them: "_Allowance") -> InputImage:
        each = _Allowance(self._limits.bytes_each, "larger than")

        def take(count: int) -> None:
            each.take(count)
            all_of_them.take(count)

        try:
            async with asyncio.timeout(self._limits.seconds):
                data, name = await self._bytes_of(source, take)
            return self._checked(data, name)
        except TimeoutError as error:
            raise InputInterrupted(f"{field}: not there within {self._limits.seconds:g} s") from error
        except InputUnavailable as failure:
            raise InputUnavailable(f"{field}: {failure.message}") from failure
        except InputInterrupted as failure:
            raise InputInterrupted(f"{field}: {failure.message}") from failure

    async def _bytes_of(self, source: str, take: Take) -> tuple[bytes, str]:
        scheme = found[0].lower() if (found := _SCHEME.match(source[:64])) else ""
        if scheme == "s3:":
            return await self._from_s3(source, take)
        if scheme not in ("", "data:"):
            return await self._web.get(source, take)
        return await self._from_base64(source, take), ""

    async def _from_base64(self, source: str, take: Take) -> bytes:
        # Four characters carry three bytes; there is room for line breaks and a data URI's head.
        if len(source) > self._limits.bytes_each * 3 // 2 + 1024:
            raise InputUnavailable(f"larger than {self._limits.bytes_each} bytes")
        data = await asyncio.to_thread(decode_base64, source) if len(source) > _BESIDE else decode_base64(source)
        take(len(data))
        return data

    async def _from_s3(self, source: str, take: Take) -> tuple[bytes, str]:
        bucket, _, key = source[len("s3://") :].partition("/")
        if bucket not in self._buckets:
            raise InputUnavailable(f"the bucket {bucket[:63]} is not one that inputs may come from")
        if not key:
            raise InputUnavailable("an s3:// address without a key")
        data = await self._store.read_object(bucket, key, self._limits.bytes_each)
        take(len(data))
        return data, key.rsplit("/", 1)[-1]

    def _checked(self, data: bytes, name: str) -> InputImage:
        media = sniff(data)
        if media is None or media.extension not in _IMAGES:
            what = f"is {media.content_type} by its content" if media else "is no image" if data else "is empty"
            raise InputUnavailable(f"expected an image, got what {what}")
        # An image whose size its header hides may be of any size once it is decoded.
        if media.width is None or media.height is None:
            raise InputUnavailable(f"{media.content_type} without a readable width and height")
        if media.width * media.height > self._limits.pixels:
            raise InputUnavailable(f"{media.width} × {media.height} pixels; {self._limits.pixels} are allowed")
        return InputImage(data, media.content_type, name or f"input.{media.extension}")

    async def close(self) -> None:
        """Close the connections."""
        await self._web.close()


class _Allowance:
    """So many bytes may come."""

    def __init__(self, most: int, too_many: str) -> None:
        self._left = most
        self._message = f"{too_many} {most} bytes"

    def take(self, count: int) -> None:
        self._left -= count
        if self._left < 0:
            raise InputUnavailable(self._message)


def decode_base64(text: str) -> bytes:
    """Bytes of base64 or a data URI; white space is passed over, everything else that does not belong is refused.

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
