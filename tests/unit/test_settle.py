"""The one decision about a message."""

import pytest

from darkroom_agent.errors import OutOfMemory, RuntimeBusy, RuntimeRefused
from darkroom_agent.settle import Attempts, Delete, Leave, Outcome, Release, backoff, fate_of_final, settle
from darkroom_contract.job import State

ATTEMPTS = Attempts(limit=3, backoff_base=4, backoff_cap=60)


def half() -> float:
    return 0.5


@pytest.mark.parametrize("state", [State.COMPLETED, State.CANCELLED, State.EXPIRED])
def test_ends_of_their_own_delete_the_message(state: State) -> None:
    """Whatever the attempt."""
    settlement = settle(Outcome(state), 7, ATTEMPTS)
    assert (settlement.final, settlement.fate) == (state, Delete())


def test_a_permanent_failure_is_final_and_done_with() -> None:
    """At the first attempt."""
    settlement = settle(Outcome(State.FAILED, failure=RuntimeRefused("no")), 1, ATTEMPTS)
    assert (settlement.final, settlement.fate) == (State.FAILED, Delete())


def test_a_retryable_failure_goes_back_until_the_last_attempt() -> None:
    """With doubling pauses; then it is final and left to the DLQ."""
    outcome = Outcome(State.FAILED, failure=RuntimeBusy("429"))
    settled = [settle(outcome, attempt, ATTEMPTS, half) for attempt in (1, 2, 3)]
    assert [s.final for s in settled] == [None, None, State.FAILED]
    assert [s.fate for s in settled] == [Release(3.0), Release(6.0), Leave()]


def test_out_of_memory_has_two_attempts() -> None:
    """However many others have."""
    outcome = Outcome(State.FAILED, failure=OutOfMemory("full"))
    assert settle(outcome, 1, ATTEMPTS).final is None
    assert settle(outcome, 2, ATTEMPTS).final is State.FAILED


def test_backoff_is_bounded_and_spread() -> None:
    """Never above the cap, never below half of it."""
    assert backoff(1000, ATTEMPTS, lambda: 1.0) == 60
    assert backoff(1000, ATTEMPTS, lambda: 0.0) == 30


def test_a_delivery_of_an_ended_job_follows_its_end() -> None:
    """What failed for good after all its attempts goes on to the DLQ, all else is acknowledged."""
    assert fate_of_final(State.FAILED, retryable=True) == Leave()
    assert fate_of_final(State.FAILED, retryable=False) == Delete()
    assert fate_of_final(State.COMPLETED, retryable=False) == Delete()
