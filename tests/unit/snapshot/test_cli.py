"""`bottlerocket-snapshot`'s commands against moto: what they print, ask, refuse, and may do."""

import json
import re
import signal
from pathlib import Path

import pytest
import yaml

from bottlerocket_snapshot import main
from bottlerocket_snapshot.failures import NotAllowed, NotFound, Refused, SnapshotError
from bottlerocket_snapshot.fast_restore import price
from bottlerocket_snapshot.plan import BOTTLEROCKET_VERSION
from tests.unit.snapshot.world import ELSEWHERE, IMAGES, OPTIONS, REGION, Run, World, built, leave, push, refusal

_ROOT = Path(__file__).parents[3]


def test_a_build_prints_its_snapshots_id(world: World, run: Run) -> None:
    """And nothing else on stdout; steps are told on stderr."""
    out, err = run("build", *IMAGES, *OPTIONS)
    assert world.left() == {f"snapshots {REGION}": [out.strip()]}
    assert "starting m6i.2xlarge with 46 GiB" in err
    assert f"pulled {IMAGES[0]}" in err


def test_the_same_images_again_start_nothing(world: World, run: Run) -> None:
    """The snapshot that has them is it; other images, another architecture or --force build one."""
    first, _ = run("build", *IMAGES, *OPTIONS)
    world.calls.clear()
    again, err = run("build", *reversed(IMAGES), *OPTIONS)
    assert again == first
    assert "nothing starts" in err
    assert [call for call in world.calls if not call.startswith(("ec2:Describe", "ecr:"))] == []
    others = [run("build", IMAGES[0], *OPTIONS), run("build", *IMAGES, "--arch", "arm64", *OPTIONS)]
    others.append(run("build", *IMAGES, "--force", *OPTIONS))
    assert len({first, *(out for out, _ in others)}) == 4


def test_the_same_images_with_another_key_size_or_bottlerocket_are_built(world: World, run: Run) -> None:
    """What was asked for is what one gets; asked for again, it is there."""
    wishes = [("--kms-key", "alias/ours"), ("--volume-size", "99"), ("--bottlerocket", "v1.40.0")]
    made = [run("build", *IMAGES, *OPTIONS, *wish)[0] for wish in [(), *wishes]]
    assert len({*made}) == 4
    again = [run("build", *IMAGES, *OPTIONS, *wish)[0] for wish in wishes]
    assert again == made[1:]
    there = [run("copy", made[1].strip(), "--to", ELSEWHERE, *more)[0] for more in ((), ("--kms-key", "alias/there"))]
    assert there[0] != there[1]
    assert run("copy", made[1].strip(), "--to", ELSEWHERE, "--kms-key", "alias/there")[0] == there[1]
    assert run("copy", made[1].strip(), "--to", ELSEWHERE, "--force")[0] not in there
    assert len(world.left()[f"snapshots {ELSEWHERE}"]) == 3


@pytest.mark.parametrize(
    ("platforms", "arch", "fits"),
    [
        (("amd64", "arm64", "unknown"), "arm64", True),
        (("amd64", "unknown"), "arm64", False),
        (("arm64",), "x86_64", False),
        ((), "arm64", True),
    ],
)
def test_an_image_of_another_architecture_starts_nothing(
    world: World, run: Run, monkeypatch: pytest.MonkeyPatch, platforms: tuple[str, ...], arch: str, *, fits: bool
) -> None:
    """An image with a list of platforms is asked for the nodes'; one without is left to the pull."""
    manifest = json.dumps(
        {"manifests": [{"platform": {"architecture": one}} for one in platforms]} if platforms else {}
    )
    answer = world.answer
    told = {"images": [{"imageManifest": manifest}]}
    monkeypatch.setattr(world, "answer", lambda name, asked: told if name == "BatchGetImage" else answer(name, asked))
    if fits:
        run("build", *IMAGES, *OPTIONS, "--arch", arch)
        return
    with pytest.raises(Refused, match=rf"agent:1\.2 is for {platforms[0]}, not for"):
        run("build", *IMAGES, *OPTIONS, "--arch", arch)
    assert world.left() == {}
    assert not [call for call in world.calls if call.startswith("ec2:") and "Describe" not in call]


def test_a_tag_that_moved_is_another_image(world: World, run: Run) -> None:
    """Digests say what is the same, not tags."""
    name = push(world, "moving", "1", 100)
    first, _ = run("build", name, *OPTIONS)
    push(world, "moving", "1", 101)
    second, _ = run("build", name, *OPTIONS)
    assert first != second


