"""What the headers of a request say to S3: what an object keeps, on which condition, and which bytes are wanted."""

import re

from .s3_body import content_encoding
from .s3_bucket import Condition
from .wire import Call, Refusal

_KEPT = ("content-type", "cache-control", "content-disposition", "content-language", "expires")


def kept(call: Call) -> dict[str, str]:
    """The headers that a read gives back."""
    told = {name.title(): call.headers[name] for name in _KEPT if name in call.headers}
    told.setdefault("Content-Type", "binary/octet-stream")
    if encoding := content_encoding(call):
        told["Content-Encoding"] = encoding
    return told | {name: value for name, value in call.headers.items() if name.startswith("x-amz-meta-")}


def condition(call: Call) -> Condition:
    """What a write asks of what is there.

    Raises:
        Refusal: NotImplemented, for an ETag in If-None-Match.
    """
    absent = call.headers.get("if-none-match")
    if absent not in {None, "*"}:
        text = "A header you provided implies functionality that is not implemented"
        raise Refusal("NotImplemented", text, 501, Header="If-None-Match")
    return Condition(absent is not None, call.headers.get("if-match"))


def byte_range(header: str | None, size: int) -> range | None:
    """The bytes that a Range header asks for; None for all, also where it makes no sense (RFC 9110, 14.2)."""
    found = re.fullmatch(r"bytes=(\d*)-(\d*)", header or "")
    if found is None or not (found[1] or found[2]):
        return None
    start = int(found[1]) if found[1] else max(0, size - int(found[2]))
    stop = min(size, int(found[2]) + 1) if found[1] and found[2] else size
    if start >= size:
        raise Refusal("InvalidRange", "The requested range is not satisfiable", 416, RangeRequested=header or "")
    return range(start, stop) if start < stop else None
