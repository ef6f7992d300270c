"""`bottlerocket-snapshot`: container images in an EBS snapshot, from which nodes start with nothing to pull.

It works with your own AWS credentials, in the region of `--region` or `AWS_REGION`.

Exit status:

- 0: all is well
- 1: AWS or the instance failed, or something could not be removed
- 2: an argument is wrong
- 3: no credentials, or they do not allow it
- 4: there is no such image or snapshot
- 5: it took too long
- 130: it was stopped, and has removed what it made
"""

import sys
import uuid
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Any

import msgspec
import typer
from rich.console import Console, RenderableType
from rich.text import Text

from . import builder, copying, fast_restore, leftovers, snapshots
from . import options as opt
from .aws import Aws, aws_call, open_aws
from .clock import Clock
from .failures import SnapshotError
from .plan import BOTTLEROCKET_VERSION, KUBERNETES_VERSION, Wish, plan
from .registry import check_architecture, resolve
from .screen import errors, making, tell_failure
from .show import leftover_table, plain, plan_table, snapshot_table, values
from .snapshots import Snapshot

app = typer.Typer(help=__doc__, no_args_is_help=True, rich_markup_mode="markdown", pretty_exceptions_enable=False)
console = Console()


@app.command()
def build(
    images: opt.Images,
    instance_profile: opt.InstanceProfile,
    subnet: opt.Subnet = None,
    arch: opt.ArchOption = "x86_64",
    gpu: opt.Gpu = False,
    kubernetes: opt.Kubernetes = KUBERNETES_VERSION,
    bottlerocket: opt.Bottlerocket = BOTTLEROCKET_VERSION,
    instance_type: opt.InstanceType = None,
    volume_size: opt.VolumeSize = None,
    also_in: opt.AlsoIn = None,
    kms_key: opt.KmsKey = None,
    zones: opt.FastRestore = None,
    timeout: opt.BuildMinutes = 90,
    force: opt.Force = False,
    dry_run: opt.DryRun = False,
    print_values: opt.PrintValues = False,
    yes: opt.Yes = False,
    region: opt.Region = None,
    profile: opt.Profile = None,
) -> None:
    """Build a snapshot with these images; prints its id.

    An instance starts, pulls the images, stops; its data volume becomes the snapshot. All else is removed, whatever
    happens. Where a snapshot has the same images of the same Bottlerocket already it is taken, and nothing starts; with
    `--kms-key` or `--volume-size` only one of that key or size.

        bottlerocket-snapshot build 123456789012.dkr.ecr.eu-west-1.amazonaws.com/darkroom/comfyui:1.2
        bottlerocket-snapshot build $IMAGES --arch arm64 --print-values > image-cache.yaml
    """
    wish = Wish(
        profile=instance_profile,
        arch=arch,
        variant="gpu" if gpu else "cpu",
        kubernetes=kubernetes,
        bottlerocket=bottlerocket,
        instance_type=instance_type,
        volume_gib=volume_size,
        subnet=subnet,
        kms_key=kms_key,
        timeout=timedelta(minutes=timeout),
    )
    clock, aws = Clock(), open_aws(region, profile)
    with aws_call():
        aws.check_regions(also_in or ())
        made = plan(wish, resolve(aws, images, also_in or ()), _new_id(), clock.now())
        found = None if force else snapshots.same(aws, made.fingerprint, made.bottlerocket, kms_key, volume_size)
        if found is None:
            check_architecture(aws, made.images, arch)
        if dry_run:
            console.print(plan_table(made))
        if found is not None:
            errors.print(f"{found.id} has these images already: nothing starts", highlight=False)
        if dry_run:
            return
        new_zones = _agreed_zones(aws, found, zones or (), yes=yes)
        if found is None:
            with making(clock) as (screen, undo):
                found = builder.build(aws, made, clock, screen, undo)
        _told(found, print_values=print_values)
        _switch_on(aws, found.id, new_zones, clock)


@app.command("list")
def list_snapshots(as_json: opt.AsJson = False, region: opt.Region = None, profile: opt.Profile = None) -> None:
    """Show the snapshots of images in a region, and what their fast restore costs."""
    aws = open_aws(region, profile)
    with aws_call():
        found, zones = snapshots.listed(aws), fast_restore.zones(aws)
    _tell(found, snapshot_table(found, zones, aws.partition, Clock().now()), as_json=as_json)


@app.command()
def prune(
    keep: opt.Keep,
    dry_run: opt.DryRun = False,
    yes: opt.Yes = False,
    region: opt.Region = None,
    profile: opt.Profile = None,
) -> None:
    """Delete old snapshots; the newest stay.

    Snapshots belong together if they hold the same repositories for the same architecture. Nodes that run do not
    need theirs any more; releases that name a deleted one start no new nodes.

        bottlerocket-snapshot prune --keep 3
    """
    clock, aws = Clock(), open_aws(region, profile)
    with aws_call():
        old = snapshots.superfluous(snapshots.listed(aws), keep)
        errors.print(
            snapshot_table(old, fast_restore.zones(aws), aws.partition, clock.now()) if old else "nothing to delete"
        )
        if old and not dry_run:
            _ask(f"delete {len(old)} snapshot{'s' if len(old) > 1 else ''}?", yes=yes)
            _delete(aws, [one.id for one in old], clock)


