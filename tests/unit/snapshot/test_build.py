"""A snapshot's whole life against moto: what is made, and that nothing else is left, whichever call fails."""

from base64 import b64decode
from typing import Any

import pytest

from bottlerocket_snapshot import snapshots
from bottlerocket_snapshot.failures import SnapshotError, TimedOut
from tests.unit.snapshot.world import (
    AT,
    IMAGES,
    REGION,
    World,
    backend,
    built,
    planned,
)


def test_a_snapshot_is_all_that_is_left(world: World) -> None:
    """It has the digests in its tags; instance, volumes and security group are gone."""
    made = built(world, subnet=world.subnet)
    assert made.state == "completed"
    assert world.left() == {f"snapshots {REGION}": [made.id]}
    assert [one.split("@")[0] for one in made.images] == sorted(IMAGES)
    assert all(one.partition("@sha256:")[2] for one in made.images)
    assert snapshots.same(world.aws, planned(world).fingerprint, planned(world).bottlerocket) == made


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


_FAILED = {
    "SnapshotId": "snap-1",
    "VolumeSize": 20,
    "StartTime": AT,
    "State": "error",
    "StateMessage": "key is disabled",
}


@pytest.mark.parametrize(
    ("after", "answer", "why"),
    [
        ("ec2:StopInstances", {"Reservations": [{"Instances": [{"State": {"Name": "terminated"}}]}]}, "somebody else"),
        ("ec2:DeleteSecurityGroup", {"Snapshots": [_FAILED]}, "snap-1: error key is disabled"),
    ],
)
def test_what_others_broke_ends_the_build(
    world: World, monkeypatch: pytest.MonkeyPatch, after: str, answer: dict[str, Any], why: str
) -> None:
    """An instance that somebody terminated, a snapshot that AWS could not make: the next look tells."""
    ours = world.answer
    monkeypatch.setattr(
        world, "answer", lambda name, params: answer if world.calls[-2:-1] == [after] else ours(name, params)
    )
    with pytest.raises(SnapshotError, match=why):
        built(world)
    assert world.left() == {}


def test_the_instance_ends_itself_if_the_builder_is_gone(world: World) -> None:
    """The first command that it gets sleeps for the whole time and more, and its shutdown terminates it."""
    built(world)
    sleep, poweroff = world.commands[min(world.commands)]
    assert int(sleep.split()[1]) > 3600
    assert poweroff.endswith("systemctl poweroff")
