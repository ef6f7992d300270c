"""AWS by the caller's own credentials, for the commands that go past the API; what its refusals mean."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
)
from botocore.session import Session

from .failures import DarkroomError, NotFound, NotReachable

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

# Services have names of their own for the same: S3's, SQS's and SNS's.
_NOT_ALLOWED = frozenset({
    *("AccessDenied", "AccessDeniedException", "AuthorizationError", "Forbidden", "403"),
    *("InvalidAccessKeyId", "InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch"),
})  # fmt: skip
_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
_NOT_THERE = frozenset({
    *("NoSuchBucket", "NoSuchKey", "NoSuchUpload", "NotFound", "404"),
    *("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"),
})  # fmt: skip


def s3_client(region: str | None, connections: int = 10) -> "S3Client":
    """A client of S3, which many threads may use at once.

    Raises:
        NotReachable: there is no such profile.
    """
    # An emulator has no name for each bucket; AWS has.
    style: Literal["path", "virtual"] = "path" if os.environ.get("AWS_ENDPOINT_URL") else "virtual"
    config = Config(
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        signature_version="s3v4",
        s3={"addressing_style": style, "us_east_1_regional_endpoint": "regional"},
    )
    made: S3Client = client("s3", region or _region(), connections, config)
    return made


def client(service: str, region: str | None, connections: int = 10, config: Config | None = None) -> Any:
    """A client of any service; `config` adds to what all of them have.

    Raises:
        NotReachable: there is no such profile.
        DarkroomError: nothing says in which region.
    """
    base = Config(
        connect_timeout=10,
        read_timeout=120,
        retries={"mode": "standard", "total_max_attempts": 6},
        max_pool_connections=connections,
    )
    with aws_call("AWS"):
        return Session().create_client(service, region_name=region, config=base.merge(config) if config else base)


def _region() -> str | None:
    """S3 answers in us-east-1 for buckets of anywhere, and botocore follows its redirect."""
    return None if os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") else "us-east-1"


@contextmanager
def aws_call(what: str) -> Iterator[None]:
    """Make a failed call one of ours; `what` is what was asked for, such as a bucket and key.

    Raises:
        NotFound: it is not there.
        NotReachable: no credentials, not allowed, or no answer.
        DarkroomError: anything else, after the client's own retries.
    """
    try:
        yield
    except (NoCredentialsError, PartialCredentialsError, ProfileNotFound) as error:
        raise NotReachable(f"AWS credentials: {error}; `aws sts get-caller-identity` tells who you are") from error
    except ClientError as error:
        code, text = (error.response.get("Error", {}).get(name, "") for name in ("Code", "Message"))
        if code in _NOT_THERE:
            raise NotFound(f"{what} is not there ({code})") from error
        if code in _EXPIRED:
            raise NotReachable(f"{what}: the AWS credentials have expired; sign in again") from error
        if code in _NOT_ALLOWED:
            raise NotReachable(f"{what}: {error.operation_name} is not allowed ({code}: {text})") from error
        raise DarkroomError(f"{what}: {error.operation_name} failed ({code}: {text})") from error
    except HTTPClientError as error:
        raise NotReachable(f"{what}: {error}") from error
    except BotoCoreError as error:
        raise DarkroomError(f"{what}: {error}") from error
