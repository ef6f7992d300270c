"""Apply tests/installation/flow to an emulator, plan it again, and destroy it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from scripts import terraform

from darkroom_local.emulator import Emulator
from darkroom_local.topology import RuntimeQueues, RuntimeSpec, Topology, WebhookQueue

SERVICES = ("sqs", "sns", "s3", "ssm", "sts", "iam", "apigateway", "logs", "events", "kms", "cloudwatch")
SPECS = (RuntimeSpec("bulky", "comfyui", bulk=True, checkpoints=("sharp",)), RuntimeSpec("sd", "sdwebui"))

_FLOW = Path(__file__).parent / "flow"
# All but the functions and what needs one: an emulator without containers has none.
_TARGETS = (
    *(f"module.{name}" for name in ("messaging", "storage", "agent", "keda", "key", "api", "observability")),
    "module.snapshot",
    "module.jobs.aws_cloudwatch_event_rule.sweep",
    "module.webhooks.aws_sns_topic_subscription.this",
    *(
        f"module.{name}.module.function.{kind}.this"
        for name in ("jobs", "webhooks")
        for kind in ("aws_iam_role_policy", "aws_cloudwatch_log_group")
    ),
)


@dataclass(frozen=True)
class Applied:
    """What was applied, where, and the state that tells of it."""

    emulator: Emulator
    state: Path

    @cached_property
    def outputs(self) -> dict[str, Any]:
        """Outputs by name."""
        return {name: one["value"] for name, one in json.loads(self.state.read_text())["outputs"].items()}

    @cached_property
    def topology(self) -> Topology:
        """Topics, queues and buckets, as the local twin tells them."""
        queues = self.outputs["runtimes"]
        prefix = queues[SPECS[0].name]["queue_url"].removesuffix(SPECS[0].name)
        return Topology(
            self.outputs["jobs_topic_arn"],
            self.outputs["results_topic_arn"],
            self.outputs["buckets"][0],
            self.outputs["buckets"][1],
            prefix,
            tuple(
                RuntimeQueues(
                    spec,
                    queues[spec.name]["queue_url"],
                    queues[spec.name]["dlq_url"],
                    queues[spec.name]["bulk_queue_url"],
                )
                for spec in SPECS
            ),
            # Its secrets are put there by the operator.
            WebhookQueue(
                self.outputs["webhooks"]["queue_url"],
                self.outputs["webhooks"]["queue_arn"],
                self.outputs["webhooks"]["dlq_url"],
                self.outputs["webhooks"]["secrets_path"],
                secret="",
            ),
        )

    def managed(self, kind: str) -> list[dict[str, Any]]:
        """The attributes of every resource of a type."""
        resources = json.loads(self.state.read_text())["resources"]
        found = [one for one in resources if one["mode"] == "managed" and one["type"] == kind]
        return [instance["attributes"] for one in found for instance in one["instances"]]

    def policies(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Every policy of the state: the resource's address and attribute, and the policy."""
        for resource in json.loads(self.state.read_text())["resources"]:
            for instance in resource["instances"] if resource["mode"] == "managed" else ():
                for name, value in instance["attributes"].items():
                    if isinstance(value, str) and value.startswith("{") and '"Statement"' in value:
                        where = f"{resource.get('module', '')}.{resource['type']}.{resource['name']}.{name}"
                        yield where, json.loads(value)

    def terraform(self, *arguments: str) -> tuple[int, str]:
        """Run Terraform on this state: status, and what it said."""
        environ = {**self.emulator.environment, "AWS_REGION": self.emulator.environment["AWS_DEFAULT_REGION"]}
        words = [*arguments, "-no-color", "-input=false", f"-state={self.state}", "-var=lambda_zip=main.tf"]
        done = terraform.run(_FLOW, *words, environ=environ)
        return done.returncode, done.stdout + done.stderr

    def plan(self) -> tuple[int, str]:
        """Plan again: status 0 if nothing is to change, 2 if something is."""
        return self.terraform("plan", "-detailed-exitcode", *(f"-target={target}" for target in _TARGETS))


def apply(aws: Emulator, state: Path) -> Applied:
    """Apply the flow.

    Raises:
        TerraformUnavailable: Terraform or its provider cannot be had here.
        AssertionError: it does not apply.
    """
    made = Applied(aws, state)
    terraform.init(_FLOW)
    # Queues take 25 s each to settle: all at once.
    words = ("apply", "-auto-approve", "-parallelism=40")
    status, said = made.terraform(*words, *(f"-target={target}" for target in _TARGETS))
    assert status == 0, said
    return made
