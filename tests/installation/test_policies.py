"""The applied policies of agent and Lambdas against what these really call (tests/operations.json)."""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

import pytest

from tests.operations import written

from .applied import Applied

_HERE = "us-east-1:000000000000"
_RUNTIME = "bulky"
_POLICIES = {
    "agent": f'module.agent["{_RUNTIME}"].aws_iam_role_policy.',
    "jobs": "module.jobs.module.function.aws_iam_role_policy.",
    "webhooks": "module.webhooks.module.function.aws_iam_role_policy.",
}

# What nothing of ours calls, and why it must be allowed all the same.
_WITHOUT_A_CALL = {
    ("webhooks", "sqs:GetQueueAttributes"): "Lambda's own poller asks for it",
    ("webhooks", "s3:ListBucket"): "without it S3 says 403, not 404, for what is not there",
    ("jobs", "logs:CreateLogStream"): "Lambda's runtime logs",
    ("jobs", "logs:PutLogEvents"): "Lambda's runtime logs",
    ("webhooks", "logs:CreateLogStream"): "Lambda's runtime logs",
    ("webhooks", "logs:PutLogEvents"): "Lambda's runtime logs",
    ("jobs", "xray:PutTraceSegments"): "Lambda's runtime traces",
    ("jobs", "xray:PutTelemetryRecords"): "Lambda's runtime traces",
    ("webhooks", "xray:PutTraceSegments"): "Lambda's runtime traces",
    ("webhooks", "xray:PutTelemetryRecords"): "Lambda's runtime traces",
}


@pytest.fixture(scope="module")
def policies(applied: Applied) -> dict[str, list[dict[str, Any]]]:
    """Statements of each role, as Terraform rendered them."""
    found = list(applied.policies())
    return {
        role: [one for where, policy in found if where.startswith(start) for one in policy["Statement"]]
        for role, start in _POLICIES.items()
    }


@pytest.fixture(scope="module")
def arns(applied: Applied) -> dict[str, list[str]]:
    """ARNs for each resource of operations.json."""
    outputs, models = (f"arn:aws:s3:::{bucket}" for bucket in applied.outputs["buckets"])
    queues = applied.outputs["runtimes"][_RUNTIME]
    one_each = {
        "outputs": outputs,
        "outputs/*": f"{outputs}/{_RUNTIME}/id/0-0123456789ab.png",
        "outputs/jobs/*": f"{outputs}/jobs/a/id.json",
        "outputs/jobs/*.cancel": f"{outputs}/jobs/a/id.cancel",
        "outputs/jobs/outbox/*": f"{outputs}/jobs/outbox/id.json",
        "outputs/inputs/*": f"{outputs}/inputs/acme/id.png",
        "models": models,
        "models/workflows/*": f"{models}/workflows/portrait.json",
        "webhook queue": applied.outputs["webhooks"]["queue_arn"],
        "results topic": applied.outputs["results_topic_arn"],
        "jobs topic": applied.outputs["jobs_topic_arn"],
        "webhook secret": f"arn:aws:ssm:{_HERE}:parameter/flow/webhooks/acme",
        "*": "*",
    }
    both = {"queues": [queues["queue_arn"], queues["bulk_queue_arn"]]}
    return {what: [arn] for what, arn in one_each.items()} | both


def test_what_they_call_is_allowed(policies: dict[str, list[dict[str, Any]]], arns: dict[str, list[str]]) -> None:
    """Every action that a test has seen, on the resource on which it was seen."""
    calls = [(role, action, arn) for role, action, what in sorted(written()) for arn in arns[what]]
    assert [call for call in calls if not _allowed(policies[call[0]], *call[1:])] == []


def test_what_is_allowed_is_called(policies: dict[str, list[dict[str, Any]]], arns: dict[str, list[str]]) -> None:
    """Every action of every statement, on one of its resources; what AWS needs is listed above with its reason."""
    calls = written()
    unused = []
    for role, statements in policies.items():
        assert statements, role
        for statement in (one for one in statements if one["Effect"] == "Allow"):
            for action in _listed(statement["Action"]):
                used = [arn for one in calls if one[:2] == (role, action) for arn in arns[one[2]]]
                if (
                    not any(_matches(statement, action, arn) for arn in used)
                    and (role, action) not in _WITHOUT_A_CALL
                    and not action.startswith("kms:")
                ):
                    unused.append((role, statement["Sid"], action))
    assert unused == []


def test_no_reason_is_given_for_what_is_not_allowed(policies: dict[str, list[dict[str, Any]]]) -> None:
    """The list of exceptions holds what policies have."""
    allowed = {
        (role, action) for role, statements in policies.items() for one in statements for action in _actions(one)
    }
    traced = {
        (role, action) for role, action in _WITHOUT_A_CALL if action.startswith("xray:")
    }  # the flow does not trace
    assert _WITHOUT_A_CALL.keys() - allowed - traced == set()


def _allowed(statements: list[dict[str, Any]], action: str, arn: str) -> bool:
    """As IAM decides: what one denies no other can allow."""
    effects = {one["Effect"] for one in statements if _matches(one, action, arn)}
    return effects == {"Allow"}


def _matches(statement: dict[str, Any], action: str, arn: str) -> bool:
    actions = any(fnmatchcase(action, pattern) for pattern in _listed(statement["Action"]))
    return actions and any(fnmatchcase(arn, pattern) for pattern in _listed(statement["Resource"]))


def _actions(statement: dict[str, Any]) -> Iterator[str]:
    yield from _listed(statement["Action"])


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
