"""From Terraform to `make deploy`: it reads the root module's own outputs, and every example passes them on."""

import json
import os
import re
from pathlib import Path

import pytest
from scripts.image_inputs import inputs_digest
from scripts.terraform import TerraformUnavailable

from darkroom_deploy.images import wanted
from darkroom_deploy.outputs import Outputs, read_outputs

from .terraform_outputs import outputs

EXAMPLES = sorted((Path(__file__).parents[3] / "terraform" / "examples").glob("*/outputs.tf"))


@pytest.fixture(scope="module")
def given() -> Outputs:
    """What a deployment reads."""
    try:
        told = outputs()
    except TerraformUnavailable as reason:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(str(reason))
    found = read_outputs(json.dumps({name: {"value": value} for name, value in told.items()}))
    assert found is not None
    return found


def test_a_deployment_reads_the_root_modules_outputs(given: Outputs) -> None:
    """A release for each runtime, in the namespace where its role is; its quotas are asked by its instance types."""
    assert list(given.releases) == ["platform", "sdxl", "webui"]
    assert given.releases["sdxl"] == given.deployment.runtimes_namespace == "darkroom"
    webui = given.deployment.runtimes["webui"]
    assert (webui.type, webui.instance_types, webui.capacity_types) == ("sdwebui", ("g6.xlarge",), ("on-demand",))


def test_images_are_those_of_the_runtimes_types(given: Outputs) -> None:
    """And the agent's, each under a tag that changes with what it is made of."""
    images = {one.name: one for one in wanted(given)}
    assert images.keys() == {"agent", "comfyui", "sdwebui"}
    assert images["agent"].tag.endswith(f"-{inputs_digest('agent')}")
    assert images["agent"].remote == f"{given.deployment.image_repositories['agent']}:{images['agent'].tag}"


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda path: path.parent.name)
def test_every_example_passes_them_on(file: Path) -> None:
    """An installation that is begun from it has all that a deployment reads."""
    named = set(re.findall(r'^output "(\w+)"', file.read_text(), re.MULTILINE))
    assert named >= set(Outputs.__struct_fields__)
