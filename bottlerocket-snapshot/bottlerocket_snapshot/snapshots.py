"""Snapshots of images as EC2 tells them; which are the same, and which are too old."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from .aws import Aws, seen
from .clock import Deadline
from .failures import NotFound, SnapshotError
from .plan import ARCH, BOTTLEROCKET, IMAGES, KMS_KEY
from .watch import Watch

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import FilterTypeDef

_LOOK = 5.0


class Snapshot(Struct, frozen=True, kw_only=True):
    """A snapshot with images in it. `size_gib` is the volume's; `images` are names with digests.

    `kms_key` is the key as it was named for the build or the copy; empty where none was.
    """

    id: str
    state: str
    done: float
    started_at: datetime
    size_gib: int
    arch: str
    bottlerocket: str
    fingerprint: str
    images: tuple[str, ...]
    kms_key: str = ""
    why: str = ""

    @property
    def family(self) -> tuple[str, ...]:
        """What newer snapshots of the same share: architecture and repositories."""
        return (self.arch, *sorted({_repository(one) for one in self.images}))


def listed(aws: Aws, *filters: "FilterTypeDef") -> tuple[Snapshot, ...]:
    """Snapshots of images in this region that the account owns, the newest first."""
    wanted: list[FilterTypeDef] = [{"Name": "tag-key", "Values": [IMAGES]}, *filters]
    pages = aws.ec2.get_paginator("describe_snapshots").paginate(OwnerIds=["self"], Filters=wanted)
    found = (_snapshot(one) for page in pages for one in page["Snapshots"])
    return tuple(sorted(found, key=lambda one: (one.started_at, one.id), reverse=True))


def same(
    aws: Aws, fingerprint: str, bottlerocket: str, kms_key: str | None = None, size_gib: int | None = None
) -> Snapshot | None:
    """The newest completed snapshot with just these images of this Bottlerocket, and of this key and size if given."""
    wanted: list[FilterTypeDef] = [
        {"Name": f"tag:{IMAGES}", "Values": [fingerprint]},
        {"Name": "status", "Values": ["completed"]},
    ]
    fit = (
        one
        for one in listed(aws, *wanted)
        if one.bottlerocket == bottlerocket and kms_key in (None, one.kms_key) and size_gib in (None, one.size_gib)
    )
    return next(fit, None)


def named(aws: Aws, snapshot: str) -> Snapshot:
    """The snapshot of this id.

    Raises:
        NotFound: there is none, or it holds no images of ours.
    """
    found = listed(aws, {"Name": "snapshot-id", "Values": [snapshot]})
    if not found:
        raise NotFound(f"{snapshot} is no snapshot of images in {aws.region}; `bottlerocket-snapshot list` shows those")
    return found[0]


def wait_completed(aws: Aws, snapshot: str, deadline: Deadline, watch: Watch) -> Snapshot:
    """Wait until a snapshot is complete.

    Raises:
        SnapshotError: it failed.
        TimedOut: it took too long.
    """
    was_there = False

    def look() -> Snapshot | None:
        nonlocal was_there
        missing = "" if was_there else "InvalidSnapshot.NotFound"
        answer = seen(lambda: aws.ec2.describe_snapshots(SnapshotIds=[snapshot]), missing)
        was_there = answer is not None
        for one in map(_snapshot, answer["Snapshots"] if answer else ()):
            if one.state in ("error", "recoverable"):
                raise SnapshotError(f"snapshot {one.id}: {one.state} {one.why}".strip())
            watch.progress(one.done)
            if one.state == "completed":
                return one
        return None

    return deadline.until(look, _LOOK)


def superfluous(found: Iterable[Snapshot], keep: int) -> tuple[Snapshot, ...]:
    """Completed snapshots beyond the newest `keep` of each family."""
    seen: dict[tuple[str, ...], int] = {}
    over = []
    for one in sorted(found, key=lambda one: (one.started_at, one.id), reverse=True):
        if one.state == "completed":
            seen[one.family] = seen.get(one.family, 0) + 1
            if seen[one.family] > keep:
                over.append(one)
    return tuple(over)


def _snapshot(raw: Mapping[str, Any]) -> Snapshot:
    tags = {tag["Key"]: tag["Value"] for tag in raw.get("Tags", ())}
    percent = str(raw.get("Progress") or "").removesuffix("%")
    done = int(percent) / 100 if percent.isdigit() else 0.0
    return Snapshot(
        id=raw["SnapshotId"],
        state=raw["State"],
        done=1.0 if raw["State"] == "completed" else done,
        started_at=raw["StartTime"],
        size_gib=raw["VolumeSize"],
        arch=tags.get(ARCH, ""),
        bottlerocket=tags.get(BOTTLEROCKET, ""),
        fingerprint=tags.get(IMAGES, ""),
        images=tuple(_images(tags)),
        kms_key=tags.get(KMS_KEY, ""),
        why=raw.get("StateMessage", ""),
    )


def _images(tags: Mapping[str, str]) -> Iterator[str]:
    numbered = {key.removeprefix("darkroom:image-"): value for key, value in tags.items()}
    yield from (numbered[key] for key in sorted((key for key in numbered if key.isdigit()), key=int))


def _repository(name: str) -> str:
    """`registry/repository` of a name with tag and digest; a registry may have a port."""
    rest = name.partition("@")[0]
    head, _, last = rest.rpartition("/")
    return f"{head}/{last.partition(':')[0]}"
