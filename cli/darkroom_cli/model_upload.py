"""Sends a model to the bucket in parts that survive an interruption.

What was sent is known to S3 alone: the newest unfinished upload of the key is taken up, and a part that is there with
the same SHA-256 is not sent again. So any machine can go on, and a file that has changed meanwhile cannot be mixed up.
Four parts travel at once; no more are in memory, and one that is being read.
"""

import base64
import hashlib
import math
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from .failures import DarkroomError, Refused
from .model_sources import Source, parts

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

AT_ONCE = 4
SHA256 = "sha256"
"""The metadata that holds a model's digest, in hex."""

_MIB = 1024 * 1024
_PART_BYTES = 16 * _MIB
_PART_BYTES_UNKNOWN = 64 * _MIB  # of a source that does not tell its size: 640 GB at the most
_MOST_PARTS = 10_000  # S3 user guide, "Multipart upload limits"
_COPY_BYTES = 1024 * _MIB


@dataclass(frozen=True, slots=True)
class Target:
    """An object that is to be."""

    s3: "S3Client"
    bucket: str
    key: str


@dataclass(frozen=True, slots=True)
class Sent:
    """A model that lies in the bucket. `kept` of its `parts` were there already."""

    sha256: str
    bytes: int
    parts: int
    kept: int


@dataclass(frozen=True, slots=True)
class Part:
    """A part as S3 knows it; `checksum` is its SHA-256 in base64."""

    etag: str
    checksum: str


_NOTHING: Mapping[int, Part] = {}
type Report = Callable[[int], None]
"""Is told of bytes that are in the bucket by now."""
type Check = Callable[[bytes], None]
"""Is shown the first part before anything is sent, and raises if it must not be."""


def part_size(size: int | None) -> int:
    """Bytes of a part, the same each time for the same size."""
    if size is None:
        return _PART_BYTES_UNKNOWN
    return max(_PART_BYTES, math.ceil(size / _MOST_PARTS / _MIB) * _MIB)


def send(target: Target, source: Source, expected: str | None, check: Check, report: Report) -> Sent:
    """Send all of it, and complete the object only if it has the expected digest.

    Raises:
        Refused: it has another, or is not what `check` lets pass; nothing is stored.
        DarkroomError: it could not be read.
    """
    upload_id, there = "", _NOTHING
    whole, size, kept = hashlib.sha256(), 0, 0
    done: dict[int, Part] = {}
    with _Sender(target) as sender:
        for number, data in enumerate(parts(source.chunks(), part_size(source.size)), start=1):
            if number == 1:
                check(data)
                upload_id, there = resume(target) or (_begin(target, expected), _NOTHING)
            whole.update(data)
            size += len(data)
            checksum = base64.b64encode(hashlib.sha256(data).digest()).decode()
            if (known := there.get(number)) is not None and known.checksum == checksum:
                done[number], kept = known, kept + 1
                report(len(data))
            else:
                sender.send(upload_id, number, data, checksum, report)
        done |= sender.finished()
    if not done:
        check(b"")
    _check_whole(target, upload_id, source, whole.hexdigest(), size, expected)
    _complete(target, upload_id, done)
    _stamp(target, whole.hexdigest(), size)
    return Sent(whole.hexdigest(), size, len(done), kept)


def resume(target: Target) -> tuple[str, Mapping[int, Part]] | None:
    """The newest unfinished upload of the key whose parts have SHA-256 checksums, and its parts by number."""
    listed = target.s3.get_paginator("list_multipart_uploads").paginate(Bucket=target.bucket, Prefix=target.key)
    uploads = [one for page in listed for one in page.get("Uploads", []) if one.get("Key") == target.key]
    for upload in sorted(uploads, key=lambda one: one["Initiated"], reverse=True):
        pages = list(
            target.s3.get_paginator("list_parts").paginate(
                Bucket=target.bucket, Key=target.key, UploadId=upload["UploadId"]
            )
        )
        if pages[0].get("ChecksumAlgorithm") == "SHA256":  # else it is another tool's
            found = [part for page in pages for part in page.get("Parts", [])]
            return upload["UploadId"], {
                part["PartNumber"]: Part(part["ETag"], part["ChecksumSHA256"])
                for part in found
                if "ChecksumSHA256" in part
            }
    return None


