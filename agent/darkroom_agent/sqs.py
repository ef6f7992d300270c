"""A queue of job messages in SQS."""

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
from botocore.exceptions import ClientError

from .aws import aws_call, code_of
from .errors import LeaseLost
from .ports import Delivery

if TYPE_CHECKING:
    from types_aiobotocore_sqs import SQSClient

# What SQS answers when a receipt handle no longer holds its message (SQS API reference: ChangeMessageVisibility).
_STALE = {
    "ReceiptHandleIsInvalid",
    "MessageNotInflight",
    "AWS.SimpleQueueService.MessageNotInflight",
    "InvalidParameterValue",
}


class SqsQueue:
    """One queue; `visibility` (seconds) is asked for with each receive, whatever the queue's own is."""

    def __init__(self, client: "SQSClient", url: str, visibility: int) -> None:
        self._client = client
        self._url = url
        self._visibility = visibility

    @property
    def name(self) -> str:
        """Its name, for logs and metrics."""
        return self._url.rsplit("/", 1)[-1]

    async def receive(self, limit: int, wait_seconds: int) -> list[Delivery]:
        """Take up to `limit` messages, waiting up to `wait_seconds` for the first."""
        with aws_call("SQS ReceiveMessage"):
            answer = await self._client.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=min(limit, 10),
                WaitTimeSeconds=wait_seconds,
                VisibilityTimeout=self._visibility,
                MessageSystemAttributeNames=["ApproximateReceiveCount", "SentTimestamp", "AWSTraceHeader"],
            )
        # From the answer on, not from the question: a long poll may take longer than the visibility.
        visible_at = asyncio.get_running_loop().time() + self._visibility
        return [_delivery(message, visible_at) for message in answer.get("Messages", [])]

    async def extend(self, receipt: str, seconds: int) -> None:
        """Keep a message invisible for `seconds` from now."""
        with aws_call("SQS ChangeMessageVisibility"):
            try:
                await self._client.change_message_visibility(
                    QueueUrl=self._url, ReceiptHandle=receipt, VisibilityTimeout=seconds
                )
            except ClientError as error:
                if code_of(error) in _STALE:
                    raise LeaseLost(f"the receipt no longer holds the message: {code_of(error)}") from error
                raise

    async def delete(self, receipt: str) -> None:
        """Acknowledge a message."""
        with aws_call("SQS DeleteMessage"):
            await self._client.delete_message(QueueUrl=self._url, ReceiptHandle=receipt)

    async def most_receives(self) -> int | None:
        """The queue's maxReceiveCount, or None where it has no dead-letter queue."""
        with aws_call("SQS GetQueueAttributes"):
            answer = await self._client.get_queue_attributes(QueueUrl=self._url, AttributeNames=["RedrivePolicy"])
        policy = answer.get("Attributes", {}).get("RedrivePolicy")
        return int(msgspec.json.decode(policy)["maxReceiveCount"]) if policy else None


def _delivery(message: Any, visible_at: float) -> Delivery:
    attributes = message.get("Attributes", {})
    return Delivery(
        body=message["Body"],
        receipt=message["ReceiptHandle"],
        attempt=int(attributes.get("ApproximateReceiveCount", 1)),
        sent_at=datetime.fromtimestamp(int(attributes.get("SentTimestamp", 0)) / 1000, UTC),
        visible_at=visible_at,
        trace_header=attributes.get("AWSTraceHeader"),
        message_id=message.get("MessageId", ""),
    )
