"""An AWS account in this process for bottlerocket-snapshot: moto, and what it lacks of SSM and EC2."""

import itertools
import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.model import OperationModel
from moto import mock_aws
from moto.ec2.models import ec2_backends

from bottlerocket_snapshot import builder
from bottlerocket_snapshot.aws import Aws, open_aws
from bottlerocket_snapshot.clock import Clock
from bottlerocket_snapshot.plan import NAME, Plan, Wish, plan
from bottlerocket_snapshot.registry import resolve
from bottlerocket_snapshot.snapshots import Snapshot
from bottlerocket_snapshot.undo import Undo

ACCOUNT = "123456789012"  # moto's
REGION = "eu-west-1"
ELSEWHERE = "eu-central-1"
AT = datetime(2026, 11, 24, 12, tzinfo=UTC)
PROFILE = "darkroom-snapshot"
_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
ECR = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"

OPTIONS = ("--instance-profile", PROFILE, "--region", REGION)

type Event = Callable[[str], None]
type Run = Callable[..., tuple[str, str]]


def refusal(operation: str, code: str, message: str = "no") -> ClientError:
    """What AWS answers to what it refuses."""
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


@dataclass
class Ticking:
    """A clock whose pauses take no time; it tells how much they would have taken."""

    seconds: float = 0.0

    def pause(self, seconds: float) -> None:
        """Let so much time pass."""
        self.seconds += max(seconds, 0.001)

    @property
    def clock(self) -> Clock:
        """It, as the tool has it."""
        return Clock(lambda: AT + timedelta(seconds=self.seconds), lambda: self.seconds, self.pause)


@dataclass
class Noted:
    """A watch that writes down."""

    steps: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    fractions: list[float] = field(default_factory=list)

    def step(self, what: str) -> None:
        """See `Watch`."""
        self.steps.append(what)

    def progress(self, fraction: float) -> None:
        """See `Watch`."""
        self.fractions.append(fraction)

    def tell(self, text: str) -> None:
        """See `Watch`."""
        self.lines.append(text)


