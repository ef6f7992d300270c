"""A snapshot's whole life against moto: what is made, and that nothing else is left, whichever call fails."""

import signal
from base64 import b64decode
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from bottlerocket_snapshot import builder, fast_restore, snapshots
from bottlerocket_snapshot.copying import copy
from bottlerocket_snapshot.failures import SnapshotError, TimedOut
from bottlerocket_snapshot.undo import Undo
from tests.unit.snapshot_world import ELSEWHERE, IMAGES, REGION, World, backend, built, planned, refusal, snapshot_world


@pytest.fixture(scope="module")
def account() -> Iterator[World]:
    with snapshot_world() as world:
        yield world


@pytest.fixture
def world(account: World) -> Iterator[World]:
    """The account, empty; before a build has begun, SIGTERM ends a test and not the tests."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    account.forget()
    yield account
    signal.signal(signal.SIGTERM, before)


def test_a_snapshot_is_all_that_is_left(world: World) -> None:
    """It has the digests in its tags; instance, volumes and security group are gone."""
    made = built(world, subnet=world.subnet)
    assert made.state == "completed"
    assert world.left() == {f"snapshots {REGION}": [made.id]}
    assert [one.split("@")[0] for one in made.images] == sorted(IMAGES)
    assert all(one.partition("@sha256:")[2] for one in made.images)
    assert snapshots.same(world.aws, planned(world).fingerprint) == made


def test_the_instance_is_safe(world: World) -> None:
    """IMDS asks for tokens, nobody is let in, the volume is encrypted, a shutdown is the end of it."""
    built(world, volume_gib=77, instance_type="m6i.4xlarge", kms_key="alias/ours")
    asked = world.asked["RunInstances"]
    [volume] = asked["BlockDeviceMappings"]
    assert asked["InstanceType"] == "m6i.4xlarge"
    assert asked["MetadataOptions"] == {"HttpTokens": "required", "HttpPutResponseHopLimit": 1}
    assert asked["InstanceInitiatedShutdownBehavior"] == "terminate"
    assert (volume["DeviceName"], volume["Ebs"]["VolumeSize"]) == ("/dev/xvdb", 77)
    assert (volume["Ebs"]["Encrypted"], volume["Ebs"]["KmsKeyId"]) == (True, "alias/ours")
    assert 'hostname-override = "snapshot"' in b64decode(str(asked["UserData"])).decode()
    assert not [call for call in world.calls if "Ingress" in call]


def test_images_are_pulled_by_digest_and_named_as_pods_name_them(world: World) -> None:
    """No token is in what SSM keeps; what was pulled is looked at afterwards."""
    made = built(world)
    said = "\n".join(line for commands in world.commands.values() for line in commands)
    for one in made.images:
        name, _, digest = one.partition("@")
        source = f"{name.rpartition(':')[0]}@{digest}"
        assert f"--label io.cri-containerd.image=managed --source {source}" in said
        assert f"images tag --force {source} {name}" in said
    assert "systemctl stop kubelet" in said
    assert "AWS:" not in said


def test_images_are_pulled_together(world: World) -> None:
    """All commands are sent before the first is waited for."""
    built(world)
    pulls = [number for number, call in enumerate(world.calls) if call == "ssm:SendCommand"]
    assert pulls[3] == pulls[2] + 1
    assert world.noted.fractions[-1] == 1


def test_a_pull_that_fails_says_why(world: World) -> None:
    """The end of what the instance said is in the message."""
    world.fails = lambda commands: "first\nno space left on device" if "agent" in commands[-1] else None
    with pytest.raises(SnapshotError, match="no space left on device"):
        built(world)
    assert world.left() == {}


def test_an_image_that_is_not_whole_is_no_snapshot(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What SSM calls a success is not believed."""
    monkeypatch.setattr(world, "_printed", lambda _commands: IMAGES[0])
    with pytest.raises(SnapshotError, match=r"agent:1\.2: pulled, but not whole"):
        built(world)
    assert world.left() == {}


@pytest.mark.parametrize(
    ("silent", "why"),
    [("DescribeInstanceInformation", "does not reach SSM"), ("GetCommandInvocation", "admin container")],
)
def test_a_step_that_takes_too_long_ends_the_build(
    world: World, monkeypatch: pytest.MonkeyPatch, silent: str, why: str
) -> None:
    """It says what to look at."""
    nothing: dict[str, Any] = {"DescribeInstanceInformation": {"InstanceInformationList": []}}
    running = {"Status": "InProgress", "StatusDetails": "InProgress"}
    answer = world.answer
    monkeypatch.setattr(
        world, "answer", lambda name, params: nothing.get(name, running) if name == silent else answer(name, params)
    )
    with pytest.raises(TimedOut, match=why):
        built(world)
    assert world.left() == {}


