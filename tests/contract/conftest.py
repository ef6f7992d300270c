"""The two that are held to the contract of AWS: the stand-in and the emulator, with real clients."""

import itertools
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import pytest
from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession, get_session

from darkroom_local.emulator import CREDENTIALS
from tests.standin import standin

if TYPE_CHECKING:
    from types_aiobotocore_s3 import S3Client
    from types_aiobotocore_sns import SNSClient
    from types_aiobotocore_sqs import SQSClient

_numbers = itertools.count()


@dataclass(frozen=True, slots=True)
class Aws:
    """One of the two at `url`."""

    kind: Literal["standin", "emulator"]
    url: str
    session: AioSession
    request: pytest.FixtureRequest

    def name(self) -> str:
        """A name for a queue, topic or bucket that nobody else has."""
        return f"t{next(_numbers)}-{uuid.uuid4().hex[:8]}"

    def emulator_differs(self, why: str) -> None:
        """Say that LocalStack does not do as AWS does: there the test has to fail."""
        if self.kind == "emulator":
            self.request.applymarker(pytest.mark.xfail(reason=f"LocalStack 4.14.0: {why}", strict=True))

    @asynccontextmanager
    async def client(self, service: str, **options: Any) -> AsyncIterator[Any]:
        """A client that tries once."""
        once = {"mode": "standard", "total_max_attempts": 1}
        config = AioConfig(retries=once, s3={"addressing_style": "path"}, **options)
        async with self.session.create_client(
            service,  # type: ignore[call-overload]
            endpoint_url=self.url,
            region_name=CREDENTIALS["AWS_DEFAULT_REGION"],
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
            config=config,
        ) as client:
            yield client


@pytest.fixture(scope="session")
def aws_session() -> AioSession:
    """Loads each service's model once."""
    return get_session()


@pytest.fixture(params=["standin", "emulator"])
async def aws(request: pytest.FixtureRequest, aws_session: AioSession) -> AsyncIterator[Aws]:
    """Each of the two in turn."""
    if request.param == "emulator":
        yield Aws("emulator", request.getfixturevalue("emulator").url, aws_session, request)
        return
    async with standin() as running:
        yield Aws("standin", running.url, aws_session, request)


@pytest.fixture
async def sqs(aws: Aws) -> "AsyncIterator[SQSClient]":
    """A client of SQS."""
    async with aws.client("sqs") as client:
        yield client


@pytest.fixture
async def sns(aws: Aws) -> "AsyncIterator[SNSClient]":
    """A client of SNS."""
    async with aws.client("sns") as client:
        yield client


@pytest.fixture
async def s3(aws: Aws) -> "AsyncIterator[S3Client]":
    """A client of S3."""
    async with aws.client("s3") as client:
        yield client
