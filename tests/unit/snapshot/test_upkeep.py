"""`list`, `prune` and `cleanup`: what lies there, what is too old, what killed builds left."""

import json
from datetime import timedelta

import pytest

from bottlerocket_snapshot.failures import SnapshotError
from tests.unit.snapshot.world import IMAGES, OPTIONS, REGION, Run, World, backend, built, leave, push, refusal


def test_what_is_left_is_told_and_cleaned_up_later(world: World, run: Run) -> None:
    """`cleanup` spares what a build may still use, until its time is over."""

    def fail(call: str) -> None:
        if call in ("ec2:TerminateInstances", "ec2:StopInstances"):
            raise refusal(call, "InternalError")

    world.before = fail
    with pytest.raises(SnapshotError, match="InternalError"):
        run("build", *IMAGES, *OPTIONS)
    world.before = lambda _call: None
    assert [*world.left()] == [f"instances {REGION}", f"volumes {REGION}"]
    out, _ = run("cleanup")
    assert "nothing was left behind" in out
    world.ticking.seconds += timedelta(hours=2).total_seconds()
    shown, _ = run("cleanup", "--dry-run", "--json")
    assert [json.loads(line)["kind"] for line in shown.splitlines()] == ["instance"]
    assert f"instances {REGION}" in world.left()
    run("cleanup")
    assert world.left() == {}


def test_cleanup_finds_everything_by_its_tag(world: World, run: Run) -> None:
    """Also volumes that lost their instance, groups, and failed snapshots; never a good snapshot, never another's."""
    good = built(world).id
    leave(world)
    theirs = world.aws.ec2.create_volume(AvailabilityZone="eu-west-1a", Size=1)["VolumeId"]
    out, _ = run("cleanup")
    assert out.count("dead") >= 3
    assert world.left() == {f"volumes {REGION}": [theirs], f"snapshots {REGION}": [good]}


def test_cleanup_all_stops_builds(world: World, run: Run) -> None:
    """For somebody who knows that none is going on."""

    def fail(call: str) -> None:
        if call in ("ec2:TerminateInstances", "ec2:StopInstances"):
            raise refusal(call, "InternalError")

    world.before = fail
    with pytest.raises(SnapshotError):
        run("build", *IMAGES, *OPTIONS)
    _, err = run("cleanup", "--all", status=1)
    assert "left behind: instance" in err
    world.before = lambda _call: None
    run("cleanup", "--all")
    assert world.left() == {}


def test_a_list_shows_what_is_in_them_and_what_fast_restore_costs(world: World, run: Run) -> None:
    """The newest first; as JSON with whole names."""
    first, second = built(world, build="1"), built(world, IMAGES[0], build="2")
    backend(REGION).snapshots[first.id].start_time = "2026-11-20T12:00:00.000Z"
    backend(REGION).snapshots[second.id].start_time = "2026-11-23T11:00:00.000Z"
    world.fast = {(first.id, "eu-west-1a"), (first.id, "eu-west-1b")}
    out, _ = run("list")
    assert out.index(second.id) < out.index(first.id)
    assert "4 d" in out
    assert "25 h" in out
    assert "eu-west-1a, eu-west-1b" in " ".join(out.split())
    assert "$1,095 a month" in " ".join(out.split())
    shown, _ = run("list", "--json")
    assert [json.loads(line)["id"] for line in shown.splitlines()] == [second.id, first.id]
    assert json.loads(shown.splitlines()[1])["images"] == list(first.images)


def test_nothing_to_list_is_said(run: Run) -> None:
    """Not an empty table."""
    assert "no snapshots of images here" in run("list")[0]


def test_prune_goes_on_after_a_snapshot_that_cannot_be_deleted(world: World, run: Run) -> None:
    """One that an AMI uses is told; the others go, and the exit status says so."""
    made = [built(world, build=f"p{number}").id for number in range(4)]
    for number, one in enumerate(made):
        backend(REGION).snapshots[one].start_time = f"2026-11-2{number}T12:00:00.000Z"
    used = made[2]

    def fail(call: str) -> None:
        if call == "ec2:DeleteSnapshot" and world.asked["DeleteSnapshot"]["SnapshotId"] == used:
            raise refusal("DeleteSnapshot", "InvalidSnapshot.InUse")

    world.before = fail
    out, err = run("prune", "--keep", "1", "--yes", status=1)
    assert sorted(out.split()) == sorted(made[:2])
    assert f"{used} stays: DeleteSnapshot: InvalidSnapshot.InUse" in err
    assert "an AMI uses it" in err
    assert sorted(world.left()[f"snapshots {REGION}"]) == sorted(made[2:])


def test_prune_keeps_the_newest_of_each_family(world: World, run: Run) -> None:
    """Versions of the same repositories belong together; other repositories or architectures are others."""
    names = [push(world, "pruned", f"{number}", number) for number in range(3)]
    made = [built(world, name, build=f"p{number}").id for number, name in enumerate(names)]
    for number, one in enumerate(made):
        backend(REGION).snapshots[one].start_time = f"2026-11-2{number}T12:00:00.000Z"
    arm, other = built(world, names[0], build="arm", arch="arm64").id, built(world, IMAGES[0], build="o").id
    assert run("prune", "--keep", "1", "--dry-run")[0] == ""
    run("prune", "--keep", "1", said="n\n", status=1)
    assert len(world.left()[f"snapshots {REGION}"]) == 5
    out, _ = run("prune", "--keep", "1", "--yes")
    assert sorted(out.split()) == sorted(made[:2])
    assert sorted(world.left()[f"snapshots {REGION}"]) == sorted([made[2], arm, other])
    run("prune", "--keep", "0", status=2)
