"""Fast snapshot restore: volumes of a snapshot are quick from their first read, for a price by the hour.

States and limits: https://docs.aws.amazon.com/ebs/latest/userguide/ebs-fast-snapshot-restore.html
"""

from collections.abc import Sequence

from .aws import Aws
from .failures import SnapshotError
from .undo import Undo

# A snapshot in a zone for an hour, us-east-1, least one hour:
# https://docs.aws.amazon.com/whitepapers/latest/how-aws-pricing-works/amazon-ebs.html
DOLLARS_AN_HOUR = 0.75
_HOURS_A_MONTH = 730


def price(partition: str, zones: int) -> str:
    """What one snapshot in so many zones costs, in words."""
    if partition != "aws":
        return "billed by the hour for each zone until it is switched off; the price is in your region's EBS price list"
    hour = DOLLARS_AN_HOUR * zones
    return (
        f"{zones} {'zones' if zones > 1 else 'zone'} × ${DOLLARS_AN_HOUR} an hour = ${hour:.2f} an hour, "
        f"${hour * _HOURS_A_MONTH:,.0f} a month until it is switched off (us-east-1's price; others differ)"
    )


def zones(aws: Aws) -> dict[str, tuple[str, ...]]:
    """Snapshot → zones in which it is switched on, or is being."""
    found: dict[str, list[str]] = {}
    for page in aws.ec2.get_paginator("describe_fast_snapshot_restores").paginate(
        Filters=[{"Name": "state", "Values": ["enabling", "optimizing", "enabled"]}]
    ):
        for one in page["FastSnapshotRestores"]:
            found.setdefault(one["SnapshotId"], []).append(one["AvailabilityZone"])
    return {snapshot: tuple(sorted(names)) for snapshot, names in found.items()}


def off_in(aws: Aws, snapshot: str, names: Sequence[str]) -> tuple[str, ...]:
    """Those of these zones in which it is not on: the others are paid for already, and no undo may touch them."""
    on = zones(aws).get(snapshot, ())
    return tuple(one for one in dict.fromkeys(names) if one not in on)


def switch_on(aws: Aws, snapshot: str, names: Sequence[str], undo: Undo) -> None:
    """Switch it on in these zones, in all of them or in none; it is off in each (`off_in`).

    It takes about an hour for each TiB.

    Raises:
        SnapshotError: a zone refuses.
    """
    with undo:
        step = undo.add(f"fast restore of {snapshot}", lambda: switch_off(aws, snapshot, names))
        answer = aws.ec2.enable_fast_snapshot_restores(AvailabilityZones=list(names), SourceSnapshotIds=[snapshot])
        _check(answer.get("Unsuccessful", ()))
        undo.keep(step)


def switch_off(aws: Aws, snapshot: str, names: Sequence[str]) -> None:
    """Switch it off in these zones.

    Raises:
        SnapshotError: a zone refuses.
    """
    answer = aws.ec2.disable_fast_snapshot_restores(AvailabilityZones=list(names), SourceSnapshotIds=[snapshot])
    _check(answer.get("Unsuccessful", ()))


def _check(refused: Sequence[object]) -> None:
    whys = [
        f"{one.get('AvailabilityZone')}: {one.get('Error', {}).get('Message')}"
        for item in refused
        if isinstance(item, dict)
        for one in item.get("FastSnapshotRestoreStateErrors", ())
    ]
    if refused:
        raise SnapshotError("fast snapshot restore: " + ("; ".join(whys) or "refused"))
