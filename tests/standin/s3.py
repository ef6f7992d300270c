"""S3 over REST: one function for each operation. What a bucket does is in `s3_bucket.py`."""

import base64
import re
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape

from .s3_body import read_upload
from .s3_bucket import Bucket, Page, Stored, etag_of, unmet
from .s3_headers import byte_range, condition, kept
from .s3_parts import OPERATIONS as OF_PARTS
from .s3_routes import locate, operation_of
from .s3_xml import XML, document, elements, malformed, parsed
from .sns_message import timestamp
from .wire import ACCOUNT, REGION, Answer, Call, Refusal, Subject


class S3:
    """All buckets."""

    def __init__(self) -> None:
        self.buckets: dict[str, Bucket] = {}

    def subject(self, call: Call) -> Subject:
        """The operation by method, path and query; the bucket by path or host."""
        bucket, key = locate(call)
        return Subject("s3", operation_of(call, bucket, key), bucket)

    async def answer(self, call: Call, subject: Subject, *, twice: bool) -> Answer:
        """Do one operation."""
        _check_expiry(call.query)
        _, key = locate(call)
        if of_parts := OF_PARTS.get(subject.operation):
            return of_parts(self._bucket(subject.resource), call, key)
        return _OPERATIONS[subject.operation](self, call, subject.resource, key)

    def refuse(self, refusal: Refusal, call: Call) -> Answer:
        """Write an error; the answer to a HEAD has no body."""
        if call.method == "HEAD" or refusal.status == 304:
            return Answer(refusal.status)
        told = {"Code": refusal.code, "Message": refusal.message, **refusal.details}
        told |= {"RequestId": uuid.uuid4().hex[:16].upper(), "HostId": "standin"}
        return Answer(refusal.status, document("Error", elements(told), namespace=False), XML)

    def _bucket(self, name: str) -> Bucket:
        found = self.buckets.get(name)
        if found is None:
            raise Refusal("NoSuchBucket", "The specified bucket does not exist", 404, BucketName=name)
        return found

    def _list_buckets(self, *_: Any) -> Answer:
        found = "".join(
            f"<Bucket>{elements({'Name': name, 'CreationDate': timestamp(one.created)})}</Bucket>"
            for name, one in sorted(self.buckets.items())
        )
        owner = f"<Owner><ID>{ACCOUNT}</ID></Owner>"
        return Answer(200, document("ListAllMyBucketsResult", f"{owner}<Buckets>{found}</Buckets>"), XML)

    def _create_bucket(self, _: Call, name: str, __: str) -> Answer:
        if not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", name):
            raise Refusal("InvalidBucketName", "The specified bucket is not valid.", 400, BucketName=name)
        # In us-east-1, and only there, making one's own bucket again succeeds (S3 API reference, CreateBucket).
        self.buckets.setdefault(name, Bucket(name))
        return Answer(200, headers={"Location": f"/{name}"})

    def _head_bucket(self, _: Call, name: str, __: str) -> Answer:
        self._bucket(name)
        return Answer(200, headers={"x-amz-bucket-region": REGION})

    def _delete_bucket(self, _: Call, name: str, __: str) -> Answer:
        if self._bucket(name).objects:
            raise Refusal("BucketNotEmpty", "The bucket you tried to delete is not empty", 409, BucketName=name)
        del self.buckets[name]
        return Answer(204)

    def _location(self, _: Call, name: str, __: str) -> Answer:
        self._bucket(name)
        return Answer(200, document("LocationConstraint", ""), XML)

    def _put(self, call: Call, name: str, key: str) -> Answer:
        bucket, upload = self._bucket(name), read_upload(call)
        stored = Stored(upload.data, etag_of(upload.data), kept(call), upload.checksums)
        bucket.put(key, stored, condition(call))
        return Answer(200, headers={"ETag": stored.etag, **upload.checksums})

    def _get(self, call: Call, name: str, key: str) -> Answer:
        stored = self._bucket(name).get(key)
        _check_read(call, stored)
        headers = {**stored.headers, "ETag": stored.etag, "Accept-Ranges": "bytes"}
        headers["Last-Modified"] = formatdate(stored.modified, usegmt=True)
        for asked, value in call.query.items():
            if asked.startswith("response-"):
                headers[asked.removeprefix("response-").title()] = value
        if (wanted := byte_range(call.headers.get("range"), len(stored.data))) is None:
            if call.headers.get("x-amz-checksum-mode", "").upper() == "ENABLED":
                headers |= stored.checksums
            return Answer(200, stored.data, headers)
        headers["Content-Range"] = f"bytes {wanted.start}-{wanted.stop - 1}/{len(stored.data)}"
        return Answer(206, stored.data[wanted.start : wanted.stop], headers)

    def _delete(self, _: Call, name: str, key: str) -> Answer:
        self._bucket(name).delete(key)
        return Answer(204)

    def _delete_many(self, call: Call, name: str, _: str) -> Answer:
        bucket, root = self._bucket(name), parsed(read_upload(call).data)
        keys = [one.findtext("{*}Key", "") for one in root.findall("{*}Object")]
        if not 1 <= len(keys) <= 1000:
            raise malformed()
        for key in keys:
            bucket.delete(key)
        quiet = root.findtext("{*}Quiet", "false") == "true"
        done = "" if quiet else "".join(f"<Deleted><Key>{escape(key)}</Key></Deleted>" for key in keys)
        return Answer(200, document("DeleteResult", done), XML)

    def _list(self, call: Call, name: str, _: str) -> Answer:
        asked, bucket = call.query, self._bucket(name)
        limit = min(int(asked.get("max-keys") or 1000), 1000)
        token = asked.get("continuation-token", "")
        after = _unpacked(token) if token else asked.get("start-after", "")
        page = bucket.page(asked.get("prefix", ""), asked.get("delimiter", ""), after, limit)
        return Answer(200, document("ListBucketResult", _listing(bucket, asked, page, limit)), XML)


