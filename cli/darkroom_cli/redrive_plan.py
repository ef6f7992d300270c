"""What becomes of a dead letter, a message in a dead-letter queue: one decision, and its filters. Pure."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from darkroom_contract.document import JobDocument
from darkroom_contract.job import Job, State


@dataclass(frozen=True, slots=True)
class Letter:
    """A message as it came, and what is known of its job.

    `source` is the name of the queue that SQS moved it from. Without a `job`, `unreadable` says why. `document` is the
    job's, if there is one.
    """

    message_id: str
    receipt: str
    body: str
    sent_at: datetime
    source: str | None = None
    system: dict[str, str] = field(default_factory=dict)
    attributes: dict[str, Any] = field(default_factory=dict)
    job_id: str | None = None
    job: Job | None = None
    unreadable: str = ""
    document: JobDocument | None = None

    @property
    def state(self) -> State | None:
        """The state of its job."""
        return self.document.state if self.document else None

    @property
    def code(self) -> str | None:
        """Why its job failed."""
        return self.document.error.code if self.document and self.document.error else None


@dataclass(frozen=True, slots=True)
class Filters:
    """Which letters are meant: all of what is given must hold."""

    ids: frozenset[str] = frozenset()
    since: datetime | None = None
    codes: frozenset[str] = frozenset()

    def admit(self, letter: Letter) -> bool:
        """Whether a letter is meant."""
        return (
            (not self.ids or letter.job_id in self.ids)
            and (self.since is None or letter.sent_at >= self.since)
            and (not self.codes or letter.code in self.codes)
        )


@dataclass(frozen=True, slots=True)
class Return:
    """The job has not ended: its message goes back to its queue as it is."""


@dataclass(frozen=True, slots=True)
class Resend:
    """The job has failed, and a final document never changes: it is sent again under another id."""

    job: Job


@dataclass(frozen=True, slots=True)
class Purge:
    """The job has ended otherwise: its message is of no use."""


@dataclass(frozen=True, slots=True)
class Keep:
    """The message stays where it is."""

    why: str


type Action = Return | Resend | Purge | Keep


def decide(letter: Letter, *, purge: bool) -> Action:
    """What becomes of a letter; with `purge`, those of jobs that have ended are removed."""
    if letter.job is None:
        return Keep(letter.unreadable)
    if letter.state is None or not letter.state.final:
        return Return()
    if letter.state is State.FAILED:
        return Resend(letter.job)
    return Purge() if purge else Keep(f"the job is {letter.state}; --purge removes the message")


def decide_webhook(letter: Letter) -> Action:
    """What becomes of a webhook that was given up: another round of attempts."""
    return Keep(letter.unreadable) if letter.unreadable else Return()