def test_values_are_the_runtime_charts(run: Run) -> None:
    """As a file for `helm --values`, with keys that the chart has; images are pulled on its nodes' Bottlerocket."""
    out, _ = run("build", *IMAGES, *OPTIONS, "--print-values")
    cache = yaml.safe_load(out)["imageCache"]
    assert cache["mode"] == "snapshot"
    assert cache["snapshotID"].startswith("snap-")
    chart = yaml.safe_load((_ROOT / "charts/runtime/values.yaml").read_text())
    assert cache.keys() <= chart["imageCache"].keys()
    assert chart["nodes"]["bottlerocketVersion"] == f"v{BOTTLEROCKET_VERSION}"


def test_a_dry_run_starts_nothing(world: World, run: Run) -> None:
    """It shows images with digests, the instance, and the volume."""
    out, _ = run("build", *IMAGES, *OPTIONS, "--dry-run")
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
    _, err = run("build", *IMAGES, *OPTIONS, status=130)
    assert "nothing was left behind" in err
    assert world.left() == {}


def test_ctrl_c_with_something_left_is_a_failure(world: World, run: Run) -> None:
    """Scripts must not take it for nothing: it costs money."""

    def stop(call: str) -> None:
        if call == "ec2:StopInstances":
            signal.raise_signal(signal.SIGINT)
        if call == "ec2:TerminateInstances":
            raise refusal(call, "OperationNotPermitted")

    world.before = stop
    _, err = run("build", *IMAGES, *OPTIONS, status=1)
    assert "left behind: instance" in err


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


def test_fast_restore_leaves_zones_alone_in_which_it_was_on(world: World, run: Run) -> None:
    """They are not priced again, and stay on where a new zone refuses."""
    made = built(world).id
    world.fast = {(made, "eu-west-1a")}
    _, err = run("fast-restore", made, "--zone", "eu-west-1a", said="n\n")
    assert "on there already" in err
    with pytest.raises(SnapshotError, match="us-east-1a: no such zone"):
        run("fast-restore", made, "--zone", "eu-west-1a", "--zone", "us-east-1a", "--yes")
    assert world.fast == {(made, "eu-west-1a")}
    again = ("build", *IMAGES, *OPTIONS, "--fast-restore", "eu-west-1a", "--fast-restore", "eu-west-1b")
    _, err = run(*again, "--yes")
    assert "1 zone" in err
    assert world.asked["EnableFastSnapshotRestores"]["AvailabilityZones"] == ["eu-west-1b"]


def test_a_build_with_fast_restore_asks_before_anything_starts(world: World, run: Run) -> None:
    """And then switches it on."""
    run("build", *IMAGES, *OPTIONS, "--fast-restore", "eu-west-1a", said="n\n", status=1)
    assert world.left() == {}
    out, _ = run("build", *IMAGES, *OPTIONS, "--fast-restore", "eu-west-1a", "--yes")
    assert world.fast == {(out.strip(), "eu-west-1a")}


@pytest.mark.parametrize(
    ("arguments", "kind", "why"),
    [
        (("build", f"{IMAGES[0]}9", *OPTIONS), NotFound, "ImageNotFoundException.*push it first"),
        (("build", IMAGES[0].replace("comfyui", "x"), *OPTIONS), NotFound, "RepositoryNotFound"),
        (("build", "docker.io/library/python:3", *OPTIONS), Refused, "sha256"),
        (("build", *IMAGES, *OPTIONS, "--also-in", "cn-north-1"), Refused, "partition"),
        (("build", *IMAGES, *OPTIONS, "--bottlerocket", "0.0.0"), SnapshotError, "no such Bottlerocket"),
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


def test_what_is_not_allowed_names_the_call(world: World, run: Run) -> None:
    """And how to see who asked."""

    def deny(call: str) -> None:
        if call == "ec2:RunInstances":
            raise refusal("RunInstances", "UnauthorizedOperation", "not you")

    world.before = deny
    with pytest.raises(NotAllowed, match=r"RunInstances: UnauthorizedOperation: not you.*get-caller-identity"):
        run("build", *IMAGES, *OPTIONS)
    assert world.left() == {}


def test_a_failure_is_one_line_and_a_status(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What came from outside is shown, not obeyed."""
    monkeypatch.setattr("sys.argv", ["bottlerocket-snapshot", "build", "a\x1b[2J", *OPTIONS])
    with pytest.raises(SystemExit) as ended:
        main.main()
    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert said.startswith("bottlerocket-snapshot: image 'a\\x1b[2J'")
    assert said.count("\n") == 1
    _ = run


def test_no_dollars_are_promised_in_china() -> None:
    """Other partitions have prices of their own."""
    assert "$" not in price("aws-cn", 2)
    assert "$1.50" in price("aws", 2)


def test_the_builders_policy_allows_what_is_called_and_nothing_else(world: World, run: Run) -> None:
    """Operations of all commands, and what EC2 asks for besides."""
    leave(world)
    world.calls.clear()
    out, _ = run("build", *IMAGES, *OPTIONS, "--subnet", world.subnet, "--fast-restore", "eu-west-1a", "--yes")
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
