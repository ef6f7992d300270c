"""Named workflows in the models bucket, `workflows/<name>.json`: read, written over what was read, removed."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from .aws import aws_call
from .failures import Refused

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


@dataclass(frozen=True, slots=True)
class StoredWorkflow:
    """A workflow's file as it lies there."""

    data: bytes
    etag: str


@dataclass(frozen=True, slots=True)
class WorkflowStore:
    """The models bucket."""

    s3: "S3Client"
    bucket: str

    def read(self, name: str) -> StoredWorkflow | None:
        """A workflow, if it is there."""
        with aws_call(self._where(name)):
            try:
                found = self.s3.get_object(Bucket=self.bucket, Key=_key(name))
            except self.s3.exceptions.NoSuchKey:
                return None
            return StoredWorkflow(found["Body"].read(), found["ETag"])

    def write(self, name: str, data: bytes, over: StoredWorkflow | None) -> None:
        """Write a workflow over what was read, and over nothing else.

        Raises:
            Refused: someone has written another meanwhile.
        """
        condition: Any = {"IfNoneMatch": "*"} if over is None else {"IfMatch": over.etag}
        with aws_call(self._where(name)):
            try:
                self.s3.put_object(
                    Bucket=self.bucket, Key=_key(name), Body=data, ContentType="application/json", **condition
                )
            except ClientError as error:
                # NoSuchKey: removed meanwhile.
                code = error.response.get("Error", {}).get("Code")
                if code in {"PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey"}:
                    raise Refused(f"{name} was changed by someone else meanwhile; run it again") from error
                raise

    def remove(self, name: str) -> None:
        """Remove a workflow."""
        with aws_call(self._where(name)):
            self.s3.delete_object(Bucket=self.bucket, Key=_key(name))

    def _where(self, name: str) -> str:
        return f"s3://{self.bucket}/{_key(name)}"


def _key(name: str) -> str:
    return f"workflows/{name}.json"