@app.command()
def copy(
    snapshot: opt.SnapshotId,
    to: opt.To,
    force: opt.ForceCopy = False,
    kms_key: opt.KmsKey = None,
    timeout: opt.CopyMinutes = 240,
    print_values: opt.PrintValues = False,
    region: opt.Region = None,
    profile: opt.Profile = None,
) -> None:
    """Copy a snapshot to another region; prints the id that it has there.

    Where one like it is there already that is taken. Its images keep their names: releases over there name the
    registry of this region, unless the snapshot was built with `--also-in`.
    """
    clock, here = Clock(), open_aws(region, profile)
    with aws_call():
        here.check_regions([to])
        with making(clock) as (screen, undo):
            made = copying.copy(
                here, here.at(to), snapshot, kms_key, _new_id(), timeout * 60, clock, screen, undo, force=force
            )
        _told(made, print_values=print_values)


@app.command("fast-restore")
def fast_restore_command(
    snapshot: opt.SnapshotId,
    zones: opt.FastZones,
    off: opt.Off = False,
    yes: opt.Yes = False,
    region: opt.Region = None,
    profile: opt.Profile = None,
) -> None:
    """Switch fast snapshot restore of a snapshot on or off; its price is shown first.

    Volumes are quick from their first read on then. It takes about an hour for each TiB until it is on.
    """
    aws = open_aws(region, profile)
    with aws_call():
        found = snapshots.named(aws, snapshot)
        if off:
            fast_restore.switch_off(aws, found.id, zones)
        else:
            _switch_on(aws, found.id, _agreed_zones(aws, found, zones, yes=yes), Clock())


@app.command()
def cleanup(
    everything: opt.All = False,
    dry_run: opt.DryRun = False,
    as_json: opt.AsJson = False,
    region: opt.Region = None,
    profile: opt.Profile = None,
) -> None:
    """Remove what killed builds left behind: instances, volumes, security groups, failed snapshots.

    A build that is going on is left alone, until its time is over. Good for a daily schedule.
    """
    clock, aws = Clock(), open_aws(region, profile)
    with aws_call():
        found = leftovers.find(aws)
    chosen = found if everything else leftovers.abandoned(found, clock.now())
    _tell(chosen, leftover_table(chosen, clock.now()), as_json=as_json)
    if dry_run:
        return
    with making(clock) as (screen, undo), undo:
        for one in reversed(chosen):  # the first is undone last: groups after the instances in them
            undo.add(f"{one.kind} {one.id}", partial(leftovers.remove, aws, one.kind, [one.id], clock))
        if chosen:
            screen.step(f"removing {len(chosen)}")


def _delete(aws: Aws, snapshots: Sequence[str], clock: Clock) -> None:
    """Delete snapshots; one that cannot be deleted is told, and keeps no other.

    Raises:
        typer.Exit: there was one.
    """
    stay = []
    for one in snapshots:
        try:
            with aws_call():
                leftovers.remove(aws, "snapshot", [one], clock)
        except SnapshotError as error:
            stay.append(one)
            errors.print(Text(plain(f"{one} stays: {error}")), soft_wrap=True)
        else:
            typer.echo(one)
    if stay:
        raise typer.Exit(1)


def _switch_on(aws: Aws, snapshot: str, zones: Sequence[str], clock: Clock) -> None:
    if not zones:
        return
    with making(clock) as (screen, undo):
        screen.step(f"switching on fast snapshot restore in {', '.join(zones)}")
        fast_restore.switch_on(aws, snapshot, zones, undo)


def _agreed_zones(aws: Aws, found: Snapshot | None, zones: Sequence[str], *, yes: bool) -> tuple[str, ...]:
    """Zones in which fast restore is to be switched on: its price was agreed to."""
    new = fast_restore.off_in(aws, found.id, zones) if found is not None else tuple(dict.fromkeys(zones))
    if new:
        errors.print(f"fast snapshot restore: {fast_restore.price(aws.partition, len(new))}", highlight=False)
        _ask("switch it on?", yes=yes)
    elif zones:
        errors.print("fast snapshot restore is on there already", highlight=False)
    return new


def _ask(question: str, *, yes: bool) -> None:
    if not yes and not typer.confirm(question, err=True):
        raise typer.Exit(1)


def _told(made: Snapshot, *, print_values: bool) -> None:
    typer.echo(values(made) if print_values else made.id, nl=not print_values)


def _tell(found: Sequence[Any], shown: RenderableType, *, as_json: bool) -> None:
    if not as_json:
        console.print(shown, highlight=False)
        return
    for one in found:
        typer.echo(msgspec.json.encode(one))


def _new_id() -> str:
    return uuid.uuid4().hex[:12]


def main() -> None:
    """Run the command; what went wrong is said in one line, and in the exit status."""
    try:
        app()
    except SnapshotError as error:
        tell_failure(error)
        sys.exit(error.exit_status)


if __name__ == "__main__":
    main()
