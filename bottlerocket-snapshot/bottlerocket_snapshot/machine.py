"""The instance on which images are pulled: started, and stopped with a quiet volume."""

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from .aws import Aws, seen
from .clock import Clock, Deadline
from .failures import SnapshotError
from .leftovers import groups, instances, remove, sought
from .plan import NAME, Plan
from .undo import Step, Undo

if TYPE_CHECKING:
    from types_boto3_ec2.literals import ResourceTypeType
    from types_boto3_ec2.type_defs import BlockDeviceMappingTypeDef, TagSpecificationTypeDef

_LOOK = 5.0
_GROUP_SECONDS = 120.0


@dataclass(frozen=True)
class Machine:
    """A started instance, and the steps that remove it, in their order."""

    instance: str
    undo: tuple[Step, ...]


def ami(aws: Aws, plan: Plan) -> str:
    """The AMI of the wanted Bottlerocket."""
    return aws.ssm.get_parameter(Name=plan.ami_parameter)["Parameter"]["Value"]


def start(aws: Aws, plan: Plan, image: str, clock: Clock, undo: Undo) -> Machine:
    """Start the instance, in a security group of its own that lets nobody in.

    Raises:
        TimedOut: EC2 does not get to know the group.
    """
    group_step, group = _group(aws, plan, clock, undo)
    made: list[str] = []

    def terminate() -> None:
        remove(aws, "instance", made or sought(lambda: instances(aws, plan.build), clock), clock)

    step = undo.add(f"instance of build {plan.build}", terminate)
    tagged: list[ResourceTypeType] = ["instance", "volume", "network-interface"]
    start_it = partial(
        aws.ec2.run_instances,
        ImageId=image,
        InstanceType=plan.instance_type,  # type: ignore[arg-type]
        MinCount=1,
        MaxCount=1,
        IamInstanceProfile={"Name": plan.wish.profile},
        SecurityGroupIds=[group],
        UserData=plan.user_data,
        BlockDeviceMappings=_volumes(plan),
        MetadataOptions={"HttpTokens": "required", "HttpPutResponseHopLimit": 1},
        # It ends itself if the builder is gone: see guard_command.
        InstanceInitiatedShutdownBehavior="terminate",
        TagSpecifications=[_tags(plan, one) for one in tagged],
        **({"SubnetId": plan.wish.subnet} if plan.wish.subnet else {}),  # type: ignore[arg-type]
    )
    deadline = clock.deadline(_GROUP_SECONDS, f"EC2 does not know security group {group}, which it has just made")
    answer = deadline.until(lambda: seen(start_it, "InvalidGroup.NotFound"), _LOOK)
    made.append(answer["Instances"][0]["InstanceId"])
    return Machine(made[0], (step, group_step))


def stop(aws: Aws, instance: str, deadline: Deadline) -> str:
    """Stop the instance, so that all is written; its data volume.

    Raises:
        TimedOut: it does not stop.
    """

    def look() -> str | None:
        [reservation] = aws.ec2.describe_instances(InstanceIds=[instance])["Reservations"]
        [one] = reservation["Instances"]
        if one["State"]["Name"] == "terminated":
            raise SnapshotError(f"instance {instance} was terminated by somebody else")
        if one["State"]["Name"] != "stopped":
            return None
        devices = {device["DeviceName"]: device["Ebs"]["VolumeId"] for device in one["BlockDeviceMappings"]}
        return devices["/dev/xvdb"]

    aws.ec2.stop_instances(InstanceIds=[instance])
    return deadline.until(look, _LOOK)


def _group(aws: Aws, plan: Plan, clock: Clock, undo: Undo) -> tuple[Step, str]:
    subnets = [plan.wish.subnet] if plan.wish.subnet else []
    vpc = {"VpcId": aws.ec2.describe_subnets(SubnetIds=subnets)["Subnets"][0]["VpcId"]} if subnets else {}
    made: list[str] = []

    def delete() -> None:
        remove(aws, "security group", made or sought(lambda: groups(aws, plan.build), clock), clock)

    step = undo.add(f"security group of build {plan.build}", delete)
    answer = aws.ec2.create_security_group(
        GroupName=f"{NAME}-{plan.build}",
        Description="Builds a snapshot of images; lets nobody in",
        TagSpecifications=[_tags(plan, "security-group")],
        **vpc,  # type: ignore[arg-type]
    )
    made.append(answer["GroupId"])
    return step, made[0]


def _volumes(plan: Plan) -> list["BlockDeviceMappingTypeDef"]:
    """The data volume as quick as gp3 goes at no great price; it lives for minutes."""
    key = {"KmsKeyId": plan.wish.kms_key} if plan.wish.kms_key else {}
    return [
        {
            "DeviceName": "/dev/xvdb",
            "Ebs": {
                "VolumeSize": plan.volume_gib,
                "VolumeType": "gp3",
                "Iops": 4000,
                "Throughput": 1000,
                "Encrypted": True,
                "DeleteOnTermination": True,
                **key,  # type: ignore[typeddict-item]
            },
        }
    ]


def _tags(plan: Plan, kind: "ResourceTypeType") -> "TagSpecificationTypeDef":
    return {
        "ResourceType": kind,
        "Tags": [{"Key": key, "Value": value} for key, value in plan.build_tags.items()],
    }