@dataclass
class World:
    """The account. `calls` are the operations that were asked for, `asked` is what each was last asked with.

    `before` and `after` run with each call.
    """

    aws: Aws
    calls: list[str] = field(default_factory=list)
    asked: dict[str, dict[str, Any]] = field(default_factory=dict)
    before: Event = lambda _call: None
    after: Event = lambda _call: None
    ami: str = ""
    subnet: str = ""
    commands: dict[str, list[str]] = field(default_factory=dict)
    looks: Counter[str] = field(default_factory=Counter)
    fails: Callable[[list[str]], str | None] = lambda _commands: None
    fast: set[tuple[str, str]] = field(default_factory=set)
    ticking: Ticking = field(default_factory=Ticking)
    noted: Noted = field(default_factory=Noted)
    _ids: Iterator[int] = field(default_factory=itertools.count)

    def left(self) -> dict[str, list[str]]:
        """What is there and costs money, or is in the way."""
        found: dict[str, list[str]] = {"fast": [f"{snapshot} {zone}" for snapshot, zone in sorted(self.fast)]}
        for region in (REGION, ELSEWHERE):
            ec2 = backend(region)
            groups = [group for some in ec2.groups.values() for group in some.values() if group.name.startswith(NAME)]
            found |= {
                f"instances {region}": [one.id for one in ec2.all_instances() if one.state != "terminated"],
                f"volumes {region}": [*ec2.volumes],
                f"groups {region}": [one.id for one in groups],
                f"snapshots {region}": [*ec2.snapshots],
            }
        return {kind: ids for kind, ids in found.items() if ids}

    def forget(self) -> None:
        """Be as in the beginning."""
        for region in (REGION, ELSEWHERE):
            ec2 = backend(region)
            for some in (ec2.volumes, ec2.snapshots, ec2.reservations):
                some.clear()
            for groups in ec2.groups.values():
                for one in [one for one in groups.values() if one.name.startswith(NAME)]:
                    del groups[one.id]
        fresh = World(self.aws)
        for name in ("before", "after", "commands", "looks", "fails", "fast", "ticking", "noted"):
            setattr(self, name, getattr(fresh, name))
        self.calls.clear()

    def answer(self, operation: str, params: dict[str, Any]) -> Any:
        """What moto lacks; None where it does not."""
        method = {
            "GetParameter": self._parameter,
            "DescribeInstanceInformation": self._online,
            "SendCommand": self._send,
            "GetCommandInvocation": self._invocation,
            "EnableFastSnapshotRestores": self._enable,
            "DisableFastSnapshotRestores": self._disable,
            "DescribeFastSnapshotRestores": self._restores,
        }.get(operation)
        return method(params) if method else None

    def _parameter(self, params: dict[str, Any]) -> Any:
        if "/0.0.0/" in params["Name"]:
            raise refusal("GetParameter", "ParameterNotFound")
        return {"Parameter": {"Name": params["Name"], "Value": self.ami}}

    def _online(self, params: dict[str, Any]) -> Any:
        [instance] = params["Filters"][0]["Values"]
        self.looks[instance] += 1
        there = [{"InstanceId": instance, "PingStatus": "Online"}] if self.looks[instance] > 1 else []
        return {"InstanceInformationList": there}

    def _send(self, params: dict[str, Any]) -> Any:
        name = f"{next(self._ids):036d}"
        self.commands[name] = params["Parameters"]["commands"]
        return {"Command": {"CommandId": name}}

    def _invocation(self, params: dict[str, Any]) -> Any:
        """It is not known at first, then it runs, then it has ended."""
        name = params["CommandId"]
        self.looks[name] += 1
        if self.looks[name] == 1:
            raise refusal("GetCommandInvocation", "InvocationDoesNotExist")
        commands = self.commands[name]
        ended = {"Status": "InProgress", "StatusDetails": "InProgress"}
        if self.looks[name] > 2:
            ended = {"Status": "Success", "StatusDetails": "Success", "StandardOutputContent": self._printed(commands)}
            if why := self.fails(commands):
                ended = {"Status": "Failed", "StatusDetails": "Failed", "StandardErrorContent": why}
        return {"CommandId": name, "Comment": "x", **ended}

    def _printed(self, commands: list[str]) -> str:
        """`ctr images check --quiet`: the names of what was pulled and tagged."""
        if "images check" not in commands[-1]:
            return ""
        lines = [line.split() for some in self.commands.values() for line in some]
        return "\n".join(line[-1] for line in lines if "--source" in line or "tag" in line)

    def _enable(self, params: dict[str, Any]) -> Any:
        zones = params["AvailabilityZones"]
        [snapshot] = params["SourceSnapshotIds"]
        good = [zone for zone in zones if zone.startswith("eu-")]
        self.fast |= {(snapshot, zone) for zone in good}
        errors = [
            {"AvailabilityZone": zone, "Error": {"Message": "no such zone"}} for zone in zones if zone not in good
        ]
        refused = [{"SnapshotId": snapshot, "FastSnapshotRestoreStateErrors": errors}] if errors else []
        return {"Successful": [], "Unsuccessful": refused}

    def _disable(self, params: dict[str, Any]) -> Any:
        self.fast -= {(one, zone) for one in params["SourceSnapshotIds"] for zone in params["AvailabilityZones"]}
        return {"Successful": [], "Unsuccessful": []}

    def _restores(self, _params: dict[str, Any]) -> Any:
        return {
            "FastSnapshotRestores": [
                {"SnapshotId": one, "AvailabilityZone": zone, "State": "enabled"} for one, zone in sorted(self.fast)
            ]
        }


def backend(region: str) -> Any:
    """Moto's own EC2, to look at it without calls."""
    return ec2_backends[ACCOUNT][region]


