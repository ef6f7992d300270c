"""What can go wrong, each with the exit status that scripts may use.

DeployError       1   a command or AWS failed; the message says which, and what to do
├── Refused       2   the installation's folder or an argument is wrong; nothing was started
├── NotAllowed    3   no AWS credentials, or they have expired, or they do not allow it
├── Missing       4   prerequisites are missing; the table above the message says which
├── Declined      5   a question was answered with no
└── Stopped     130   Ctrl-C or SIGTERM; the program that ran has ended in its own way
"""


class DeployError(Exception):
    """A command or AWS failed."""

    exit_status = 1


class Refused(DeployError):
    """The installation's folder or an argument is wrong."""

    exit_status = 2


class NotAllowed(DeployError):
    """There are no AWS credentials, they have expired, or they do not allow what was asked."""

    exit_status = 3


class Missing(DeployError):
    """Prerequisites are missing."""

    exit_status = 4


class Declined(DeployError):
    """A question was answered with no."""

    exit_status = 5


class Stopped(DeployError):
    """It was told to stop, and the program that ran has ended in its own way."""

    exit_status = 130
