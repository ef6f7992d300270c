"""S3 as the agent relies on it. Facts are of the Amazon S3 API reference and user guide."""

import asyncio
import base64
import hashlib
import zlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from botocore.exceptions import ClientError

from .conftest import Aws

if TYPE_CHECKING:
    from types_aiobotocore_s3 import S3Client


async def make(s3: "S3Client", aws: Aws) -> str:
    bucket = aws.name()
    await s3.create_bucket(Bucket=bucket)
    return bucket


async def read(s3: "S3Client", bucket: str, key: str, **asked: Any) -> bytes:
    answer = await s3.get_object(Bucket=bucket, Key=key, **asked)
    async with answer["Body"] as body:
        return await body.read()


async def refused(call: Any) -> tuple[str, int]:
    """The code and the status that a call is refused with."""
    with pytest.raises(ClientError) as error:
        await call
    response = error.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


def quoted_md5(data: bytes) -> str:
    return f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"'


async def test_an_object_comes_as_it_went(aws: Aws, s3: "S3Client") -> None:
    """Bytes, type and metadata; the ETag is the MD5. Keys are any text."""
    bucket, key, data = await make(s3, aws), "a b/\u00e9+%25&=?#.png", b"\x89PNG" * 500_000
    put = await s3.put_object(Bucket=bucket, Key=key, Body=data, ContentType="image/png", Metadata={"job": "7"})
    got = await s3.get_object(Bucket=bucket, Key=key)
    async with got["Body"] as body:
        assert await body.read() == data
    head = await s3.head_object(Bucket=bucket, Key=key)
    for told in (got, head):
        assert put["ETag"] == told["ETag"] == quoted_md5(data)
        assert (told["ContentType"], told["ContentLength"]) == ("image/png", len(data))
        assert told["Metadata"] == {"job": "7"}
        assert abs((datetime.now(UTC) - told["LastModified"]).total_seconds()) < 30
    assert await listed(s3, bucket) == ([[key]], [])


async def test_an_object_is_created_once(aws: Aws, s3: "S3Client") -> None:
    """If-None-Match: * of ten writers lets one win; the others get 412 (or 409 while they race)."""
    bucket = await make(s3, aws)

    async def create(index: int) -> str:
        try:
            await s3.put_object(Bucket=bucket, Key="k", Body=str(index).encode(), IfNoneMatch="*")
        except ClientError as error:
            return error.response["Error"]["Code"]
        return f"won {index}"

    ends = await asyncio.gather(*(create(index) for index in range(10)))
    (winner,) = (end for end in ends if end.startswith("won"))
    assert {end for end in ends if end != winner} <= {"PreconditionFailed", "ConditionalRequestConflict"}
    assert (await read(s3, bucket, "k")).decode() == winner.removeprefix("won ")
    assert await refused(s3.put_object(Bucket=bucket, Key="k", Body=b"x", IfNoneMatch="*")) == (
        "PreconditionFailed",
        412,
    )


async def test_an_object_is_changed_only_as_it_was_read(aws: Aws, s3: "S3Client") -> None:
    """If-Match: 412 if it is another by now, 404 if there is none; the bytes stay."""
    bucket = await make(s3, aws)
    first = (await s3.put_object(Bucket=bucket, Key="k", Body=b"1"))["ETag"]
    second = (await s3.put_object(Bucket=bucket, Key="k", Body=b"2", IfMatch=first))["ETag"]
    assert second == quoted_md5(b"2")
    assert await refused(s3.put_object(Bucket=bucket, Key="k", Body=b"3", IfMatch=first)) == ("PreconditionFailed", 412)
    assert await refused(s3.put_object(Bucket=bucket, Key="no", Body=b"3", IfMatch=first)) == ("NoSuchKey", 404)
    assert await read(s3, bucket, "k") == b"2"


async def test_what_is_not_there_is_named_so(aws: Aws, s3: "S3Client") -> None:
    """NoSuchKey and NoSuchBucket; a HEAD has only its status."""
    bucket = await make(s3, aws)
    with pytest.raises(s3.exceptions.NoSuchKey):
        await s3.get_object(Bucket=bucket, Key="no")
    assert await refused(s3.head_object(Bucket=bucket, Key="no")) == ("404", 404)
    nowhere = aws.name()
    for call in (s3.get_object(Bucket=nowhere, Key="k"), s3.put_object(Bucket=nowhere, Key="k", Body=b"")):
        assert await refused(call) == ("NoSuchBucket", 404)
    assert await refused(s3.head_bucket(Bucket=nowhere)) == ("404", 404)


@pytest.mark.parametrize(
    ("asked", "got", "told"),
    [
        ("bytes=2-4", b"cde", "bytes 2-4/10"),
        ("bytes=7-", b"hij", "bytes 7-9/10"),
        ("bytes=-2", b"ij", "bytes 8-9/10"),
        ("bytes=8-99", b"ij", "bytes 8-9/10"),
    ],
)
async def test_a_range_is_a_part(aws: Aws, s3: "S3Client", asked: str, got: bytes, told: str) -> None:
    """206 with Content-Range; the ETag is the whole object's."""
    bucket = await make(s3, aws)
    await s3.put_object(Bucket=bucket, Key="k", Body=b"abcdefghij")
    answer = await s3.get_object(Bucket=bucket, Key="k", Range=asked)
    async with answer["Body"] as body:
        assert await body.read() == got
    assert (answer["ContentRange"], answer["ETag"]) == (told, quoted_md5(b"abcdefghij"))
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 206


