"""Job documents and what lies beside them in the output bucket; every write is conditional."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec
from botocore.exceptions import ClientError

from darkroom_contract.document import JobDocument, cancel_key, document_key

from .aws import aws_call, code_of, status_of

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

DOWNLOAD_SECONDS = 3600
"""How long a pre-signed address is good for."""


@dataclass(frozen=True, slots=True)
class Stored[T]:
    """A value in S3, and the ETag that a change of it must meet."""

    value: T
    etag: str


class Store:
    """The output bucket (and, for named workflows, the models bucket)."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client = client
        self.bucket = bucket

    def document(self, job_id: str) -> Stored[JobDocument] | None:
        """A job's document, if there is one that can be read."""
        found = self.read(document_key(job_id))
        if found is None:
            return None
        try:
            document = msgspec.json.decode(found.value, type=JobDocument)
        except msgspec.DecodeError:
            return None  # what lies there was not written by Darkroom, and is no job's
        return Stored(document, found.etag) if document.id == job_id else None

    def put_document(self, document: JobDocument, etag: str | None) -> bool:
        """Create a document (no ETag) or change it; whether the condition was met."""
        return self.put(document_key(document.id), msgspec.json.encode(document), etag=etag, new=etag is None)

    def ask_to_cancel(self, job_id: str) -> None:
        """Leave the mark that a running job's agent looks for."""
        self.put(cancel_key(job_id), b"{}")

    def read(self, key: str) -> Stored[bytes] | None:
        """An object's bytes, if it is there."""
        with aws_call("reading from the bucket"):
            try:
                answer = self._client.get_object(Bucket=self.bucket, Key=key)
                return Stored(answer["Body"].read(), answer["ETag"])
            except ClientError as error:
                if code_of(error) == "NoSuchKey":
                    return None
                raise

    def put(self, key: str, data: bytes, *, etag: str | None = None, new: bool = False) -> bool:
        """Write an object: over the one with this ETag, or only if there is none; whether the condition was met.

        S3 answers 412 where it is not, 404 where there is nothing to match, 409 where two writes met ("Amazon S3
        conditional writes").
        """
        condition: Any = {"IfMatch": etag} if etag is not None else {"IfNoneMatch": "*"} if new else {}
        with aws_call("writing to the bucket"):
            try:
                self._client.put_object(
                    Bucket=self.bucket, Key=key, Body=data, ContentType="application/json", **condition
                )
            except ClientError as error:
                if condition and (status_of(error) in (409, 412) or code_of(error) == "NoSuchKey"):
                    return False
                raise
        return True

    def delete(self, key: str) -> None:
        """Remove an object; a missing one is no error."""
        with aws_call("deleting from the bucket"):
            self._client.delete_object(Bucket=self.bucket, Key=key)

    def page(self, prefix: str, after: str) -> tuple[list[str], bool]:
        """A page of the keys below a prefix, in their order; and whether there are more."""
        with aws_call("listing the bucket"):
            answer = self._client.list_objects_v2(Bucket=self.bucket, Prefix=prefix, StartAfter=after)
        return [one["Key"] for one in answer.get("Contents", [])], answer["IsTruncated"]

    def keys_before(self, prefix: str, moment: datetime) -> Iterator[str]:
        """Keys below a prefix that were written before a moment."""
        with aws_call("listing the bucket"):
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
            for page in pages:
                yield from (one["Key"] for one in page.get("Contents", []) if one["LastModified"] < moment)

    def download_url(self, url: str) -> str:
        """An address of an `s3://` object that needs no credentials. Computed here, without a call."""
        bucket, _, key = url.removeprefix("s3://").partition("/")
        return self._client.generate_presigned_url(
            "get_object", Params={"Bucket": bucket, "Key": key}, ExpiresIn=DOWNLOAD_SECONDS
        )

    def upload_url(self, key: str, content_type: str, size: int) -> str:
        """An address that takes an object of just this type and size."""
        return self._client.generate_presigned_url(
            "put_object",
            Params={"Bucket": self.bucket, "Key": key, "ContentType": content_type, "ContentLength": size},
            ExpiresIn=DOWNLOAD_SECONDS,
        )