def test_a_snapshot_that_takes_too_long_is_removed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole build has one end; the instance did not wait for it."""
    answer = world.answer
    seen: list[list[str]] = []

    def pending(name: str, params: dict[str, Any]) -> Any:
        if name != "DescribeSnapshots" or "SnapshotIds" not in params:
            return answer(name, params)
        seen.append([one.id for one in backend(REGION).all_instances() if one.state != "terminated"])
        raw = {"SnapshotId": params["SnapshotIds"][0], "State": "pending", "Progress": "45%", "VolumeSize": 20}
        return {"Snapshots": [{**raw, "StartTime": world.ticking.clock.now()}]}

    monkeypatch.setattr(world, "answer", pending)
    with pytest.raises(TimedOut, match="60 minutes"):
        built(world)
    assert seen[0] == []
    assert world.noted.fractions[-1] == 0.45
    assert world.left() == {}


def test_the_instance_ends_itself_if_the_builder_is_gone(world: World) -> None:
    """The first command that it gets sleeps for the whole time and more, and its shutdown terminates it."""
    built(world)
    sleep, poweroff = world.commands[min(world.commands)]
    assert int(sleep.split()[1]) > 3600
    assert poweroff.endswith("systemctl poweroff")


# What a failure may be: AWS refuses, no answer comes for what was done, a person or a system stops it.


def _refused(world: World, at: int) -> None:
    def fail(call: str) -> None:
        if len(world.calls) == at:
            raise refusal(call, "InternalError")

    world.before = fail


def _answer_lost(world: World, at: int) -> None:
    def fail(_call: str) -> None:
        if len(world.calls) == at:
            raise ConnectionClosedError(endpoint_url="https://ec2")

    world.after = fail


def _signal(number: signal.Signals, *, done: bool) -> Callable[[World, int], None]:
    def failing(world: World, at: int) -> None:
        def stop(_call: str) -> None:
            if len(world.calls) == at:
                signal.raise_signal(number)

        if done:
            world.after = stop
        else:
            world.before = stop

    return failing


FAILURES = {
    "refused": _refused,
    "answer lost": _answer_lost,
    "Ctrl-C before": _signal(signal.SIGINT, done=False),
    "SIGTERM after": _signal(signal.SIGTERM, done=True),
}


@pytest.mark.parametrize("kind", FAILURES)
def test_nothing_is_left_whichever_call_fails(world: World, kind: str) -> None:
    """At each call of a build, also at those that remove: afterwards there is the snapshot, or nothing at all."""
    at, done = 0, 0
    while not done:  # until a build had no such call any more
        at += 1
        world.forget()
        plan = planned(world)
        world.calls.clear()
        FAILURES[kind](world, at)
        undo = Undo(world.ticking.clock, world.noted.tell)
        kept: list[str] = []
        try:
            made = builder.build(world.aws, plan, world.ticking.clock, world.noted, undo)
            kept = [made.id]
        except (ClientError, ConnectionClosedError, KeyboardInterrupt):
            pass
        assert undo.left == [], f"call {at}: {world.calls[at - 1]}"
        left = world.left()
        assert left in ({f"snapshots {REGION}": kept}, {}), f"call {at}: {world.calls[at - 1]}"
        assert kept == left.get(f"snapshots {REGION}", [])
        done += len(world.calls) < at
    assert at >= 30


@pytest.mark.parametrize("kind", FAILURES)
def test_a_copy_is_whole_or_not_there(world: World, kind: str) -> None:
    """At each call of a copy."""
    source = built(world)
    there = world.aws.at(ELSEWHERE)
    calls = 1
    at = 0
    while at <= calls:
        at += 1
        world.calls.clear()
        backend(ELSEWHERE).snapshots.clear()
        FAILURES[kind](world, at)
        undo = Undo(world.ticking.clock, world.noted.tell)
        kept = {}
        try:
            made = copy(world.aws, there, source.id, None, "c", 600, world.ticking.clock, world.noted, undo)
            kept = {f"snapshots {ELSEWHERE}": [made.id]}
            assert made.images == source.images
        except (ClientError, ConnectionClosedError, KeyboardInterrupt):
            pass
        calls = len(world.calls)
        assert undo.left == []
        assert world.left() == {f"snapshots {REGION}": [source.id], **kept}


@pytest.mark.parametrize("kind", FAILURES)
def test_fast_restore_is_on_or_off(world: World, kind: str) -> None:
    """A call that fails leaves nothing that is paid by the hour."""
    FAILURES[kind](world, 1)
    undo = Undo(world.ticking.clock, world.noted.tell)
    with pytest.raises((ClientError, ConnectionClosedError, KeyboardInterrupt)):
        fast_restore.switch_on(world.aws, "snap-1", ["eu-west-1a"], undo)
    assert (undo.left, world.fast) == ([], set())


def test_what_cannot_be_removed_is_told(world: World) -> None:
    """The other things are removed all the same."""

    def fail(call: str) -> None:
        if call == "ec2:TerminateInstances" or (call == "ssm:SendCommand" and len(world.calls) > 5):
            raise refusal("TerminateInstances", "OperationNotPermitted", "termination protection")

    world.before = fail
    undo = Undo(world.ticking.clock, world.noted.tell)
    with pytest.raises(ClientError):
        builder.build(world.aws, planned(world), world.ticking.clock, world.noted, undo)
    assert "instance of build b: " in undo.left[0]
    assert "termination protection" in undo.left[0]
    assert world.calls.count("ec2:TerminateInstances") == 5
    assert world.calls[-1] == "ec2:DeleteSecurityGroup"


def test_an_instance_that_ec2_does_not_show_yet_is_not_forgotten(world: World) -> None:
    """That it is not found right after its start does not mean that it is not there."""
    unseen = iter(range(2))

    def fail(call: str) -> None:
        if call == "ssm:DescribeInstanceInformation":
            raise KeyboardInterrupt
        if call == "ec2:TerminateInstances" and next(unseen, None) is not None:
            raise refusal("TerminateInstances", "InvalidInstanceID.NotFound")

    world.before = fail
    with pytest.raises(KeyboardInterrupt):
        built(world)
    assert world.left() == {}