async def test_a_range_beyond_the_end_is_refused(aws: Aws, s3: "S3Client") -> None:
    """416 InvalidRange."""
    bucket = await make(s3, aws)
    await s3.put_object(Bucket=bucket, Key="k", Body=b"abc")
    assert await refused(s3.get_object(Bucket=bucket, Key="k", Range="bytes=3-")) == ("InvalidRange", 416)


async def test_a_read_can_be_conditional(aws: Aws, s3: "S3Client") -> None:
    """304 if it is as known, 412 if it is not as wanted."""
    bucket = await make(s3, aws)
    etag = (await s3.put_object(Bucket=bucket, Key="k", Body=b"1"))["ETag"]
    assert (await refused(s3.get_object(Bucket=bucket, Key="k", IfNoneMatch=etag)))[1] == 304
    assert (await refused(s3.get_object(Bucket=bucket, Key="k", IfMatch='"other"'))) == ("PreconditionFailed", 412)
    assert await read(s3, bucket, "k", IfMatch=etag) == b"1"


async def test_deleting_what_is_gone_succeeds(aws: Aws, s3: "S3Client") -> None:
    """One by one and many at once; a quiet answer names nothing."""
    bucket = await make(s3, aws)
    for key in ("a", "b", "c <&>", "d"):
        await s3.put_object(Bucket=bucket, Key=key, Body=b"")
    for _ in range(2):
        await s3.delete_object(Bucket=bucket, Key="a")
    loud = await s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "b"}, {"Key": "c <&>"}]})
    assert sorted(one["Key"] for one in loud["Deleted"]) == ["b", "c <&>"]
    quiet = await s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "d"}, {"Key": "no"}], "Quiet": True})
    assert not quiet.get("Deleted")
    assert await listed(s3, bucket) == ([[]], [])


async def listed(s3: "S3Client", bucket: str, **asked: Any) -> tuple[list[list[str]], list[str]]:
    """Keys page by page, and all common prefixes."""
    pages, groups = [], []
    async for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, **asked):
        pages.append([one["Key"] for one in page.get("Contents", [])])
        groups += [one["Prefix"] for one in page.get("CommonPrefixes", [])]
    return pages, groups


async def test_a_listing_is_sorted_and_comes_in_pages(aws: Aws, s3: "S3Client") -> None:
    """By prefix, after a key, in groups by delimiter; the pages together are the whole."""
    bucket = await make(s3, aws)
    keys = ["a/1", "a/2", "a/b/3", "b/4", "c <+&>%25.png"]
    for key in reversed(keys):
        await s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    assert await listed(s3, bucket) == ([keys], [])
    assert await listed(s3, bucket, PaginationConfig={"PageSize": 2}) == ([keys[:2], keys[2:4], keys[4:]], [])
    assert await listed(s3, bucket, Prefix="a/", Delimiter="/") == ([["a/1", "a/2"]], ["a/b/"])
    assert await listed(s3, bucket, StartAfter="a/2") == ([keys[2:]], [])
    pages, groups = await listed(s3, bucket, Delimiter="/", PaginationConfig={"PageSize": 1})
    assert ([key for page in pages for key in page], groups) == (keys[4:], ["a/", "b/"])
    page = await s3.list_objects_v2(Bucket=bucket, Prefix="a/", MaxKeys=2)
    assert (page["KeyCount"], page["IsTruncated"], page["MaxKeys"]) == (2, True, 2)
    assert page["Contents"][0]["ETag"] == quoted_md5(b"a/1")
    assert page["Contents"][0]["Size"] == 3
    assert await listed(s3, bucket, Prefix="nothing") == ([[]], [])


async def test_a_presigned_address_needs_no_client(aws: Aws, s3: "S3Client") -> None:
    """PUT and GET by anybody who has it, until its time is over."""
    bucket = await make(s3, aws)
    params = {"Bucket": bucket, "Key": "a b.png"}
    put = await s3.generate_presigned_url("put_object", Params=params, ExpiresIn=60)
    get = await s3.generate_presigned_url("get_object", Params=params, ExpiresIn=60)
    async with aiohttp.ClientSession() as session:
        async with session.put(put, data=b"data") as answer:
            assert answer.status == 200
        async with session.get(get) as answer:
            assert (answer.status, await answer.read()) == (200, b"data")
    assert await read(s3, bucket, "a b.png") == b"data"


async def test_a_presigned_address_ends(aws: Aws, s3: "S3Client") -> None:
    """403 AccessDenied after its time."""
    aws.emulator_differs("it does not look at signatures, and so not at their time")
    bucket = await make(s3, aws)
    await s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    async with aws.client("s3", signature_version="s3v4") as signing:
        url = await signing.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "k"}, ExpiresIn=-1)
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        assert answer.status == 403
        assert b"<Code>AccessDenied</Code>" in await answer.read()


