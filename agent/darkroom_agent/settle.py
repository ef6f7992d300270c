"""The one decision about a message: what becomes of the job, and what becomes of the message. Pure."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from darkroom_contract.job import State

from .errors import Failure
from .ports import Result


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended: with a result, with a failure, or with neither where `state` says all."""

    state: State
    result: Result | None = None
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class Delete:
    """The message is done with."""


@dataclass(frozen=True, slots=True)
class Release:
    """The message is handed out again, `delay` seconds from now."""

    delay: float


@dataclass(frozen=True, slots=True)
class Leave:
    """The message goes to the dead-letter queue: it is handed out at once until the queue has had enough."""


type Fate = Delete | Release | Leave


@dataclass(frozen=True, slots=True)
class Settlement:
    """`final`: the state to commit, or None when the job goes on. `fate`: of the message, after the commit."""

    final: State | None
    fate: Fate


@dataclass(frozen=True, slots=True)
class Attempts:
    """How often and how quickly a job is tried."""

    limit: int
    backoff_base: float
    backoff_cap: float


def settle(
    outcome: Outcome, attempt: int, attempts: Attempts, jitter: Callable[[], float] = random.random
) -> Settlement:
    """Decide. `attempt` counts from 1; `jitter` gives a number 0 … 1."""
    failure = outcome.failure
    if failure is None or not failure.retryable:
        return Settlement(outcome.state, Delete())
    if attempt >= min(attempts.limit, failure.most_attempts or attempts.limit):
        return Settlement(State.FAILED, Leave())
    return Settlement(None, Release(backoff(attempt, attempts, jitter)))


def fate_of_final(state: State, retryable: bool) -> Fate:
    """What becomes of the message of a job that has ended: after its last attempt it is left to the DLQ."""
    return Leave() if state is State.FAILED and retryable else Delete()


def backoff(attempt: int, attempts: Attempts, jitter: Callable[[], float] = random.random) -> float:
    """Seconds to wait after a failed attempt: doubling, bounded, spread over the upper half so that a herd parts."""
    longest = min(attempts.backoff_cap, attempts.backoff_base * 2.0 ** min(attempt - 1, 32))
    return longest * (0.5 + 0.5 * jitter())
