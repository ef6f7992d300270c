"""A failure at each call of a build, a copy, a switch: afterwards there is what was wanted, or nothing at all."""

import signal
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from bottlerocket_snapshot import builder, fast_restore
from bottlerocket_snapshot.copying import copy
from bottlerocket_snapshot.undo import Undo
from tests.unit.snapshot.world import ELSEWHERE, REGION, World, backend, built, planned, refusal

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


@pytest.mark.parametrize(
    ("call", "code"),
    [("ec2:RunInstances", "InvalidGroup.NotFound"), ("ec2:DescribeSnapshots", "InvalidSnapshot.NotFound")],
)
def test_what_ec2_does_not_know_yet_is_waited_for(world: World, call: str, code: str) -> None:
    """A group and a snapshot that were just made; a snapshot that goes once it was seen is gone."""
    unseen = iter(range(2))

    def fail(now: str) -> None:
        if now == call and next(unseen, None) is not None:
            raise refusal(call, code)

    world.before = fail
    made = built(world)
    assert world.left() == {f"snapshots {REGION}": [made.id]}
    assert world.calls.count("ec2:RunInstances") == (3 if "Run" in call else 1)


def test_a_snapshot_that_somebody_deletes_is_not_waited_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was seen, and is not found any more."""
    pending = {"SnapshotId": "snap-1", "State": "pending", "VolumeSize": 20, "StartTime": world.ticking.clock.now()}
    answers = iter([{"Snapshots": [pending]}])
    answer = world.answer

    def gone(name: str, params: dict[str, Any]) -> Any:
        if name != "DescribeSnapshots":
            return answer(name, params)
        if (told := next(answers, None)) is None:
            raise refusal(name, "InvalidSnapshot.NotFound")
        return told

    monkeypatch.setattr(world, "answer", gone)
    with pytest.raises(ClientError, match=r"InvalidSnapshot\.NotFound"):
        built(world)


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
