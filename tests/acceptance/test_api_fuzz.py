"""The running API against its own contract: schemathesis makes requests of api/openapi.yaml, wrong ones above all.

No request may give a server error, a status or a body that the contract does not have, or pass although it is wrong.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from darkroom_local.tether import tethered
from tests.unit.api_world import RUNTIMES, ApiWorld, api_world

CONTRACT = Path(__file__).parents[2] / "api" / "openapi.yaml"
KEY = "key-a"
schema = schemathesis.openapi.from_path(CONTRACT)


@pytest.fixture(scope="module")
def api_url() -> Iterator[str]:
    """The gateway in front of the API in front of a stand-in for AWS."""
    with api_world() as world:
        gateway = subprocess.Popen(
            tethered(sys.executable, "-m", "darkroom_local.gateway", "--keys", KEY),
            env={**os.environ, **_environment(world), "LOGLEVEL": "ERROR"},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert gateway.stdout is not None
        try:
            yield gateway.stdout.readline().strip()
        finally:
            gateway.terminate()
            gateway.wait(10)
            gateway.stdout.close()


def _environment(world: ApiWorld) -> dict[str, str]:
    settings_ = world.door.settings
    return {
        "S3_BUCKET": settings_.bucket,
        "MODELS_BUCKET": settings_.models_bucket,
        "JOBS_TOPIC_ARN": settings_.jobs_topic_arn,
        "QUEUE_URL_PREFIX": settings_.queue_url_prefix,
        "RUNTIMES": msgspec.json.encode(RUNTIMES).decode(),
    }


@schema.parametrize()
@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_the_api_keeps_its_contract(case: schemathesis.Case[Any], api_url: str) -> None:
    """Of any operation, any request. Whether a runtime exists and a workflow hangs together, no schema can say."""
    case.call_and_validate(base_url=api_url, headers={"x-api-key": KEY}, excluded_checks=[positive_data_acceptance])
