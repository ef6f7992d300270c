"""What lies in the models bucket beside the named workflows: models, and uploads that were not finished."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError
from msgspec import Struct

from .model_upload import SHA256

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

WORKFLOWS = "workflows/"
"""Keys of named workflows, which are no models."""
CONNECTIONS = 16


class Model(Struct, frozen=True, kw_only=True):
    """A model. `sha256` is null where another tool put it there."""

    key: str
    bytes: int
    modified: datetime
    sha256: str | None


class Unfinished(Struct, frozen=True, kw_only=True):
    """An upload that was begun and neither completed nor aborted; its parts are paid for."""

    key: str
    upload_id: str
    begun: datetime
    bytes: int


def find_model(s3: "S3Client", bucket: str, key: str) -> Model | None:
    """A model, if it is there."""
    try:
        head = s3.head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        # A HEAD has no body to tell a missing key from a missing bucket; without s3:ListBucket both are 403.
        if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") == 404:
            return None
        raise
    return Model(
        key=key, bytes=head["ContentLength"], modified=head["LastModified"], sha256=head["Metadata"].get(SHA256)
    )


def models(s3: "S3Client", bucket: str, prefix: str = "") -> tuple[Model, ...]:
    """All of them, by key. A listing has no metadata, so each is looked at."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    keys = [one["Key"] for page in pages for one in page.get("Contents", [])]
    wanted = [key for key in keys if not key.startswith(WORKFLOWS) and not key.endswith("/")]
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        found = pool.map(lambda key: find_model(s3, bucket, key), wanted)
        return tuple(model for model in found if model is not None)


def unfinished(s3: "S3Client", bucket: str, prefix: str = "") -> tuple[Unfinished, ...]:
    """All uploads that were not finished, by key, with the bytes that they hold."""
    pages = s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket, Prefix=prefix)
    found = [(one["Key"], one["UploadId"], one["Initiated"]) for page in pages for one in page.get("Uploads", [])]
    return tuple(
        Unfinished(key=key, upload_id=upload_id, begun=begun, bytes=_bytes_of(s3, bucket, key, upload_id))
        for key, upload_id, begun in found
    )


def _bytes_of(s3: "S3Client", bucket: str, key: str, upload_id: str) -> int:
    pages = s3.get_paginator("list_parts").paginate(Bucket=bucket, Key=key, UploadId=upload_id)
    return sum(part["Size"] for page in pages for part in page.get("Parts", []))
