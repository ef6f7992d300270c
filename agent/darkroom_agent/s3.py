"""Job documents, artifacts and inputs in S3."""

from typing import TYPE_CHECKING, Any

import msgspec
from botocore.exceptions import ClientError

from darkroom_contract.document import JobDocument, cancel_key, document_key

from .aws import aws_call, code_of, status_of
from .errors import InputUnavailable
from .ports import Conflict, StoredDocument
from .record import document_of

if TYPE_CHECKING:
    from types_aiobotocore_s3 import S3Client

_UNAVAILABLE = {"NoSuchKey", "NoSuchBucket", "AccessDenied", "InvalidObjectState"}
_CHUNK = 1 << 20
_DELETE_AT_ONCE = 1000  # S3's limit for DeleteObjects


class S3Store:
    """The output bucket, and reading access to others."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def url(self, key: str) -> str:
        """The `s3://` address of a key in the output bucket."""
        return f"s3://{self._bucket}/{key}"

    async def read_document(self, job_id: str) -> StoredDocument | None:
        """The job's document, or None if there is none."""
        with aws_call("S3 GetObject of the job document"):
            try:
                answer = await self._client.get_object(Bucket=self._bucket, Key=document_key(job_id))
            except ClientError as error:
                if code_of(error) == "NoSuchKey":
                    return None
                raise
            async with answer["Body"] as body:
                data = await body.read()
        return StoredDocument(document_of(job_id, data), answer["ETag"])

    async def write_document(self, document: JobDocument, etag: str | None) -> str:
        """Create or change the document conditionally; returns the new ETag.

        The conditions are S3's: 412 where the document is another, 404 where there is none to match, 409 where two
        writes met ("Amazon S3 conditional writes").
        """
        condition: Any = {"IfNoneMatch": "*"} if etag is None else {"IfMatch": etag}
        with aws_call("S3 PutObject of the job document"):
            try:
                answer = await self._client.put_object(
                    Bucket=self._bucket,
                    Key=document_key(document.id),
                    Body=msgspec.json.encode(document),
                    ContentType="application/json",
                    **condition,
                )
            except ClientError as error:
                if status_of(error) in (409, 412) or code_of(error) == "NoSuchKey":
                    raise Conflict from error
                raise
        return answer["ETag"]

    async def put_artifact(self, key: str, data: bytes, content_type: str) -> None:
        """Store one output file."""
        with aws_call("S3 PutObject of an artifact"):
            await self._client.put_object(Bucket=self._bucket, Key=key, Body=data, ContentType=content_type)

    async def list_keys(self, prefix: str) -> list[str]:
        """All keys below a prefix of the output bucket."""
        keys: list[str] = []
        with aws_call("S3 ListObjectsV2"):
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
            async for page in pages:
                keys += [one["Key"] for one in page.get("Contents", [])]
        return keys

    async def delete_keys(self, keys: list[str]) -> None:
        """Remove objects of the output bucket; missing ones are no error."""
        with aws_call("S3 DeleteObjects"):
            for start in range(0, len(keys), _DELETE_AT_ONCE):
                some = keys[start : start + _DELETE_AT_ONCE]
                await self._client.delete_objects(
                    Bucket=self._bucket, Delete={"Objects": [{"Key": key} for key in some], "Quiet": True}
                )

    async def read_object(self, bucket: str, key: str, limit: int) -> bytes:
        """The bytes of any object, at most `limit` of them."""
        with aws_call(f"S3 GetObject of s3://{bucket}/{key}"):
            try:
                answer = await self._client.get_object(Bucket=bucket, Key=key)
            except ClientError as error:
                if code_of(error) in _UNAVAILABLE:
                    raise InputUnavailable(f"s3://{bucket}/{key}: {code_of(error)}") from error
                raise
            async with answer["Body"] as body:
                parts, size = [], 0
                async for part in body.iter_chunks(_CHUNK):
                    size += len(part)
                    if size > limit:
                        raise InputUnavailable(f"s3://{bucket}/{key}: larger than {limit} bytes")
                    parts.append(part)
        return b"".join(parts)

    async def cancel_requested(self, job_id: str) -> bool:
        """Whether the caller asked to stop this running job."""
        with aws_call("S3 HeadObject of the cancel mark"):
            try:
                await self._client.head_object(Bucket=self._bucket, Key=cancel_key(job_id))
            except ClientError as error:
                if status_of(error) == 404:
                    return False
                raise
        return True
