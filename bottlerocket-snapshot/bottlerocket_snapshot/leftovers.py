"""What builds made beside snapshots: found by its tag, and removed."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from botocore.exceptions import ClientError
from msgspec import Struct

from .aws import Aws, code
from .clock import Clock
from .plan import BUILD, EXPIRES

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import FilterTypeDef

type Kind = Literal["instance", "volume", "security group", "snapshot"]

_TERMINATION_SECONDS = 900.0
_LOOK = 5.0
_LIVING = ["pending", "running", "stopping", "stopped", "shutting-down"]


class Leftover(Struct, frozen=True, kw_only=True):
    """A thing that a build made; `expires` is when that build must be over."""

    kind: Kind
    id: str
    build: str
    expires: datetime | None


def find(aws: Aws) -> tuple[Leftover, ...]:
    """All that builds left or still use, in the order in which it can be removed. Snapshots only if they failed."""
    return (*instances(aws), *volumes(aws), *groups(aws), *snapshots(aws, state="error"))


def abandoned(found: Iterable[Leftover], at: datetime) -> tuple[Leftover, ...]:
    """What no build can need any more."""
    return tuple(one for one in found if one.expires is None or one.expires <= at)


def instances(aws: Aws, build: str | None = None) -> Iterator[Leftover]:
    """Instances that are not terminated yet; of one build, or of all."""
    filters = [*_tagged(build), {"Name": "instance-state-name", "Values": _LIVING}]
    for page in aws.ec2.get_paginator("describe_instances").paginate(Filters=filters):  # type: ignore[arg-type]
        for one in (machine for reservation in page["Reservations"] for machine in reservation.get("Instances", ())):
            yield _leftover("instance", one["InstanceId"], one)


def volumes(aws: Aws, build: str | None = None) -> Iterator[Leftover]:
    """Volumes that no instance has: those of an instance go with it."""
    filters = [*_tagged(build), {"Name": "status", "Values": ["available", "error"]}]
    for page in aws.ec2.get_paginator("describe_volumes").paginate(Filters=filters):  # type: ignore[arg-type]
        yield from (_leftover("volume", one["VolumeId"], one) for one in page["Volumes"])


def groups(aws: Aws, build: str | None = None) -> Iterator[Leftover]:
    """Security groups."""
    for page in aws.ec2.get_paginator("describe_security_groups").paginate(Filters=_tagged(build)):
        yield from (_leftover("security group", one["GroupId"], one) for one in page["SecurityGroups"])


def snapshots(aws: Aws, build: str | None = None, state: str | None = None) -> Iterator[Leftover]:
    """Snapshots, in any state or in this one."""
    filters = [*_tagged(build), *([{"Name": "status", "Values": [state]}] if state else [])]
    for page in aws.ec2.get_paginator("describe_snapshots").paginate(OwnerIds=["self"], Filters=filters):  # type: ignore[arg-type]
        yield from (_leftover("snapshot", one["SnapshotId"], one) for one in page["Snapshots"])


def sought(found: Callable[[], Iterable[Leftover]], clock: Clock) -> list[str]:
    """Ids of what was just made, if it was: EC2 shows new things after a moment only."""
    ids: list[str] = []
    for attempt in range(3):
        if attempt:
            clock.pause(2.0)
        if ids := [one.id for one in found()]:
            break
    return ids


def remove(aws: Aws, kind: Kind, ids: Sequence[str], clock: Clock) -> None:
    """Remove things of a kind; what is gone already is fine.

    Raises:
        ClientError: it cannot be removed, or not yet.
        TimedOut: an instance does not end.
    """
    if kind == "instance":
        _terminate(aws, ids, clock)
        return
    for one in ids:
        try:
            if kind == "volume":
                aws.ec2.delete_volume(VolumeId=one)
            elif kind == "security group":
                aws.ec2.delete_security_group(GroupId=one)
            else:
                aws.ec2.delete_snapshot(SnapshotId=one)
        except ClientError as error:
            if not code(error).endswith(".NotFound"):
                raise


def _terminate(aws: Aws, ids: Sequence[str], clock: Clock) -> None:
    """Terminate instances and wait until they are: before that, they hold their security group.

    EC2 may not know yet what it has just started, so that it says "not found" does not mean that there is nothing.
    """

    def look() -> bool | None:
        reservations = aws.ec2.describe_instances(InstanceIds=ids)["Reservations"]
        states = [one["State"]["Name"] for reservation in reservations for one in reservation["Instances"]]
        return True if all(state == "terminated" for state in states) else None

    if ids:
        aws.ec2.terminate_instances(InstanceIds=ids)
        clock.deadline(_TERMINATION_SECONDS, f"instance {', '.join(ids)} does not end").until(look, _LOOK)


def _tagged(build: str | None) -> list["FilterTypeDef"]:
    return [{"Name": f"tag:{BUILD}", "Values": [build]} if build else {"Name": "tag-key", "Values": [BUILD]}]


def _leftover(kind: Kind, name: str, described: Mapping[str, Any]) -> Leftover:
    tags = {tag["Key"]: tag["Value"] for tag in described.get("Tags", ())}
    try:
        expires = datetime.fromisoformat(tags.get(EXPIRES, ""))
    except ValueError:  # somebody wrote there
        expires = None
    if expires is not None and expires.tzinfo is None:
        expires = None
    return Leftover(kind=kind, id=name, build=tags.get(BUILD, ""), expires=expires)
