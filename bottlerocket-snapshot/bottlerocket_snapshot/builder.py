"""The life of a build: an instance starts, pulls images, stops; its data volume becomes a snapshot; all else goes."""

from .aws import Aws
from .clock import Clock, Deadline
from .commands import check_commands, guard_command, missing, prepare_commands, pull_commands
from .failures import SnapshotError
from .leftovers import remove, snapshots, sought
from .machine import ami, start, stop
from .plan import Plan
from .remote import ended, run, send, wait_online
from .snapshots import Snapshot, wait_completed
from .undo import Undo
from .watch import Watch

_ONLINE_SECONDS = 600.0
_PREPARE_SECONDS = 300.0
_STOP_SECONDS = 600.0
_GUARD_SECONDS = 600  # after the build's own end
_LOOK = 3.0

_NOT_ONLINE = (
    "the instance does not reach SSM: its subnet needs a way to ssm, ssmmessages, ec2messages and ecr (NAT gateway, "
    "public address or VPC endpoints), its role AmazonSSMManagedInstanceCore and the right to pull "
    "bottlerocket-control and bottlerocket-admin; the nvidia variant needs an instance type with a GPU"
)


def build(aws: Aws, plan: Plan, clock: Clock, watch: Watch, undo: Undo) -> Snapshot:
    """Build the snapshot. Whatever happens, nothing else is left, or `undo.left` says what.

    Raises:
        SnapshotError: the instance or a pull failed.
        TimedOut: a step, or all of them, took too long.
        ClientError: AWS refused.
        KeyboardInterrupt: it was told to stop.
    """
    seconds = plan.wish.timeout.total_seconds()
    deadline = clock.deadline(seconds, f"the build is not done after {seconds / 60:.0f} minutes (--timeout)")
    with undo:
        watch.step("looking up Bottlerocket's AMI")
        image = ami(aws, plan)
        watch.step(f"starting {plan.instance_type} with {plan.volume_gib} GiB")
        machine = start(aws, plan, image, clock, undo)
        wait_online(aws, machine.instance, deadline.sooner(_ONLINE_SECONDS, _NOT_ONLINE))
        send(aws, machine.instance, guard_command(int(seconds) + _GUARD_SECONDS), seconds + 2 * _GUARD_SECONDS, "end")
        _fill(aws, machine.instance, plan, deadline, watch)
        watch.step("stopping the instance")
        volume = stop(aws, machine.instance, deadline.sooner(_STOP_SECONDS, "the instance does not stop"))
        made: list[str] = []

        def delete() -> None:
            remove(aws, "snapshot", made or sought(lambda: snapshots(aws, plan.build), clock), clock)

        step = undo.add(f"snapshot of build {plan.build}", delete)
        made.append(_snapshot(aws, plan, volume))
        watch.step("removing the instance")  # a snapshot needs its volume only to begin
        for one in machine.undo:
            undo.remove(one)
        watch.step(f"waiting for {made[0]}")
        done = wait_completed(aws, made[0], deadline, watch)
        undo.keep(step)
    return done


def _fill(aws: Aws, instance: str, plan: Plan, deadline: Deadline, watch: Watch) -> None:
    """Pull the images, some at a time, and see that they are there."""
    prepared = deadline.sooner(_PREPARE_SECONDS, "Bottlerocket's admin container does not come up")
    run(aws, instance, prepare_commands(), prepared, "stop kubelet")
    watch.step(f"pulling {len(plan.images)} image{'s' if len(plan.images) > 1 else ''}")
    weight = {one: one.size or 1 for one in plan.images}
    running = {send(aws, instance, pull_commands(one), deadline.left(), one.names[0]): one for one in plan.images}

    def look() -> bool | None:
        for command, one in list(running.items()):
            if ended(aws, instance, command) is not None:
                del running[command]
                watch.tell(f"pulled {one.names[0]}")
        watch.progress(1 - sum(weight[one] for one in running.values()) / sum(weight.values()))
        return None if running else True

    deadline.until(look, _LOOK)
    printed = run(aws, instance, check_commands(), deadline, "check images")
    if absent := missing(plan.images, printed):
        raise SnapshotError(f"{', '.join(absent)}: pulled, but not whole on the volume")


def _snapshot(aws: Aws, plan: Plan, volume: str) -> str:
    answer = aws.ec2.create_snapshot(
        VolumeId=volume,
        Description=f"{len(plan.images)} container images for Bottlerocket nodes ({plan.wish.arch})",
        TagSpecifications=[
            {
                "ResourceType": "snapshot",
                "Tags": [{"Key": key, "Value": value} for key, value in plan.snapshot_tags.items()],
            }
        ],
    )
    return answer["SnapshotId"]
