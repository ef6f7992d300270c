"""SQS in memory: AWS JSON 1.0, with visibility, receive counts and redrive as AWS has them."""

import asyncio
import hashlib
import itertools
import json
import time
from dataclasses import dataclass, field
from typing import Any


class AwsError(Exception):
    """An error as AWS answers it."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


@dataclass(slots=True)
class Message:
    """One message in a queue."""

    id: str
    body: str
    attributes: dict[str, Any]
    system: dict[str, str]
    visible_at: float
    sent_at: int
    receives: int = 0
    receipt: str = ""


@dataclass
class Queue:
    """One standard queue."""

    name: str
    url: str
    attributes: dict[str, str]
    messages: dict[str, Message] = field(default_factory=dict)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def arn(self) -> str:
        """Its ARN."""
        return f"arn:aws:sqs:us-east-1:000000000000:{self.name}"

    def receipts(self) -> dict[str, Message]:
        """Messages in flight by their newest receipt."""
        return {message.receipt: message for message in self.messages.values() if message.receipt}


class Queues:
    """All queues; one method for each operation, named after it."""

    def __init__(self) -> None:
        self.queues: dict[str, Queue] = {}
        self.base_url = ""
        self._ids = itertools.count()

    async def call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """Do one operation."""
        method = getattr(self, f"_{operation}", None)
        if method is None:
            raise AwsError("UnsupportedOperation", operation)
        answer = method(request)
        result: dict[str, Any] = await answer if asyncio.iscoroutine(answer) else answer
        return result

    def of(self, url: str) -> Queue:
        """A queue by its URL."""
        queue = self.queues.get(url.rsplit("/", 1)[-1])
        if queue is None:
            raise AwsError("AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist.")
        return queue

    def by_arn(self, arn: str) -> Queue:
        """A queue by its ARN."""
        return self.queues[arn.rsplit(":", 1)[-1]]

    def _CreateQueue(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 (named after the operation)
        name = request["QueueName"]
        attributes = {"VisibilityTimeout": "30", **request.get("Attributes", {})}
        self.queues.setdefault(name, Queue(name, f"{self.base_url}/000000000000/{name}", attributes))
        return {"QueueUrl": self.queues[name].url}

    def _GetQueueUrl(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        return {"QueueUrl": self.of(request["QueueName"]).url}

    def _GetQueueAttributes(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        queue, now = self.of(request["QueueUrl"]), time.monotonic()
        visible = sum(message.visible_at <= now for message in queue.messages.values())
        known = {
            **queue.attributes,
            "QueueArn": queue.arn,
            "ApproximateNumberOfMessages": str(visible),
            "ApproximateNumberOfMessagesNotVisible": str(len(queue.messages) - visible),
        }
        wanted = request.get("AttributeNames", [])
        return {"Attributes": {name: value for name, value in known.items() if name in wanted or "All" in wanted}}

    def _SendMessage(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        system = {name: one["StringValue"] for name, one in request.get("MessageSystemAttributes", {}).items()}
        message = self.put(
            self.of(request["QueueUrl"]), request["MessageBody"], request.get("MessageAttributes", {}), system
        )
        return {"MessageId": message.id, "MD5OfMessageBody": _md5(message.body)}

    def put(self, queue: Queue, body: str, attributes: dict[str, Any], system: dict[str, str]) -> Message:
        """Put a message in."""
        message = Message(f"m{next(self._ids)}", body, attributes, system, time.monotonic(), int(time.time() * 1000))
        queue.messages[message.id] = message
        queue.changed.set()
        return message

    async def _ReceiveMessage(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        queue = self.of(request["QueueUrl"])
        until = time.monotonic() + request.get("WaitTimeSeconds", 0)
        while not (taken := self._take(queue, request)) and time.monotonic() < until:
            queue.changed.clear()
            soon = min((m.visible_at for m in queue.messages.values()), default=until)
            wait = max(min(soon, until) - time.monotonic(), 0.001)
            try:
                async with asyncio.timeout(wait):
                    await queue.changed.wait()
            except TimeoutError:
                continue
        return {"Messages": taken} if taken else {}

    def _take(self, queue: Queue, request: dict[str, Any]) -> list[dict[str, Any]]:
        now, most = time.monotonic(), request.get("MaxNumberOfMessages", 1)
        visibility = float(request.get("VisibilityTimeout", queue.attributes["VisibilityTimeout"]))
        policy = json.loads(queue.attributes["RedrivePolicy"]) if "RedrivePolicy" in queue.attributes else None
        taken: list[dict[str, Any]] = []
        for message in [m for m in queue.messages.values() if m.visible_at <= now]:
            if policy and message.receives >= int(policy["maxReceiveCount"]):
                del queue.messages[message.id]
                dead = self.by_arn(policy["deadLetterTargetArn"])
                dead.messages[message.id] = message
                dead.changed.set()
                continue
            if len(taken) == most:
                break
            message.receives += 1
            message.receipt = f"{message.id}.{message.receives}"
            message.visible_at = now + visibility
            taken.append(_received(message))
        return taken

    def _ChangeMessageVisibility(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        queue = self.of(request["QueueUrl"])
        message = self._in_flight(queue, request["ReceiptHandle"])
        if message is None or message.visible_at <= time.monotonic():
            raise AwsError("MessageNotInflight", "The message referred to isn't in flight.")
        message.visible_at = time.monotonic() + request["VisibilityTimeout"]
        queue.changed.set()
        return {}

    def _DeleteMessage(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        queue = self.of(request["QueueUrl"])
        message = self._in_flight(queue, request["ReceiptHandle"])
        if message is not None:
            del queue.messages[message.id]
        return {}

    def _in_flight(self, queue: Queue, receipt: str) -> Message | None:
        """The message of its newest receipt; an older one holds nothing any more."""
        message = queue.messages.get(receipt.split(".", maxsplit=1)[0])
        return message if message is not None and message.receipt == receipt else None


def _received(message: Message) -> dict[str, Any]:
    return {
        "MessageId": message.id,
        "ReceiptHandle": message.receipt,
        "Body": message.body,
        "MD5OfBody": _md5(message.body),
        "Attributes": {
            "ApproximateReceiveCount": str(message.receives),
            "SentTimestamp": str(message.sent_at),
            **message.system,
        },
    }


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
