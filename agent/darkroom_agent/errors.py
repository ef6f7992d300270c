"""Every way in which a job can fail to complete, and which of them are worth another try.

    Failure
    ├── Permanent               the same request would fail again: final at once
    │   ├── InvalidRequest      the message does not follow the contract, or asks what this runtime cannot do
    │   ├── RuntimeRefused      the runtime refuses the request
    │   ├── InputUnavailable    an input image cannot be had, or may not
    │   └── ResultTooLarge      the runtime's answer is beyond the limits
    ├── Retryable               another attempt, or another pod, may succeed
    │   ├── RuntimeGone         refused or reset connections: it is down or restarting
    │   ├── RuntimeWedged       it answers, but a job does not move: only a restart helps
    │   ├── RuntimeBroken       its process is spoilt ("CUDA error"): only a restart helps
    │   ├── RuntimeFailed       it failed for a reason of its own (5xx)
    │   ├── RuntimeBusy         it asks to back off (429, 503)
    │   ├── OutOfMemory         not enough memory now; worth one try after freeing it
    │   ├── TimedOut            the attempt took longer than the job allows
    │   ├── InputInterrupted    an input's host failed or was too slow
    │   ├── ServiceUnavailable  S3, SNS or SQS failed beyond the client's own retries
    │   ├── AttemptsExhausted   every attempt took its agent with it
    │   └── AgentFailed         the agent itself met what it was not made for
    └── Abandoned               says nothing of the job: this attempt must stop, and another will go on
        ├── LeaseLost           the message is no longer ours
        ├── Superseded          another attempt's final document was there first
        ├── Returned            it could not start soon, or the pod is leaving
        └── Unprocessable       the message goes to the dead-letter queue as it is

    Cancelled and Expired are no failures but ends of their own: states of a job.

Each is raised at the edge where it arises; only the pipeline catches them, by category.
"""

from typing import Any, ClassVar

from darkroom_contract.document import JobDocument


class Failure(Exception):
    """Why a job did not complete. `response` is what the runtime answered, without image bytes."""

    code: ClassVar[str]
    retryable: ClassVar[bool]
    most_attempts: ClassVar[int | None] = None
    """Fewer attempts than usual, where more would not help."""
    restart: ClassVar[bool] = False
    """Whether only a restart of the runtime helps."""

    def __init__(self, message: str, *, response: Any = None) -> None:
        super().__init__(message)
        self.message = message
        self.response = response


class Permanent(Failure):
    """The same request would fail again."""

    retryable = False


class InvalidRequest(Permanent):
    """The message does not follow the contract, or asks what this runtime cannot do."""

    code = "invalid_request"


class RuntimeRefused(Permanent):
    """The runtime refuses the request."""

    code = "runtime_refused"


class InputUnavailable(Permanent):
    """An input image cannot be had, or may not be fetched."""

    code = "input_unavailable"


class ResultTooLarge(Permanent):
    """The runtime's answer is beyond the limits."""

    code = "result_too_large"


class Retryable(Failure):
    """Another attempt may succeed."""

    retryable = True


class RuntimeGone(Retryable):
    """The runtime is down or restarting."""

    code = "runtime_gone"


class RuntimeWedged(Retryable):
    """The runtime answers, but its job does not move and cannot be interrupted."""

    code = "runtime_wedged"
    restart = True


class RuntimeBroken(Retryable):
    """The runtime's process is spoilt ("CUDA error"): every later job would fail too."""

    code = "runtime_broken"
    restart = True


class RuntimeFailed(Retryable):
    """The runtime failed for a reason of its own."""

    code = "runtime_failed"


class RuntimeBusy(Retryable):
    """The runtime asks to back off."""

    code = "runtime_busy"


class OutOfMemory(Retryable):
    """The runtime ran out of memory."""

    code = "out_of_memory"
    most_attempts = 2


class TimedOut(Retryable):
    """The attempt took longer than the job's `timeout_seconds`."""

    code = "timed_out"


class InputInterrupted(Retryable):
    """An input's host failed or was too slow."""

    code = "input_interrupted"


class ServiceUnavailable(Retryable):
    """An AWS service failed beyond the client's own retries."""

    code = "service_unavailable"


class AttemptsExhausted(Retryable):
    """Every attempt took its agent with it, so none could say what happened."""

    code = "attempts_exhausted"


class AgentFailed(Retryable):
    """The agent itself met what it was not made for: a mistake of ours, never of the caller."""

    code = "agent_failed"


class Abandoned(Exception):
    """This attempt must stop; it says nothing of the job."""


class LeaseLost(Abandoned):
    """The message's visibility ran out or its receipt is no longer valid."""


class Superseded(Abandoned):
    """The job has become final meanwhile; `document` is what was there first."""

    def __init__(self, document: JobDocument) -> None:
        super().__init__(f"the job is {document.state} already")
        self.document = document


class Returned(Abandoned):
    """The message goes back at once: it could not start soon, or the pod is leaving."""


class Unprocessable(Abandoned):
    """The message is left to the dead-letter queue unaltered."""


class Cancelled(Exception):
    """The caller cancelled the job while it ran."""


class Expired(Exception):
    """The job is older than its `ttl_seconds`."""
