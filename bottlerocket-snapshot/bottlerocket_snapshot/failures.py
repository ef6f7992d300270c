"""What can go wrong, each with the exit status that scripts may use.

SnapshotError      1   AWS or the instance failed; the message says what, and what to do
├── Refused        2   an argument is wrong; nothing was started
├── NotAllowed     3   no credentials, or they do not allow it
├── NotFound       4   no such image or snapshot
└── TimedOut       5   it took too long
"""


class SnapshotError(Exception):
    """AWS or the instance failed."""

    exit_status = 1


class Refused(SnapshotError):
    """An argument is wrong."""

    exit_status = 2


class NotAllowed(SnapshotError):
    """There are no credentials, or they do not allow what was asked."""

    exit_status = 3


class NotFound(SnapshotError):
    """There is no such image or snapshot."""

    exit_status = 4


class TimedOut(SnapshotError):
    """It took longer than it may."""

    exit_status = 5
