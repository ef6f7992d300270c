"""Terraform's outputs for the charts, as `terraform test` makes them with a provider that asks nobody."""

import functools
import json
import threading
from collections.abc import Iterator, Mapping
from typing import Any

from scripts import terraform

from tests.terraform.modules import ROOT

_TESTS = "tests/chart_values.tftest.hcl"
_RUN = threading.Lock()


def state() -> dict[str, Any]:
    """The state after the run in terraform/tests/chart_values.tftest.hcl, which happens once, whoever asks first.

    Raises:
        TerraformUnavailable: Terraform or its provider cannot be had here.
        AssertionError: the run failed.
    """
    with _RUN:
        return _state()


@functools.cache
def _state() -> dict[str, Any]:
    terraform.init(ROOT)
    done = terraform.run(ROOT, "test", f"-filter={_TESTS}", "-verbose", "-json")
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    # Its line is tens of megabytes, for it holds the provider's schema: no other is looked into.
    (line,) = [one for one in done.stdout.splitlines() if '"type":"test_state"' in one[-200:] + one[:200]]
    found: dict[str, Any] = json.loads(line)["test_state"]
    return found


def outputs() -> dict[str, Any]:
    """Outputs by name."""
    return {name: one.get("value") for name, one in state()["outputs"].items()}


def resources(kind: str) -> list[dict[str, Any]]:
    """Attributes of all resources of a type, whichever module has them."""

    def inside(module: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        yield from (one["values"] for one in module.get("resources", ()) if one["type"] == kind)
        for child in module.get("child_modules", ()):
            yield from inside(child)

    return list(inside(state()["root_module"]))
