"""SSM's parameters as webhooks rely on them (AWS Systems Manager API reference)."""

import pytest
from botocore.exceptions import ClientError

from .conftest import Aws


async def test_a_secret_is_put_and_read(aws: Aws) -> None:
    """A SecureString is read in clear; a missing one is ParameterNotFound; one that is there is kept."""
    name = f"/{aws.name()}/default"
    async with aws.client("ssm") as ssm:
        with pytest.raises(ClientError) as missing:
            await ssm.get_parameter(Name=name, WithDecryption=True)
        assert missing.value.response["Error"]["Code"] == "ParameterNotFound"
        await ssm.put_parameter(Name=name, Value="whsec_x", Type="SecureString")
        found = (await ssm.get_parameter(Name=name, WithDecryption=True))["Parameter"]
        assert (found["Type"], found["Value"]) == ("SecureString", "whsec_x")
        with pytest.raises(ClientError) as there:
            await ssm.put_parameter(Name=name, Value="other", Type="SecureString")
        assert there.value.response["Error"]["Code"] == "ParameterAlreadyExists"
        await ssm.put_parameter(Name=name, Value="other", Type="SecureString", Overwrite=True)
        assert (await ssm.get_parameter(Name=name, WithDecryption=True))["Parameter"]["Value"] == "other"
