"""Bodies of uploads: aws-chunked framing with trailing checksums, and checking what was promised of the bytes."""

import base64
import hashlib
import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from .wire import Call, Refusal

_CHECKSUM = "x-amz-checksum-"
_CHUNK = re.compile(rb"([0-9a-fA-F]+)(?:;[^\r\n]*)?\r\n")
# CRC32C and CRC64NVME are kept as told: the standard library computes neither.
_COMPUTED: dict[str, Callable[[bytes], bytes]] = {
    "crc32": lambda data: zlib.crc32(data).to_bytes(4),
    "sha1": lambda data: hashlib.sha1(data, usedforsecurity=False).digest(),
    "sha256": lambda data: hashlib.sha256(data).digest(),
}


@dataclass(frozen=True, slots=True)
class Upload:
    """The bytes of an upload; `checksums` are the headers that name them."""

    data: bytes
    checksums: Mapping[str, str] = field(default_factory=dict)


def read_upload(call: Call) -> Upload:
    """Take the framing off and check the bytes.

    Raises:
        Refusal: IncompleteBody, BadDigest or InvalidDigest.
    """
    data = call.body
    trailers: dict[str, str] = {}
    if call.headers.get("x-amz-content-sha256", "").startswith("STREAMING-") or "aws-chunked" in _encodings(call):
        data, trailers = _unchunked(call.body)
        length = call.headers.get("x-amz-decoded-content-length")
        if length is not None and int(length) != len(data):
            raise _incomplete()
    told = {
        name: value
        for name, value in {**call.headers, **trailers}.items()
        if name.startswith(_CHECKSUM) and name not in {f"{_CHECKSUM}algorithm", f"{_CHECKSUM}mode", f"{_CHECKSUM}type"}
    }
    for name, value in told.items():
        _check(name.removeprefix(_CHECKSUM), value, data)
    if (promised := call.headers.get("content-md5")) is not None:
        _check_md5(promised, data)
    return Upload(data, told)


def content_encoding(call: Call) -> str | None:
    """The encoding that the object keeps: aws-chunked was only the way here."""
    return ",".join(one for one in _encodings(call) if one != "aws-chunked") or None


def _encodings(call: Call) -> list[str]:
    return [one.strip() for one in call.headers.get("content-encoding", "").split(",") if one.strip()]


def _unchunked(body: bytes) -> tuple[bytes, dict[str, str]]:
    """Bytes and trailers ("Signature calculations for … trailing checksums" in the S3 API reference)."""
    parts, at = [], 0
    while True:
        found = _CHUNK.match(body, at)
        if found is None:
            raise _incomplete()
        size, at = int(found[1], 16), found.end()
        if size == 0:
            break
        if body[at + size : at + size + 2] != b"\r\n":
            raise _incomplete()
        parts.append(body[at : at + size])
        at += size + 2
    lines = body[at:].decode("latin-1").split("\r\n")
    trailers = dict(line.split(":", 1) for line in lines if ":" in line)
    return b"".join(parts), {name.strip().lower(): value.strip() for name, value in trailers.items()}


def _check(algorithm: str, promised: str, data: bytes) -> None:
    compute = _COMPUTED.get(algorithm)
    if compute is not None and base64.b64encode(compute(data)).decode() != promised:
        raise Refusal("BadDigest", f"The {algorithm.upper()} you specified did not match the calculated checksum.")


def _check_md5(promised: str, data: bytes) -> None:
    if base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode() != promised:
        raise Refusal("BadDigest", "The Content-MD5 you specified did not match what we received.")


def _incomplete() -> Refusal:
    return Refusal("IncompleteBody", "The request body terminated unexpectedly")
