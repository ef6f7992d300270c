"""What must be there before anything is built: a verdict on facts. Pure; facts.py gathers them."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from .aws import Caller
from .quotas import GPU, request

_WANTED = {
    "terraform": ((1, 11), "https://developer.hashicorp.com/terraform/install"),
    "helm": ((3, 17), "https://helm.sh/docs/intro/install"),
    "kubectl": ((1, 30), "https://kubernetes.io/docs/tasks/tools"),
    "aws": ((1, 27), "https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html"),
}
_SMALLEST_GPU = 4  # vCPUs of a g5.xlarge or g6.xlarge

ACTIONS = (
    *("ec2:CreateVpc", "ec2:CreateNatGateway", "ec2:CreateVpcEndpoint", "ec2:CreateLaunchTemplate"),
    *("eks:CreateCluster", "eks:CreateNodegroup", "eks:CreateAddon", "eks:CreatePodIdentityAssociation"),
    *("eks:CreateAccessEntry", "iam:CreateRole", "iam:PutRolePolicy", "iam:PassRole", "kms:CreateKey"),
    *("sqs:CreateQueue", "sns:CreateTopic", "s3:CreateBucket", "s3:PutBucketPolicy", "ecr:CreateRepository"),
    *("ecr:PutImage", "lambda:CreateFunction", "apigateway:POST", "logs:CreateLogGroup", "events:PutRule"),
    *("cloudwatch:PutMetricAlarm", "ssm:GetParameter"),
)
"""One of each kind that Terraform and the images need; cheap to ask IAM's simulator about."""


class Level(Enum):
    """How a prerequisite is."""

    GOOD = "good"
    WARNING = "warning"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Finding:
    """A prerequisite, how it is, and what to do about it."""

    what: str
    level: Level
    told: str
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """What was found on this machine and in the account.

    `programs`: program → what it says of its version; None if it is not there. `engines`: docker and podman → the
    version of what answers; None if nothing does. `caller`, `quotas` and `denied` are texts where AWS could not be
    asked, and the text says why.
    """

    programs: Mapping[str, str | None]
    engines: Mapping[str, str | None]
    region: str | None
    caller: Caller | str
    quotas: Mapping[str, float] | str = field(default_factory=dict)
    denied: Sequence[str] | str = ()
    unset: Sequence[str] = ()
    """Variables of terraform.tfvars that have no value yet."""


def judge(facts: Facts) -> Iterator[Finding]:
    """Every prerequisite, in the order in which people can do something about it."""
    for program, (least, where) in _WANTED.items():
        yield _program(program, facts.programs.get(program), least, where)
    yield _engine(facts.engines)
    yield from _account(facts)
    if facts.unset:
        names = ", ".join(facts.unset)
        yield Finding(
            "terraform.tfvars", Level.MISSING, f"{names}: no value", "write it there; the comments say what it is"
        )


def version(said: str) -> tuple[int, ...]:
    """The first version number in what a program says: (1, 11, 4)."""
    found = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", said)
    return tuple(int(part) for part in found.groups() if part is not None) if found else ()


def _program(name: str, said: str | None, least: tuple[int, ...], where: str) -> Finding:
    wanted = ".".join(map(str, least))
    if said is None:
        return Finding(name, Level.MISSING, "it is not on PATH", f"install {name} {wanted} or newer: {where}")
    there = version(said)
    told = ".".join(map(str, there))
    if there < least:
        return Finding(name, Level.MISSING, f"{told} is too old", f"install {name} {wanted} or newer: {where}")
    return Finding(name, Level.GOOD, told)


def _engine(engines: Mapping[str, str | None]) -> Finding:
    for name, answered in engines.items():
        if answered is not None:
            return Finding(name, Level.GOOD, answered)
    return Finding(
        "docker", Level.MISSING, "neither docker nor podman answers",
        "install and start one of them; you must be allowed to use it without sudo",
    )  # fmt: skip


def _account(facts: Facts) -> Iterator[Finding]:
    if isinstance(facts.caller, str):
        yield Finding("AWS credentials", Level.MISSING, facts.caller, "`aws sts get-caller-identity` must answer")
        return
    yield Finding("AWS credentials", Level.GOOD, f"{facts.caller.arn} in account {facts.caller.account}")
    if facts.caller.arn.endswith(":root"):
        yield Finding(
            "identity", Level.MISSING, "this is the account's root user",
            "sign in as a role or a user: root cannot be an administrator of the cluster",
        )  # fmt: skip
    yield Finding("region", Level.GOOD, str(facts.region))
    yield _permissions(facts.denied)
    yield from _quotas(facts.quotas)


def _permissions(denied: Sequence[str] | str) -> Finding:
    if isinstance(denied, str):
        return Finding(
            "permissions", Level.WARNING, f"could not be asked ({denied})", "if one is missing, Terraform says which"
        )
    if denied:
        advice = "docs/how-to/deploy.md says what is needed; an administrator can grant it"
        return Finding("permissions", Level.MISSING, f"not allowed: {', '.join(denied)}", advice)
    return Finding("permissions", Level.GOOD, f"{len(ACTIONS)} actions that stand for the others are allowed")


def _quotas(quotas: Mapping[str, float] | str) -> Iterator[Finding]:
    if isinstance(quotas, str):
        yield Finding("quotas", Level.WARNING, f"could not be asked ({quotas})")
        return
    enough = any(value >= _SMALLEST_GPU for value in quotas.values())
    for quota in GPU:
        value = quotas.get(quota.code, 0)
        told = f"{value:g} vCPUs of {quota.name} instances"
        if value >= _SMALLEST_GPU:
            yield Finding("quota", Level.GOOD, told)
            continue
        # One of both will do: a runtime that may have both takes what there is.
        level = Level.WARNING if enough else Level.MISSING
        yield Finding(
            "quota",
            level,
            f"{told}: not one GPU node",
            f"ask for more, it takes hours to days: {request(quota.code, 32)}",
        )
