"""S3's uploads in parts as resumable transfers rely on them. Facts are of the Amazon S3 API reference."""

import base64
import hashlib
from typing import TYPE_CHECKING, Any

from .conftest import Aws
from .test_aws_s3 import make, read, refused

if TYPE_CHECKING:
    from types_aiobotocore_s3 import S3Client

BIG = b"x" * 5 * 1024 * 1024  # the smallest part that may be followed by another


def sha256(data: bytes) -> str:
    return base64.b64encode(hashlib.sha256(data).digest()).decode()


async def begin(s3: "S3Client", bucket: str, key: str, **more: Any) -> dict[str, Any]:
    answer = await s3.create_multipart_upload(Bucket=bucket, Key=key, **more)
    return {"Bucket": bucket, "Key": key, "UploadId": answer["UploadId"]}


async def test_what_is_not_complete_is_listed(aws: Aws, s3: "S3Client") -> None:
    """Uploads by key and prefix, gone once complete or aborted."""
    bucket = await make(s3, aws)
    assert not (await s3.list_multipart_uploads(Bucket=bucket)).get("Uploads")
    begun = [await begin(s3, bucket, key) for key in ("a/2", "a/1", "b")]
    listed = await s3.list_multipart_uploads(Bucket=bucket)
    assert [(one["Key"], one["UploadId"]) for one in listed["Uploads"]] == sorted(
        (one["Key"], one["UploadId"]) for one in begun
    )
    assert all(one["Initiated"].tzinfo for one in listed["Uploads"])
    await s3.abort_multipart_upload(**begun[2])
    assert not (await s3.list_multipart_uploads(Bucket=bucket, Prefix="b")).get("Uploads")
    part = await s3.upload_part(**begun[0], PartNumber=1, Body=b"x")
    await s3.complete_multipart_upload(**begun[0], MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]})
    assert [one["Key"] for one in (await s3.list_multipart_uploads(Bucket=bucket, Prefix="a/"))["Uploads"]] == ["a/1"]


async def test_a_listing_of_uploads_comes_in_pages(aws: Aws, s3: "S3Client") -> None:
    """The pages together are the whole."""
    bucket = await make(s3, aws)
    begun = [(await begin(s3, bucket, key))["UploadId"] for key in ("a", "a", "b", "c")]
    pages = s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket, PaginationConfig={"PageSize": 2})
    assert [[one["UploadId"] for one in page["Uploads"]] async for page in pages] == [begun[:2], begun[2:]]


async def test_parts_are_listed_with_their_checksums(aws: Aws, s3: "S3Client") -> None:
    """By number, in pages; a part sent again takes the place of the first."""
    bucket = await make(s3, aws)
    begun = await begin(s3, bucket, "k", ChecksumAlgorithm="SHA256")
    empty = await s3.list_parts(**begun)
    assert (empty.get("Parts", []), empty["ChecksumAlgorithm"]) == ([], "SHA256")
    assert "ChecksumAlgorithm" not in await s3.list_parts(**await begin(s3, bucket, "k"))
    for number, data in ((3, b"c"), (1, b"old"), (2, b"b"), (1, b"a")):
        await s3.upload_part(**begun, PartNumber=number, Body=data, ChecksumSHA256=sha256(data))
    told = [
        (part["PartNumber"], part["Size"], part["ChecksumSHA256"])
        async for page in s3.get_paginator("list_parts").paginate(**begun, PaginationConfig={"PageSize": 2})
        for part in page["Parts"]
    ]
    assert told == [(1, 1, sha256(b"a")), (2, 1, sha256(b"b")), (3, 1, sha256(b"c"))]
    gone: Any = {**begun, "UploadId": begun["UploadId"][:-4] + "0000"}
    assert await refused(s3.list_parts(**gone)) == ("NoSuchUpload", 404)


async def test_a_part_is_what_its_checksum_says(aws: Aws, s3: "S3Client") -> None:
    """A wrong one is refused, and so is a completion that leaves them out."""
    bucket = await make(s3, aws)
    begun = await begin(s3, bucket, "k", ChecksumAlgorithm="SHA256")
    wrong = s3.upload_part(**begun, PartNumber=1, Body=b"a", ChecksumSHA256=sha256(b"b"))
    assert (await refused(wrong))[1] == 400
    part = await s3.upload_part(**begun, PartNumber=1, Body=b"a", ChecksumSHA256=sha256(b"a"))
    bare: Any = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    assert await refused(s3.complete_multipart_upload(**begun, MultipartUpload=bare)) == ("InvalidRequest", 400)
    bare["Parts"][0]["ChecksumSHA256"] = sha256(b"a")
    await s3.complete_multipart_upload(**begun, MultipartUpload=bare)
    assert await read(s3, bucket, "k") == b"a"


async def test_an_object_is_copied_onto_itself_in_parts(aws: Aws, s3: "S3Client") -> None:
    """UploadPartCopy: other metadata, the same bytes, none of them sent again."""
    bucket = await make(s3, aws)
    await s3.put_object(Bucket=bucket, Key="a b+c", Body=BIG + b"end", Metadata={"sha256": "old"})
    begun = await begin(s3, bucket, "a b+c", Metadata={"sha256": "new"})
    parts: Any = []
    for number, (first, last) in enumerate([(0, len(BIG) - 1), (len(BIG), len(BIG) + 2)], start=1):
        copied = await s3.upload_part_copy(
            **begun,
            PartNumber=number,
            CopySource={"Bucket": bucket, "Key": "a b+c"},
            CopySourceRange=f"bytes={first}-{last}",
        )
        parts.append({"PartNumber": number, "ETag": copied["CopyPartResult"]["ETag"]})
    await s3.complete_multipart_upload(**begun, MultipartUpload={"Parts": parts})
    assert await read(s3, bucket, "a b+c") == BIG + b"end"
    assert (await s3.head_object(Bucket=bucket, Key="a b+c"))["Metadata"] == {"sha256": "new"}
