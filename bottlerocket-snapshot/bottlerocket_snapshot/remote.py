"""Commands on the instance, over SSM: Bottlerocket has no SSH."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from .aws import Aws, code
from .clock import Deadline
from .failures import SnapshotError

if TYPE_CHECKING:
    from types_boto3_ssm.type_defs import GetCommandInvocationResultTypeDef

_LOOK = 3.0
_RUNNING = frozenset({"Pending", "InProgress", "Delayed"})


def wait_online(aws: Aws, instance: str, deadline: Deadline) -> None:
    """Wait until the instance's agent has reached SSM.

    Raises:
        TimedOut: it has not.
    """

    def look() -> bool | None:
        filters = [{"Key": "InstanceIds", "Values": [instance]}]
        found = aws.ssm.describe_instance_information(Filters=filters)["InstanceInformationList"]  # type: ignore[arg-type]
        return True if any(one.get("PingStatus") == "Online" for one in found) else None

    deadline.until(look, _LOOK)


def send(aws: Aws, instance: str, commands: Sequence[str], seconds: float, comment: str) -> str:
    """Send commands that may run so long; the id to ask for them by. The agent runs five at a time."""
    answer = aws.ssm.send_command(
        InstanceIds=[instance],
        DocumentName="AWS-RunShellScript",
        Comment=comment[:100],
        Parameters={"commands": list(commands), "executionTimeout": [str(max(60, int(seconds)))]},
    )
    return answer["Command"]["CommandId"]


def ended(aws: Aws, instance: str, command: str) -> str | None:
    """What a command printed, or None while it runs.

    Raises:
        SnapshotError: it failed; the message has the end of what it said.
    """
    try:
        answer = aws.ssm.get_command_invocation(CommandId=command, InstanceId=instance)
    except ClientError as error:
        if code(error) == "InvocationDoesNotExist":  # it was sent a moment ago
            return None
        raise
    if answer["Status"] in _RUNNING:
        return None
    if answer["Status"] != "Success":
        raise SnapshotError(f"{answer.get('Comment') or command}: {_why(answer)}")
    return answer.get("StandardOutputContent", "")


def run(aws: Aws, instance: str, commands: Sequence[str], deadline: Deadline, comment: str) -> str:
    """Run commands and wait for them; what they printed.

    Raises:
        SnapshotError: they failed.
        TimedOut: they took too long.
    """
    command = send(aws, instance, commands, deadline.left(), comment)
    return deadline.until(lambda: ended(aws, instance, command), _LOOK)


def _why(answer: "GetCommandInvocationResultTypeDef") -> str:
    said = (answer.get("StandardErrorContent") or answer.get("StandardOutputContent") or "").strip()
    lines = [line for line in said.splitlines() if line.strip() and not line.startswith("failed to run commands")]
    return f"{answer['StatusDetails']}: " + (" | ".join(lines[-3:]) or "it said nothing")