@contextmanager
def snapshot_world() -> Iterator[World]:
    """An account with two images in ECR, a subnet, an instance profile and an AMI of Bottlerocket."""
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
            patch.delenv(name, raising=False)
        for name, value in {"ACCESS_KEY_ID": "test", "SECRET_ACCESS_KEY": "test", "DEFAULT_REGION": REGION}.items():
            patch.setenv(f"AWS_{name}", value)
        world = World(open_aws(REGION, None))
        boto3.client("iam").create_instance_profile(InstanceProfileName=PROFILE)
        for region in (REGION, ELSEWHERE):
            backend(region).snapshots.clear()  # of moto's AMIs
        world.ami = next(iter(backend(REGION).amis))
        world.subnet = world.aws.ec2.describe_subnets()["Subnets"][0]["SubnetId"]
        for number, repository in enumerate(("darkroom/comfyui", "darkroom/agent")):
            push(world, repository, "1.2", number)
        _listen(world)
        yield world


IMAGES = (f"{ECR}/darkroom/comfyui:1.2", f"{ECR}/darkroom/agent:1.2")


def planned(world: World, *names: str, build: str = "b", **wish: Any) -> Plan:
    """A plan for these images, else for both of the account."""
    return plan(Wish(profile=PROFILE, **wish), resolve(world.aws, names or IMAGES), build, AT)


def built(world: World, *names: str, build: str = "b", **wish: Any) -> Snapshot:
    """A snapshot of these images."""
    undo = Undo(world.ticking.clock, world.noted.tell)
    made = builder.build(world.aws, planned(world, *names, build=build, **wish), world.ticking.clock, world.noted, undo)
    assert undo.left == []
    return made


def leave(world: World) -> None:
    """What a killed build might leave: a volume, a failed snapshot, a security group."""
    ec2: Any = world.aws.ec2
    tags = [{"Key": "darkroom:snapshot-build", "Value": "dead"}, {"Key": "darkroom:expires", "Value": "nonsense"}]

    def tagged(kind: str) -> list[dict[str, Any]]:
        return [{"ResourceType": kind, "Tags": tags}]

    volume = ec2.create_volume(AvailabilityZone="eu-west-1a", Size=1, TagSpecifications=tagged("volume"))["VolumeId"]
    failed = ec2.create_snapshot(VolumeId=volume, TagSpecifications=tagged("snapshot"))["SnapshotId"]
    backend(REGION).snapshots[failed].status = "error"
    ec2.create_security_group(GroupName=f"{NAME}-dead", Description="x", TagSpecifications=tagged("security-group"))


def push(world: World, repository: str, tag: str, number: int) -> str:
    """Put an image into ECR; its name."""
    ecr = world.aws.ecr_in(REGION)
    with suppress(ecr.exceptions.RepositoryAlreadyExistsException):
        ecr.create_repository(repositoryName=repository)
    layers = [
        {"digest": f"sha256:{number:064x}"}
    ]  # moto makes the image's digest of them, and its size of the config's
    manifest = {
        "schemaVersion": 2,
        "mediaType": _MANIFEST,
        "config": {"size": 5_000_000_000},
        "layers": layers,
    }
    ecr.put_image(repositoryName=repository, imageManifest=json.dumps(manifest), imageTag=tag)
    return f"{ECR}/{repository}:{tag}"


def _listen(world: World) -> None:
    """Hear of every call: note it, let the test interfere, answer what moto cannot."""
    clients: list[Any] = [world.aws.ec2, world.aws.ssm, world.aws.ecr_in(REGION), world.aws.ec2_in(ELSEWHERE)]

    def keep(params: dict[str, Any], model: OperationModel, context: dict[str, Any], **_more: Any) -> None:
        context["asked"] = world.asked[model.name] = params

    def before(model: OperationModel, context: dict[str, Any], **_more: Any) -> Any:
        call = f"{model.service_model.endpoint_prefix.removeprefix('api.')}:{model.name}"
        world.calls.append(call)
        world.before(call)
        answer = world.answer(model.name, context["asked"])
        return None if answer is None else (SimpleNamespace(status_code=200), answer)

    def after(model: OperationModel, **_more: Any) -> None:
        world.after(model.name)

    for client in clients:
        client.meta.events.register_first("before-parameter-build", keep)
        client.meta.events.register_first("before-call", before)
        client.meta.events.register_first("after-call", after)