class _Sender:
    """Sends parts side by side; who hands in one more than may be under way waits for another's end."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._pool = ThreadPoolExecutor(AT_ONCE)
        self._under_way: dict[Future[Part], int] = {}
        self._done: dict[int, Part] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    def send(self, upload_id: str, number: int, data: bytes, checksum: str, report: Report) -> None:
        """Send a part, as soon as there is room; fails as an earlier one did."""
        while len(self._under_way) >= AT_ONCE:
            self._collect(wait(self._under_way, return_when=FIRST_COMPLETED).done)
        self._under_way[self._pool.submit(self._put, upload_id, number, data, checksum, report)] = number

    def finished(self) -> Mapping[int, Part]:
        """All that were sent, when they are."""
        self._collect(wait(self._under_way).done)
        return self._done

    def _collect(self, ended: Iterable[Future[Part]]) -> None:
        for future in ended:
            self._done[self._under_way.pop(future)] = future.result()

    def _put(self, upload_id: str, number: int, data: bytes, checksum: str, report: Report) -> Part:
        target = self._target
        answer = target.s3.upload_part(
            Bucket=target.bucket,
            Key=target.key,
            UploadId=upload_id,
            PartNumber=number,
            Body=data,
            ChecksumSHA256=checksum,
        )
        report(len(data))
        return Part(answer["ETag"], checksum)


def _begin(target: Target, sha256: str | None) -> str:
    answer = target.s3.create_multipart_upload(
        Bucket=target.bucket,
        Key=target.key,
        ChecksumAlgorithm="SHA256",
        ContentType="application/octet-stream",
        Metadata={SHA256: sha256} if sha256 else {},
    )
    return answer["UploadId"]


def _check_whole(target: Target, upload_id: str, source: Source, got: str, size: int, expected: str | None) -> None:
    if source.size is not None and size != source.size:
        raise DarkroomError(f"{source.name} has {size} bytes by now, {source.size} when it was begun: run it again")
    if expected is not None and got != expected:
        target.s3.abort_multipart_upload(Bucket=target.bucket, Key=target.key, UploadId=upload_id)
        raise Refused(f"{source.name}: its SHA-256 is {got}, not {expected}; nothing was stored")


def _complete(target: Target, upload_id: str, done: Mapping[int, Part]) -> None:
    named: Any = [
        {"PartNumber": number, "ETag": part.etag, "ChecksumSHA256": part.checksum}
        for number, part in sorted(done.items())
    ]
    target.s3.complete_multipart_upload(
        Bucket=target.bucket, Key=target.key, UploadId=upload_id, MultipartUpload={"Parts": named}
    )


def _stamp(target: Target, sha256: str, size: int) -> None:
    """Write the digest to the object, if it was not known when the upload was begun.

    Metadata is given at the beginning only. S3 copies the object onto itself then, in parts, for one call copies
    5 GB at the most; a reader sees the old or the new, whose bytes are the same.
    """
    head = target.s3.head_object(Bucket=target.bucket, Key=target.key)
    if head["Metadata"].get(SHA256) == sha256:
        return
    upload: Any = {"Bucket": target.bucket, "Key": target.key}
    upload["UploadId"] = _begin(target, sha256)
    done: dict[int, Part] = {}
    for number, start in enumerate(range(0, size, _COPY_BYTES), start=1):
        copied = target.s3.upload_part_copy(
            **upload,
            PartNumber=number,
            CopySource={"Bucket": target.bucket, "Key": target.key},
            CopySourceRange=f"bytes={start}-{min(start + _COPY_BYTES, size) - 1}",
            CopySourceIfMatch=head["ETag"],
        )["CopyPartResult"]
        done[number] = Part(copied["ETag"], copied["ChecksumSHA256"])
    _complete(target, upload["UploadId"], done)
