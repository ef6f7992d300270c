"""Calls of SQS that its contract makes again and again."""

from typing import TYPE_CHECKING, Any

from .conftest import Aws

if TYPE_CHECKING:
    from types_aiobotocore_sqs import SQSClient
    from types_aiobotocore_sqs.type_defs import MessageTypeDef


async def make(sqs: "SQSClient", aws: Aws, **attributes: str) -> str:
    """Make a queue of its own; its URL."""
    return (await sqs.create_queue(QueueName=aws.name(), Attributes=attributes))["QueueUrl"]  # type: ignore[arg-type]


async def arn(sqs: "SQSClient", url: str) -> str:
    """A queue's ARN."""
    return (await sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"]))["Attributes"]["QueueArn"]


async def take(
    sqs: "SQSClient", url: str, visibility: int = 30, wait: int = 0, most: int = 1
) -> "list[MessageTypeDef]":
    """Receive, with every attribute."""
    answer = await sqs.receive_message(
        QueueUrl=url,
        VisibilityTimeout=visibility,
        WaitTimeSeconds=wait,
        MaxNumberOfMessages=most,
        MessageSystemAttributeNames=["All"],
        MessageAttributeNames=["All"],
    )
    return answer.get("Messages", [])


async def take_one(sqs: "SQSClient", url: str, visibility: int = 30, wait: int = 5) -> "MessageTypeDef":
    """Receive one, waiting for it."""
    (message,) = await take(sqs, url, visibility, wait)
    return message


async def release(sqs: "SQSClient", url: str, receipt: str, seconds: int = 0) -> None:
    """Change a message's visibility."""
    await sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=receipt, VisibilityTimeout=seconds)


async def counts(sqs: "SQSClient", url: str) -> tuple[int, int, int]:
    """Visible, in flight, delayed."""
    names = ("", "NotVisible", "Delayed")
    known: Any = (await sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"]))["Attributes"]
    visible, flying, delayed = (int(known[f"ApproximateNumberOfMessages{name}"]) for name in names)
    return visible, flying, delayed


async def let_arrive(sqs: "SQSClient", url: str) -> None:
    """Let a receive that was begun beside this arrive, by calls that are answered one after the other."""
    for _ in range(5):
        await counts(sqs, url)
