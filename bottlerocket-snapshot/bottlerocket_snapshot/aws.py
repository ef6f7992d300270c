"""The clients of AWS, and what a refusal of AWS means."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    UnknownRegionError,
)

from .failures import NotAllowed, NotFound, Refused, SnapshotError

if TYPE_CHECKING:
    from types_boto3_ec2.client import EC2Client
    from types_boto3_ecr.client import ECRClient
    from types_boto3_ssm.client import SSMClient

_NOT_ALLOWED = frozenset({
    *("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthFailure", "OptInRequired"),
    *("InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch", "ExpiredToken", "RequestExpired"),
    *("ExpiredTokenException", "Blocked"),
})  # fmt: skip
_NOT_FOUND = frozenset({"InvalidSnapshot.NotFound", "ImageNotFoundException", "RepositoryNotFoundException"})

# What to do about the refusals that people meet.
_ADVICE = {
    "ImageNotFoundException": "push it first; from a pull-through cache, pull it once",
    "RepositoryNotFoundException": "is it in this account and region? From a pull-through cache, pull it once",
    "ParameterNotFound": "there is no such Bottlerocket: look at --kubernetes, --bottlerocket, --arch and --region",
    "InsufficientInstanceCapacity": "name another --subnet (its zone has none left) or another --instance-type",
    "Unsupported": "name another --subnet (its zone lacks that type) or another --instance-type",
    "VcpuLimitExceeded": "ask for a higher quota, or name a smaller --instance-type",
    "VPCIdNotSpecified": "there is no default VPC: name a --subnet",
    "MissingInput": "there is no default VPC: name a --subnet",
    "InvalidSnapshot.InUse": "an AMI uses it",
    "SnapshotCreationPerVolumeRateExceeded": "try again in a minute",
}


@dataclass(frozen=True)
class Aws:
    """The clients of one region, and how to get those of others."""

    region: str
    partition: str
    ec2: "EC2Client"
    ssm: "SSMClient"
    ecr_in: Callable[[str], "ECRClient"]
    ec2_in: Callable[[str], "EC2Client"]
    partition_of: Callable[[str], str]

    def at(self, region: str) -> "Aws":
        """The same account in another region, for EC2."""
        return replace(self, region=region, partition=self.partition_of(region), ec2=self.ec2_in(region))

    def check_regions(self, regions: Iterable[str]) -> None:
        """See that regions are of the same partition.

        Raises:
            Refused: one is not, or there is no such region.
        """
        for one in regions:
            try:
                partition = self.partition_of(one)
            except UnknownRegionError:
                raise Refused(f"there is no region {one!r}") from None
            if partition != self.partition:
                raise Refused(
                    f"{self.region} is in partition {self.partition}, {one} in {partition}: they share nothing"
                )


def open_aws(region: str | None, profile: str | None) -> Aws:
    """Clients with the caller's own credentials.

    Raises:
        NotAllowed: there is no such profile.
        Refused: nothing says in which region.
    """
    config = Config(connect_timeout=10, read_timeout=60, retries={"mode": "standard", "total_max_attempts": 8})
    with aws_call():
        session = boto3.Session(profile_name=profile, region_name=region)
        if not session.region_name:
            raise Refused("no region: give --region or set AWS_REGION")

        @cache
        def ec2_in(one: str) -> "EC2Client":
            return session.client("ec2", region_name=one, config=config)

        @cache
        def ecr_in(one: str) -> "ECRClient":
            return session.client("ecr", region_name=one, config=config)

        here: str = session.region_name
        ssm = session.client("ssm", region_name=here, config=config)
        partition_of = session.get_partition_for_region
        return Aws(here, partition_of(here), ec2_in(here), ssm, ecr_in, ec2_in, partition_of)


@contextmanager
def aws_call() -> Iterator[None]:
    """Make what AWS refuses one of our failures.

    Raises:
        NotAllowed: no credentials, or not enough of them.
        NotFound: it is not there.
        SnapshotError: anything else, after the client's own tries.
    """
    try:
        yield
    except (NoCredentialsError, PartialCredentialsError, ProfileNotFound) as error:
        raise NotAllowed(f"AWS credentials: {error}; `aws sts get-caller-identity` tells who you are") from error
    except NoRegionError as error:
        raise Refused("no region: give --region or set AWS_REGION") from error
    except ClientError as error:
        raise _failure(error) from error
    except BotoCoreError as error:
        raise SnapshotError(str(error)) from error


def code(error: ClientError) -> str:
    """What AWS calls it."""
    return str(error.response.get("Error", {}).get("Code", ""))


def seen[T](call: Callable[[], T], missing: str) -> T | None:
    """What a call answers; None where it is refused as `missing`: EC2 knows what was just made after a moment only."""
    try:
        return call()
    except ClientError as error:
        if code(error) != missing:
            raise
        return None


def _failure(error: ClientError) -> SnapshotError:
    name, text = code(error), error.response.get("Error", {}).get("Message", "")
    message = f"{error.operation_name}: {name}: {text}"
    if name in _NOT_ALLOWED:
        return NotAllowed(
            f"{message}; `aws sts get-caller-identity` tells who you are, docs/how-to/image-cache.md what it takes"
        )
    if advice := _ADVICE.get(name):
        message += f"; {advice}"
    return NotFound(message) if name in _NOT_FOUND else SnapshotError(message)
