"""`bottlerocket-snapshot`'s commands against moto: what they print, ask, refuse, and may do."""

import json
import re
import signal
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from bottlerocket_snapshot import main
from bottlerocket_snapshot.failures import NotFound, Refused, SnapshotError
from bottlerocket_snapshot.fast_restore import price
from bottlerocket_snapshot.plan import BOTTLEROCKET_VERSION
from tests.unit.snapshot_world import (
    ELSEWHERE,
    IMAGES,
    PROFILE,
    REGION,
    World,
    backend,
    built,
    leave,
    push,
    refusal,
    snapshot_world,
)

_ROOT = Path(__file__).parents[2]
_OPTIONS = ("--instance-profile", PROFILE, "--region", REGION)

type Run = Callable[..., tuple[str, str]]


@pytest.fixture(scope="module")
def account() -> Iterator[World]:
    with snapshot_world() as world:
        yield world


@pytest.fixture
def world(account: World) -> World:
    account.forget()
    return account


@pytest.fixture
def run(world: World, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command: its stdout and stderr. A failure of ours is raised, as it would end the process."""
    monkeypatch.setattr(main, "open_aws", lambda _region, _profile: world.aws)
    monkeypatch.setattr(main, "Clock", lambda: world.ticking.clock)

    def go(*arguments: str, status: int = 0, said: str | None = None) -> tuple[str, str]:
        result = CliRunner().invoke(main.app, arguments, input=said)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == status, result.output
        return result.stdout, result.stderr

    return go


def test_a_build_prints_its_snapshots_id(world: World, run: Run) -> None:
    """And nothing else on stdout; steps are told on stderr."""
    out, err = run("build", *IMAGES, *_OPTIONS)
    assert world.left() == {f"snapshots {REGION}": [out.strip()]}
    assert "starting m6i.2xlarge with 46 GiB" in err
    assert f"pulled {IMAGES[0]}" in err


def test_the_same_images_again_start_nothing(world: World, run: Run) -> None:
    """The snapshot that has them is it; other images, another architecture or --force build one."""
    first, _ = run("build", *IMAGES, *_OPTIONS)
    world.calls.clear()
    again, err = run("build", *reversed(IMAGES), *_OPTIONS)
    assert again == first
    assert "nothing starts" in err
    assert [call for call in world.calls if not call.startswith(("ec2:Describe", "ecr:"))] == []
    others = [run("build", IMAGES[0], *_OPTIONS), run("build", *IMAGES, "--arch", "arm64", *_OPTIONS)]
    others.append(run("build", *IMAGES, "--force", *_OPTIONS))
    assert len({first, *(out for out, _ in others)}) == 4


def test_a_tag_that_moved_is_another_image(world: World, run: Run) -> None:
    """Digests say what is the same, not tags."""
    name = push(world, "moving", "1", 100)
    first, _ = run("build", name, *_OPTIONS)
    push(world, "moving", "1", 101)
    second, _ = run("build", name, *_OPTIONS)
    assert first != second


def test_values_are_the_runtime_charts(run: Run) -> None:
    """As a file for `helm --values`, with keys that the chart has; images are pulled on its nodes' Bottlerocket."""
    out, _ = run("build", *IMAGES, *_OPTIONS, "--print-values")
    cache = yaml.safe_load(out)["imageCache"]
    assert cache["mode"] == "snapshot"
    assert cache["snapshotID"].startswith("snap-")
    chart = yaml.safe_load((_ROOT / "charts/runtime/values.yaml").read_text())
    assert cache.keys() <= chart["imageCache"].keys()
    assert chart["nodes"]["bottlerocketVersion"] == f"v{BOTTLEROCKET_VERSION}"


def test_a_dry_run_starts_nothing(world: World, run: Run) -> None:
    """It shows images with digests, the instance, and the volume."""
    out, _ = run("build", *IMAGES, *_OPTIONS, "--dry-run")
    assert "m6i.2xlarge" in out
    assert "46 GiB" in out
    assert "sha256:" in out
    assert world.left() == {}


def test_ctrl_c_leaves_nothing_and_says_so(world: World, run: Run) -> None:
    """With the status that shells give to what was interrupted."""

    def stop(call: str) -> None:
        if call == "ec2:StopInstances":
            signal.raise_signal(signal.SIGINT)

    world.before = stop
    _, err = run("build", *IMAGES, *_OPTIONS, status=130)
    assert "nothing was left behind" in err
    assert world.left() == {}


def test_what_is_left_is_told_and_cleaned_up_later(world: World, run: Run) -> None:
    """`cleanup` spares what a build may still use, until its time is over."""

    def fail(call: str) -> None:
        if call in ("ec2:TerminateInstances", "ec2:StopInstances"):
            raise refusal(call, "InternalError")

    world.before = fail
    with pytest.raises(SnapshotError, match="InternalError"):
        run("build", *IMAGES, *_OPTIONS)
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
        run("build", *IMAGES, *_OPTIONS)
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


def test_a_copy_has_the_same_tags_elsewhere(world: World, run: Run) -> None:
    """Encrypted again, and once only."""
    source = built(world)
    out, _ = run("copy", source.id, "--to", ELSEWHERE, "--kms-key", "alias/there", "--print-values")
    made = yaml.safe_load(out)["imageCache"]["snapshotID"]
    assert world.left() == {f"snapshots {REGION}": [source.id], f"snapshots {ELSEWHERE}": [made]}
    assert world.asked["CopySnapshot"]["KmsKeyId"] == "alias/there"
    again, err = run("copy", source.id, "--to", ELSEWHERE)
    assert again.strip() == made
    assert "has these images already" in err


@pytest.mark.parametrize(
    ("to", "why"),
    [(REGION, "in eu-west-1 already"), ("cn-north-1", "cn-north-1 in aws-cn"), ("mars-1", "no region 'mars-1'")],
)
def test_a_copy_to_nowhere_is_refused(world: World, run: Run, to: str, why: str) -> None:
    """Partitions share nothing."""
    with pytest.raises(Refused, match=why):
        run("copy", built(world).id, "--to", to)


def test_fast_restore_shows_its_price_before_it_is_on(world: World, run: Run) -> None:
    """It is off after a no, and can be switched off."""
    made = built(world).id
    _, err = run("fast-restore", made, "--zone", "eu-west-1a", said="n\n", status=1)
    assert "$0.75 an hour" in err
    assert world.fast == set()
    run("fast-restore", made, "--zone", "eu-west-1a", "--zone", "eu-west-1b", "--yes")
    assert world.fast == {(made, "eu-west-1a"), (made, "eu-west-1b")}
    run("fast-restore", made, "--zone", "eu-west-1a", "--off")
    assert world.fast == {(made, "eu-west-1b")}


def test_fast_restore_is_on_in_all_zones_or_in_none(world: World, run: Run) -> None:
    """A zone that refuses is named."""
    made = built(world).id
    with pytest.raises(SnapshotError, match="us-east-1a: no such zone"):
        run("fast-restore", made, "--zone", "eu-west-1a", "--zone", "us-east-1a", "--yes")
    assert world.fast == set()


def test_a_build_with_fast_restore_asks_before_anything_starts(world: World, run: Run) -> None:
    """And then switches it on."""
    run("build", *IMAGES, *_OPTIONS, "--fast-restore", "eu-west-1a", said="n\n", status=1)
    assert world.left() == {}
    out, _ = run("build", *IMAGES, *_OPTIONS, "--fast-restore", "eu-west-1a", "--yes")
    assert world.fast == {(out.strip(), "eu-west-1a")}


@pytest.mark.parametrize(
    ("arguments", "kind", "why"),
    [
        (("build", f"{IMAGES[0]}9", *_OPTIONS), NotFound, "ImageNotFoundException.*push it first"),
        (("build", IMAGES[0].replace("comfyui", "x"), *_OPTIONS), NotFound, "RepositoryNotFound"),
        (("build", "docker.io/library/python:3", *_OPTIONS), Refused, "sha256"),
        (("build", *IMAGES, *_OPTIONS, "--also-in", "cn-north-1"), Refused, "partition"),
        (("build", *IMAGES, *_OPTIONS, "--bottlerocket", "0.0.0"), SnapshotError, "no such Bottlerocket"),
        (("copy", "snap-0", "--to", ELSEWHERE), NotFound, "snap-0 is no snapshot of images in eu-west-1"),
        (("fast-restore", "snap-0", "--zone", "eu-west-1a"), NotFound, "snap-0"),
    ],
)
def test_what_cannot_be_is_told_with_what_to_do(
    world: World, run: Run, arguments: tuple[str, ...], kind: type[SnapshotError], why: str
) -> None:
    """And nothing is left of it."""
    with pytest.raises(kind, match=why):
        run(*arguments)
    assert world.left() == {}


def test_no_dollars_are_promised_in_china() -> None:
    """Other partitions have prices of their own."""
    assert "$" not in price("aws-cn", 2)
    assert "$1.50" in price("aws", 2)


def test_the_builders_policy_allows_what_is_called_and_nothing_else(world: World, run: Run) -> None:
    """Operations of all commands, and what EC2 asks for besides."""
    leave(world)
    world.calls.clear()
    out, _ = run("build", *IMAGES, *_OPTIONS, "--subnet", world.subnet, "--fast-restore", "eu-west-1a", "--yes")
    run("list")
    run("copy", out.strip(), "--to", ELSEWHERE)
    run("fast-restore", out.strip(), "--zone", "eu-west-1a", "--off")
    run("cleanup")
    implied = {"ec2:CreateTags", "iam:PassRole"}  # of RunInstances and what makes tagged things
    text = (_ROOT / "terraform/modules/snapshot/builder.tf").read_text()
    creating = re.search(r"creating = \[(.*?)\]", text)
    assert creating is not None
    allowed = {*re.findall(r'"((?:ec2|ssm|ecr|iam):[A-Z]\w+)"', text)} - {
        "ec2:CreateAction",
        "iam:PassedToService",
    }  # keys of conditions
    allowed |= {f"ec2:{action}" for action in re.findall(r"\w+", creating[1])}
    assert {*world.calls} | implied == allowed
