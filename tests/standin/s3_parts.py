"""S3's uploads in parts: begun, listed, filled from a body or from another object, completed or aborted."""

import base64
import hashlib
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from .s3_body import read_upload
from .s3_bucket import Bucket, Parts, Stored, etag_of
from .s3_headers import byte_range, condition, kept
from .s3_xml import XML, document, elements, malformed, parsed
from .sns_message import timestamp
from .wire import Answer, Call, Refusal

_MOST = 1000  # uploads or parts in a page
_SHA256 = "x-amz-checksum-sha256"


def begin(bucket: Bucket, call: Call, key: str) -> Answer:
    """CreateMultipartUpload. With an algorithm, each part needs its checksum, and the completion names them again."""
    algorithm = call.headers.get("x-amz-checksum-algorithm", "").upper()
    upload_id = bucket.begin(key, kept(call), algorithm)
    told = {"Bucket": bucket.name, "Key": key, "UploadId": upload_id}
    headers = {**XML, "x-amz-checksum-algorithm": algorithm} if algorithm else XML
    return Answer(200, document("InitiateMultipartUploadResult", elements(told)), headers)


def put_part(bucket: Bucket, call: Call, _: str) -> Answer:
    """UploadPart."""
    upload, sent = bucket.upload(call.query["uploadId"]), read_upload(call)
    if upload.algorithm == "SHA256" and _SHA256 not in sent.checksums:
        raise Refusal("InvalidRequest", "Checksum Type mismatch occurred, expected checksum Type: sha256")
    part = Stored(sent.data, etag_of(sent.data), {}, sent.checksums)
    upload.parts[int(call.query["partNumber"])] = part
    return Answer(200, headers={"ETag": part.etag, **sent.checksums})


def copy_part(bucket: Bucket, call: Call, _: str) -> Answer:
    """UploadPartCopy, within one bucket."""
    upload = bucket.upload(call.query["uploadId"])
    source, _, key = unquote(call.headers["x-amz-copy-source"]).removeprefix("/").partition("/")
    if source != bucket.name:
        raise Refusal("NotImplemented", "The stand-in copies within one bucket.", 501)
    whole = bucket.get(key)
    wanted = byte_range(call.headers.get("x-amz-copy-source-range"), len(whole.data)) or range(len(whole.data))
    data = whole.data[wanted.start : wanted.stop]
    checksums = {_SHA256: _encoded(data)} if upload.algorithm == "SHA256" else {}
    part = Stored(data, etag_of(data), {}, checksums)
    upload.parts[int(call.query["partNumber"])] = part
    told = {"LastModified": timestamp(part.modified), "ETag": part.etag, **_checksum(part)}
    return Answer(200, document("CopyPartResult", elements(told)), XML)


def complete(bucket: Bucket, call: Call, key: str) -> Answer:
    """CompleteMultipartUpload."""
    upload, parts = bucket.upload(call.query["uploadId"]), parsed(call.body).findall("{*}Part")
    chosen = [(int(part.findtext("{*}PartNumber", "0")), part.findtext("{*}ETag", "")) for part in parts]
    if not chosen:
        raise malformed()
    if upload.algorithm == "SHA256":
        _check_checksums(
            upload,
            {number: part.findtext("{*}ChecksumSHA256") for (number, _), part in zip(chosen, parts, strict=True)},
        )
    stored = bucket.complete(call.query["uploadId"], chosen, condition(call))
    told = {"Location": f"{call.origin}/{bucket.name}/{key}", "Bucket": bucket.name, "Key": key, "ETag": stored.etag}
    return Answer(200, document("CompleteMultipartUploadResult", elements(told)), XML)


def abort(bucket: Bucket, call: Call, _: str) -> Answer:
    """AbortMultipartUpload."""
    upload_id = call.query["uploadId"]
    bucket.upload(upload_id)
    del bucket.uploads[upload_id]
    return Answer(204)


def list_uploads(bucket: Bucket, call: Call, _: str) -> Answer:
    """ListMultipartUploads: by key, of one key the oldest first."""
    prefix = call.query.get("prefix", "")
    found = [(one.key, one.begun, upload_id) for upload_id, one in bucket.uploads.items() if one.key.startswith(prefix)]
    after = (call.query.get("key-marker", ""), call.query.get("upload-id-marker", ""))
    order = sorted(found)
    start = next((n + 1 for n, one in enumerate(order) if (one[0], one[2]) == after), 0)
    limit = min(int(call.query.get("max-uploads") or _MOST), _MOST)
    page = order[start : start + limit]
    more = start + limit < len(order)
    told: dict[str, Any] = {"Bucket": bucket.name, "Prefix": prefix, "MaxUploads": limit}
    told["IsTruncated"] = "true" if more else "false"
    if more:
        told |= {"NextKeyMarker": page[-1][0], "NextUploadIdMarker": page[-1][2]}
    inside = "".join(
        f"<Upload>{elements({'Key': key, 'UploadId': upload_id, 'Initiated': timestamp(begun)})}</Upload>"
        for key, begun, upload_id in page
    )
    return Answer(200, document("ListMultipartUploadsResult", elements(told) + inside), XML)


def list_parts(bucket: Bucket, call: Call, key: str) -> Answer:
    """ListParts: by number."""
    upload, after = bucket.upload(call.query["uploadId"]), int(call.query.get("part-number-marker") or 0)
    limit = min(int(call.query.get("max-parts") or _MOST), _MOST)
    numbers = [number for number in sorted(upload.parts) if number > after]
    page, more = numbers[:limit], len(numbers) > limit
    told: dict[str, Any] = {"Bucket": bucket.name, "Key": key, "UploadId": call.query["uploadId"], "MaxParts": limit}
    told["IsTruncated"] = "true" if more else "false"
    if more:
        told["NextPartNumberMarker"] = page[-1]
    if upload.algorithm:
        told["ChecksumAlgorithm"] = upload.algorithm
    inside = "".join(f"<Part>{elements(_told(number, upload.parts[number]))}</Part>" for number in page)
    return Answer(200, document("ListPartsResult", elements(told) + inside), XML)


OPERATIONS: dict[str, Callable[[Bucket, Call, str], Answer]] = {
    "CreateMultipartUpload": begin,
    "UploadPart": put_part,
    "UploadPartCopy": copy_part,
    "CompleteMultipartUpload": complete,
    "AbortMultipartUpload": abort,
    "ListMultipartUploads": list_uploads,
    "ListParts": list_parts,
}


def _told(number: int, part: Stored) -> dict[str, Any]:
    told = {"PartNumber": number, "LastModified": timestamp(part.modified), "ETag": part.etag}
    return {**told, "Size": len(part.data), **_checksum(part)}


def _checksum(part: Stored) -> dict[str, str]:
    return {"ChecksumSHA256": part.checksums[_SHA256]} if _SHA256 in part.checksums else {}


def _encoded(data: bytes) -> str:
    return base64.b64encode(hashlib.sha256(data).digest()).decode()


def _check_checksums(upload: Parts, told: dict[int, str | None]) -> None:
    for number, checksum in told.items():
        if checksum is None:
            text = "The complete request must include the checksum for each part."
            raise Refusal("InvalidRequest", f"The upload was created using a sha256 checksum. {text}")
        if number in upload.parts and upload.parts[number].checksums.get(_SHA256) != checksum:
            raise Refusal("InvalidPart", "One or more of the specified parts could not be found.")
