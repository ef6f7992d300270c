"""AWS clients by botocore alone, and what their failures mean to a caller."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

import structlog
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import Session

from .problems import Problem

if TYPE_CHECKING:
    from types_boto3_cloudwatch import CloudWatchClient
    from types_boto3_s3 import S3Client
    from types_boto3_sns import SNSClient
    from types_boto3_sqs import SQSClient
    from types_boto3_ssm import SSMClient

log = structlog.get_logger()


class Clients:
    """One client a service. What every request needs is made at once, so that it is part of the Lambda's start."""

    def __init__(self) -> None:
        self._session = Session()
        self.s3: S3Client = self._client("s3")
        self.sns: SNSClient = self._client("sns")
        self.sqs: SQSClient = self._client("sqs")
        self._cloudwatch: CloudWatchClient | None = None
        self._ssm: SSMClient | None = None

    @property
    def cloudwatch(self) -> "CloudWatchClient":
        """Only a list of runtimes needs it."""
        if self._cloudwatch is None:
            self._cloudwatch = self._client("cloudwatch")
        return self._cloudwatch

    @property
    def ssm(self) -> "SSMClient":
        """Only webhooks need it."""
        if self._ssm is None:
            self._ssm = self._client("ssm")
        return self._ssm

    def _client(self, service: str) -> Any:
        # An emulator has no name for each bucket; AWS has.
        style: Literal["path", "virtual"] = "path" if os.environ.get("AWS_ENDPOINT_URL") else "virtual"
        config = Config(
            connect_timeout=2,
            read_timeout=5,
            retries={"mode": "standard", "max_attempts": 3},
            max_pool_connections=64,
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            signature_version="s3v4" if service == "s3" else None,
            s3={"addressing_style": style, "us_east_1_regional_endpoint": "regional"},
        )
        return self._session.create_client(service, config=config)


def code_of(error: ClientError) -> str:
    """The error code of an answer, such as `NoSuchKey`."""
    return str(error.response.get("Error", {}).get("Code", ""))


def status_of(error: ClientError) -> int:
    """The HTTP status of an answer."""
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


@contextmanager
def aws_call(what: str) -> Iterator[None]:
    """Make a failed call a problem that a client may try again; the reason is the operator's, and goes to the log.

    Raises:
        Problem: 503, after the client's own retries.
    """
    try:
        yield
    except (ClientError, BotoCoreError, OSError) as error:
        log.error("aws call failed", call=what, reason=str(error))
        raise Problem(
            503, "service-unavailable", f"{what} failed; nothing is lost, try again", headers={"Retry-After": "5"}
        ) from error
