"""The secrets that webhooks are signed with: one for each tenant, in SSM's Parameter Store."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from .aws import aws_call, code_of
from .standard_webhooks import read_secrets

if TYPE_CHECKING:
    from types_boto3_ssm import SSMClient

NO_TENANT = "_default"
"""The parameter's name for jobs without a tenant: no tenant can have it, for their names begin otherwise."""
_KEPT_SECONDS = 300.0


class NoSecret(Exception):
    """There is none, or it is malformed: the operator's to mend."""


class SigningSecrets:
    """Reads them, and keeps each for five minutes: a new one is in use soon after it is put there."""

    def __init__(self, client: "SSMClient", path: str, clock: Callable[[], float] = time.monotonic) -> None:
        """`path` ends with a slash; a tenant's secret is the SecureString `<path><tenant>`."""
        self._client = client
        self._path = path
        self._clock = clock
        self._known: dict[str, tuple[float, tuple[bytes, ...]]] = {}

    def of(self, tenant: str | None) -> tuple[bytes, ...]:
        """A tenant's secrets, the newest first as they stand there.

        Raises:
            NoSecret: the message names the parameter.
            Problem: SSM failed.
        """
        name = self._path + (tenant or NO_TENANT)
        until, secrets = self._known.get(name, (0.0, ()))
        if self._clock() >= until:
            try:
                secrets = read_secrets(self._read(name))
            except ValueError as error:
                raise NoSecret(f"the parameter {name}: {error}") from error
            self._known[name] = (self._clock() + _KEPT_SECONDS, secrets)
        return secrets

    def _read(self, name: str) -> str:
        with aws_call("reading a signing secret"):
            try:
                return self._client.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]
            except ClientError as error:
                if code_of(error) == "ParameterNotFound":
                    raise NoSecret(f"the parameter {name} does not exist") from error
                raise
