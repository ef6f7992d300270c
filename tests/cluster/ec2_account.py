"""What Terraform makes of an account for Karpenter, on the emulator: network, role, queue; and AWS's own images."""

import json
from dataclasses import dataclass
from typing import Any

from darkroom_local.topology import aws_client

from .ec2_proxy import PARAMETERS

CLUSTER = "darkroom"
ROLE = f"{CLUSTER}-node"


@dataclass(frozen=True, slots=True)
class Account:
    """What a test asks for later."""

    interruption_queue: str
    images: dict[str, str]
    """`<variant>/<arch>` of Bottlerocket → image id."""


async def make_account(endpoint: str, kubernetes: str, bottlerocket: str) -> Account:
    """Make it all.

    Args:
        endpoint: of the emulator.
        kubernetes: version, as `1.35`.
        bottlerocket: version, as `1.50.0`.
    """
    async with (
        aws_client("ec2", endpoint) as ec2,
        aws_client("iam", endpoint) as iam,
        aws_client("ssm", endpoint) as ssm,
        aws_client("sqs", endpoint) as sqs,
    ):
        await _network(ec2)
        trust = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        await iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=policy)
        images = await _images(ec2, ssm, kubernetes, bottlerocket)
        queue = (await sqs.create_queue(QueueName=CLUSTER))["QueueUrl"]
        return Account(queue, images)


async def _network(ec2: Any) -> None:
    vpc = (await ec2.create_vpc(CidrBlock="10.77.0.0/16"))["Vpc"]["VpcId"]
    for number, zone in enumerate(("us-east-1a", "us-east-1b")):
        block = f"10.77.{number}.0/24"
        await ec2.create_subnet(VpcId=vpc, CidrBlock=block, AvailabilityZone=zone, TagSpecifications=_tags("subnet"))
    tags = _tags("security-group")
    await ec2.create_security_group(GroupName=ROLE, Description="nodes", VpcId=vpc, TagSpecifications=tags)


def _tags(kind: str) -> list[dict[str, Any]]:
    return [{"ResourceType": kind, "Tags": [{"Key": "karpenter.sh/discovery", "Value": CLUSTER}]}]


async def _images(ec2: Any, ssm: Any, kubernetes: str, bottlerocket: str) -> dict[str, str]:
    """Images by which Karpenter resolves an alias. A copy of a seeded one: RegisterImage forgets the architecture."""
    made = {}
    for arch in ("x86_64", "arm64"):
        found = await ec2.describe_images(Filters=[{"Name": "architecture", "Values": [arch]}])
        for variant in ("", "-nvidia"):
            name = f"bottlerocket-aws-k8s-{kubernetes}{variant}-{arch}-v{bottlerocket}"
            source = found["Images"][0]["ImageId"]
            copy = await ec2.copy_image(Name=name, SourceImageId=source, SourceRegion="us-east-1")
            path = f"{PARAMETERS}/aws/service/bottlerocket/aws-k8s-{kubernetes}{variant}/{arch}/{bottlerocket}/image_id"
            await ssm.put_parameter(Name=path, Value=copy["ImageId"], Type="String")
            made[f"{variant.removeprefix('-')}/{arch}"] = copy["ImageId"]
    return made