async def test_parts_make_an_object(aws: Aws, s3: "S3Client") -> None:
    """In the order of their numbers; the ETag is of the parts' MD5s; aborted, there is none."""
    bucket, parts = await make(s3, aws), [b"x" * 5 * 1024 * 1024, b"y"]
    begun: Any = {"Bucket": bucket, "Key": "k"}
    begun["UploadId"] = (await s3.create_multipart_upload(**begun, ContentType="image/webp"))["UploadId"]
    etags = {}
    for number in (2, 1):
        etags[number] = (await s3.upload_part(**begun, PartNumber=number, Body=parts[number - 1]))["ETag"]
    chosen: Any = {"Parts": [{"PartNumber": number, "ETag": etags[number]} for number in (1, 2)]}
    wrong: Any = {"Parts": [{"PartNumber": 3, "ETag": etags[1]}]}
    assert (await refused(s3.complete_multipart_upload(**begun, MultipartUpload=wrong)))[0] == "InvalidPart"
    done = await s3.complete_multipart_upload(**begun, MultipartUpload=chosen)
    digests = b"".join(hashlib.md5(part, usedforsecurity=False).digest() for part in parts)
    assert done["ETag"] == f'{quoted_md5(digests)[:-1]}-2"'
    assert await read(s3, bucket, "k") == b"".join(parts)
    assert (await s3.head_object(Bucket=bucket, Key="k"))["ContentType"] == "image/webp"
    begun = {"Bucket": bucket, "Key": "aborted"}
    begun["UploadId"] = (await s3.create_multipart_upload(**begun))["UploadId"]
    await s3.abort_multipart_upload(**begun)
    assert await refused(s3.upload_part(**begun, PartNumber=1, Body=b"")) == ("NoSuchUpload", 404)


async def _put_chunked(url: str, chunks: list[bytes], checksum: bytes) -> tuple[int, bytes]:
    """PUT as SDKs stream it over TLS: in chunks, the CRC32 after them."""
    framed = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in [*chunks])
    body = framed + b"0\r\nx-amz-checksum-crc32:" + checksum + b"\r\n\r\n"
    headers = {
        "Content-Encoding": "aws-chunked",
        "Content-Type": "text/plain",
        "X-Amz-Content-SHA256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "X-Amz-Decoded-Content-Length": str(sum(map(len, chunks))),
        "X-Amz-Trailer": "x-amz-checksum-crc32",
        "X-Amz-Sdk-Checksum-Algorithm": "CRC32",
        "Authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, "
        "Signature=0",
        "X-Amz-Date": "20260101T000000Z",
    }
    async with aiohttp.ClientSession() as session, session.put(url, data=body, headers=headers) as answer:
        return answer.status, await answer.read()


async def test_a_chunked_body_is_put_together_and_checked(aws: Aws, s3: "S3Client") -> None:
    """Framing is not stored, nor told as an encoding; a wrong trailing checksum is refused, and nothing is stored."""
    bucket = await make(s3, aws)
    good = base64.b64encode(zlib.crc32(b"hello world").to_bytes(4))
    status, _ = await _put_chunked(f"{aws.url}/{bucket}/k", [b"hello ", b"world"], good)
    assert status == 200
    assert await read(s3, bucket, "k") == b"hello world"
    assert not (await s3.head_object(Bucket=bucket, Key="k")).get("ContentEncoding")
    status, body = await _put_chunked(f"{aws.url}/{bucket}/bad", [b"hello ", b"mars"], good)
    assert status == 400
    assert b"BadDigest" in body
    assert await refused(s3.head_object(Bucket=bucket, Key="bad")) == ("404", 404)


async def test_a_wrong_md5_is_refused(aws: Aws, s3: "S3Client") -> None:
    """Content-MD5: BadDigest."""
    bucket = await make(s3, aws)
    md5 = base64.b64encode(hashlib.md5(b"other", usedforsecurity=False).digest()).decode()
    assert await refused(s3.put_object(Bucket=bucket, Key="k", Body=b"data", ContentMD5=md5)) == ("BadDigest", 400)


async def test_buckets_are_listed_and_removed_when_empty(aws: Aws, s3: "S3Client") -> None:
    """In us-east-1, making one's own bucket again succeeds."""
    bucket = await make(s3, aws)
    await s3.create_bucket(Bucket=bucket)
    await s3.head_bucket(Bucket=bucket)
    assert bucket in [one["Name"] for one in (await s3.list_buckets())["Buckets"]]
    await s3.put_object(Bucket=bucket, Key="k", Body=b"")
    assert await refused(s3.delete_bucket(Bucket=bucket)) == ("BucketNotEmpty", 409)
    await s3.delete_object(Bucket=bucket, Key="k")
    await s3.delete_bucket(Bucket=bucket)
    assert await refused(s3.head_bucket(Bucket=bucket)) == ("404", 404)