_OPERATIONS: dict[str, Callable[[S3, Call, str, str], Answer]] = {
    "ListBuckets": S3._list_buckets,
    "CreateBucket": S3._create_bucket,
    "HeadBucket": S3._head_bucket,
    "DeleteBucket": S3._delete_bucket,
    "GetBucketLocation": S3._location,
    "ListObjectsV2": S3._list,
    "DeleteObjects": S3._delete_many,
    "PutObject": S3._put,
    "GetObject": S3._get,
    "HeadObject": S3._get,  # the port leaves the body out of the answer to a HEAD
    "DeleteObject": S3._delete,
}


def _check_expiry(asked: Mapping[str, str]) -> None:
    """A presigned address is good for its time; its signature is not looked at."""
    if "X-Amz-Expires" in asked and "X-Amz-Date" in asked:
        signed = datetime.strptime(asked["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        if datetime.now(UTC) > signed + timedelta(seconds=int(asked["X-Amz-Expires"])):
            raise Refusal("AccessDenied", "Request has expired", 403)


def _check_read(call: Call, stored: Stored) -> None:
    wanted, known = call.headers.get("if-match"), call.headers.get("if-none-match")
    if wanted is not None and wanted.strip('"') not in {stored.etag.strip('"'), "*"}:
        raise unmet("If-Match")
    if known is not None and known.strip('"') in {stored.etag.strip('"'), "*"}:
        raise Refusal("NotModified", "Not Modified", 304)


def _listing(bucket: Bucket, asked: Mapping[str, str], page: Page, limit: int) -> str:
    """The inside of a ListBucketResult; names are percent-encoded where the caller asked for it."""
    written: Callable[[str], str] = quote if asked.get("encoding-type") == "url" else str
    told = {"Name": bucket.name, "KeyCount": len(page.keys) + len(page.prefixes), "MaxKeys": limit}
    told |= {"IsTruncated": "true" if page.last is not None else "false"}
    told |= {"Prefix": written(asked.get("prefix", "")), "Delimiter": written(asked.get("delimiter", ""))}
    told |= {"EncodingType": asked.get("encoding-type", ""), "ContinuationToken": asked.get("continuation-token", "")}
    told |= {"StartAfter": written(asked.get("start-after", ""))}
    told |= {"NextContinuationToken": "" if page.last is None else _packed(page.last)}
    head = elements({name: value for name, value in told.items() if value != "" or name == "Prefix"})
    contents = "".join(_content(written(key), bucket.objects[key]) for key in page.keys)
    groups = "".join(f"<CommonPrefixes>{elements({'Prefix': written(one)})}</CommonPrefixes>" for one in page.prefixes)
    return head + contents + groups


def _content(key: str, one: Stored) -> str:
    told = {"Key": key, "LastModified": timestamp(one.modified), "ETag": one.etag, "Size": len(one.data)}
    return f"<Contents>{elements({**told, 'StorageClass': 'STANDARD'})}</Contents>"


def _packed(last: str) -> str:
    return base64.urlsafe_b64encode(last.encode()).decode()


def _unpacked(token: str) -> str:
    try:
        return base64.urlsafe_b64decode(token).decode()
    except ValueError as error:
        raise Refusal("InvalidArgument", "The continuation token provided is incorrect") from error
