"""What can go wrong, each with the exit status that scripts may use.

DarkroomError   1   the API or AWS failed, or a file is not what it should be
├── Refused      2   the request is wrong; the message says where
├── NotReachable 3   no API there, or the key or the credentials were not accepted
└── NotFound     4   no such job, workflow or path
"""

from darkroom_contract.api import ProblemDocument


class DarkroomError(Exception):
    """The API or AWS failed, or a file is not what it should be."""

    exit_status = 1


class Refused(DarkroomError):
    """The request is wrong; `problem` is what the API said of it."""

    exit_status = 2

    def __init__(self, message: str, problem: ProblemDocument | None = None) -> None:
        super().__init__(message)
        self.problem = problem


class NotReachable(DarkroomError):
    """No API answers there, or the key or the credentials were not accepted."""

    exit_status = 3


class NotFound(DarkroomError):
    """There is no such thing."""

    exit_status = 4
