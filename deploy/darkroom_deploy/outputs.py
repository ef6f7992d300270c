"""What Terraform says of an installation, as later steps need it. Parsed once, here."""

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from .failures import Refused


class Runtime(msgspec.Struct, frozen=True):
    """A runtime, as `runtimes` of the root module names it."""

    type: str
    instance_types: tuple[str, ...] = ()
    capacity_types: tuple[str, ...] = ()
    max_replicas: int = 1


class Deployment(msgspec.Struct, frozen=True):
    """The output `deployment`."""

    region: str
    cluster_name: str
    platform_namespace: str
    runtimes_namespace: str
    models_bucket: str
    api_endpoint: str
    image_repositories: dict[str, str]
    runtimes: dict[str, Runtime]


class Outputs(msgspec.Struct, frozen=True):
    """All outputs that a deployment goes on with; values are YAML, for Helm."""

    deployment: Deployment
    platform_values: str
    runtime_values: dict[str, str]
    cli_config: str
    api_keys: dict[str, str] = {}

    @property
    def releases(self) -> dict[str, str]:
        """Release → namespace: the platform first, for the others need it."""
        here = self.deployment
        return {"platform": here.platform_namespace} | dict.fromkeys(self.runtime_values, here.runtimes_namespace)

    def values(self, release: str) -> str:
        """Terraform's values for a release."""
        return self.platform_values if release == "platform" else self.runtime_values[release]


def read_outputs(said: str) -> Outputs | None:
    """What `terraform output -json` said; None before the first apply.

    Raises:
        Refused: the installation's main.tf has not the outputs that it should have.
    """
    told: Mapping[str, Any] = json.loads(said or "{}")
    if not told:
        return None
    try:
        return msgspec.convert({name: one["value"] for name, one in told.items()}, Outputs)
    except msgspec.ValidationError as error:
        raise Refused(
            f"outputs of main.tf: {error}; take outputs.tf from terraform/examples/minimal, then apply again"
        ) from error


def placeholders() -> Outputs:
    """What a dry run shows before anything is there."""
    there = Deployment(
        region="REGION",
        cluster_name="CLUSTER",
        platform_namespace="darkroom-system",
        runtimes_namespace="darkroom",
        models_bucket="MODELS",
        api_endpoint="https://API",
        image_repositories={"agent": "REGISTRY/darkroom/agent", "comfyui": "REGISTRY/darkroom/comfyui"},
        runtimes={"RUNTIME": Runtime("comfyui")},
    )
    values = json.dumps(
        {
            "runtime": {"type": "comfyui", "image": {"repository": there.image_repositories["comfyui"]}},
            "agent": {"image": {"repository": there.image_repositories["agent"]}},
        }
    )
    return Outputs(there, "{}", {"RUNTIME": values}, "")
