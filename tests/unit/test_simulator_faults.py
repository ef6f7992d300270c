"""Whose turn it is to fail in the simulator."""

import msgspec
import pytest

from darkroom_simulator.faults import KINDS, Fault, Faults


def test_waiting_faults_meet_the_next_jobs_in_their_order() -> None:
    """Each as often as it says; then nothing fails."""
    faults = Faults()
    faults.add(Fault(fault="hang", times=2))
    faults.add(Fault(fault="crash"))
    assert [faults.meet_job(None).fault for _ in range(4)] == ["hang", "hang", "crash", None]


def test_a_fault_of_a_path_meets_no_job() -> None:
    """And the other way round."""
    faults = Faults()
    faults.add(Fault(fault="status", path="/history"))
    assert faults.meet_job(None).fault is None
    assert faults.meet_request("/queue") is None
    met = faults.meet_request("/history/1")
    assert met is not None
    assert met.fault == "status"
    faults.add(Fault(fault="hang"))
    assert faults.meet_request("/history/1") is None


def test_a_jobs_own_fault_goes_first_and_is_counted_by_its_key() -> None:
    """What waits is left to jobs that ask for nothing."""
    faults = Faults()
    faults.add(Fault(fault="crash"))
    asked = {"fault": "hang", "key": "a", "times": 1, "latency": 3}
    assert [faults.meet_job(asked).fault for _ in range(2)] == ["hang", None]
    assert faults.meet_job({**asked, "key": "b"}).fault == "hang"
    assert faults.meet_job(asked).latency == 3, "how long it takes is no failure"
    assert faults.meet_job(None).fault == "crash"


def test_latency_alone_can_be_asked_for() -> None:
    """Without any failure, and it takes none that waits if there is none."""
    assert Faults().meet_job({"latency": 0.5}) == Fault(latency=0.5)


def test_clearing_forgets_everything() -> None:
    """Also how often a key has failed."""
    faults = Faults()
    faults.add(Fault(fault="crash"))
    faults.meet_job({"fault": "hang"})
    faults.clear()
    assert faults.meet_job(None).fault is None
    assert faults.meet_job({"fault": "hang"}).fault == "hang"


def test_only_known_kinds_are_taken() -> None:
    """The message names them all."""
    with pytest.raises(ValueError, match=", ".join(KINDS)):
        Faults().add(Fault(fault="nope"))
    with pytest.raises(msgspec.ValidationError):
        Faults().meet_job({"nope": 1})
