"""AWS clients, and what their errors mean: the one place that knows botocore's exceptions."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import aiohttp
from aiobotocore.config import AioConfig
from botocore.exceptions import BotoCoreError, ClientError

from .errors import ServiceUnavailable


def client_config(endpoint_url: str | None, retries: int) -> AioConfig:
    """How every client talks: its own retries for what passes by itself, and nothing computed twice."""
    return AioConfig(
        retries={"mode": "standard", "max_attempts": retries},
        connect_timeout=5,
        read_timeout=30,
        max_pool_connections=64,
        tcp_keepalive=True,
        # Given whole: botocore would otherwise put its own together again for every call.
        user_agent="darkroom-agent",
        # TLS and S3's ETag guard the bytes already; artifacts carry their own SHA-256 in the job document.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        s3={"payload_signing_enabled": False, "addressing_style": "path" if endpoint_url else "auto"},
    )


def code_of(error: ClientError) -> str:
    """The error code of an answer, such as `NoSuchKey`."""
    details: Any = error.response.get("Error", {})
    return str(details.get("Code", ""))


def status_of(error: ClientError) -> int:
    """The HTTP status of an answer."""
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


@contextmanager
def aws_call(what: str) -> Iterator[None]:
    """Make every failure of an AWS call a failure of ours; callers catch before it what they can use themselves.

    Raises:
        ServiceUnavailable: the call failed beyond the client's own retries, for whatever reason. Also a missing bucket
            or permission is one: it is the operator's to mend, and no job must be lost by it.
    """
    try:
        yield
    except ClientError as error:
        message = error.response.get("Error", {}).get("Message", "")
        raise ServiceUnavailable(f"{what}: {code_of(error)} {message}".rstrip()) from error
    except (BotoCoreError, aiohttp.ClientError, OSError, TimeoutError) as error:
        raise ServiceUnavailable(f"{what}: {str(error) or type(error).__name__}") from error
