"""Which operation of S3 a request is: by method, path, host and query."""

from .wire import Call, Refusal

_ROOT = {("GET", ""): "ListBuckets"}
_BUCKET = {
    ("PUT", ""): "CreateBucket",
    ("HEAD", ""): "HeadBucket",
    ("DELETE", ""): "DeleteBucket",
    ("GET", "location"): "GetBucketLocation",
    ("GET", "list-type"): "ListObjectsV2",
    ("GET", "uploads"): "ListMultipartUploads",
    ("POST", "delete"): "DeleteObjects",
}
_OBJECT = {
    ("PUT", ""): "PutObject",
    ("GET", ""): "GetObject",
    ("HEAD", ""): "HeadObject",
    ("DELETE", ""): "DeleteObject",
    ("POST", "uploads"): "CreateMultipartUpload",
    ("PUT", "uploadId"): "UploadPart",
    ("GET", "uploadId"): "ListParts",
    ("POST", "uploadId"): "CompleteMultipartUpload",
    ("DELETE", "uploadId"): "AbortMultipartUpload",
}
# Parts of a query that make another operation of a request. Those that no table above has are not implemented.
_MARKS = {
    "acl",
    "attributes",
    "cors",
    "delete",
    "encryption",
    "legal-hold",
    "lifecycle",
    "list-type",
    "location",
    "logging",
    "notification",
    "object-lock",
    "ownershipControls",
    "policy",
    "publicAccessBlock",
    "replication",
    "restore",
    "retention",
    "select",
    "tagging",
    "torrent",
    "uploadId",
    "uploads",
    "versioning",
    "versions",
    "website",
}
_OWN = ".localhost"


def locate(call: Call) -> tuple[str, str]:
    """Bucket and key: `/bucket/key`, or `/key` at a host `bucket.localhost` or `bucket.s3.localhost`."""
    host = call.host.rsplit(":", 1)[0]
    path = call.path.removeprefix("/")
    if host.endswith(_OWN):
        bucket = host.removesuffix(_OWN).removesuffix(".s3")
        if bucket != "s3":
            return bucket, path
    bucket, _, key = path.partition("/")
    return bucket, key


def operation_of(call: Call, bucket: str, key: str) -> str:
    """The operation's name.

    Raises:
        Refusal: NotImplemented.
    """
    table = _OBJECT if key else _BUCKET if bucket else _ROOT
    mark = next((one for one in call.query if one in _MARKS), "")
    found = table.get((call.method, mark))
    copies = "x-amz-copy-source" in call.headers
    if found == "UploadPart" and copies:
        return "UploadPartCopy"
    if found is None or copies:
        text = f"The stand-in has no {call.method} of this kind ({mark or 'plain'})."
        raise Refusal("NotImplemented", text, 501)
    return found
