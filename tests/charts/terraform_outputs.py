"""Terraform's outputs for the charts, as `terraform test` makes them with a provider that asks nobody."""

import functools
import json
from typing import Any

from scripts import terraform

from tests.terraform.modules import ROOT

_TESTS = "tests/chart_values.tftest.hcl"


@functools.cache
def outputs() -> dict[str, Any]:
    """Outputs by name, of the run in terraform/tests/chart_values.tftest.hcl.

    Raises:
        TerraformUnavailable: Terraform or its provider cannot be had here.
        AssertionError: the run failed.
    """
    terraform.init(ROOT)
    done = terraform.run(ROOT, "test", f"-filter={_TESTS}", "-verbose", "-json")
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    # A state's line is tens of megabytes, for it holds the provider's schema.
    (state,) = [line for line in done.stdout.splitlines() if '"type":"test_state"' in line[-200:] + line[:200]]
    found = json.loads(state)["test_state"]["outputs"]
    return {name: one.get("value") for name, one in found.items()}
