"""SQS over AWS JSON 1.0: one function for each operation. The rules of a queue are in `sqs_queue.py`."""

import re
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from . import sqs_requests as ask
from .sqs_message import Attribute, Message, delivered, md5, md5_of_attributes
from .sqs_queue import Queue, Take
from .sqs_settings import Settings, settings
from .wire import ACCOUNT, REGION, Answer, Call, Refusal, Subject

_TARGET = "AmazonSQS."
_JSON = {"Content-Type": "application/x-amz-json-1.0"}
_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_QUERY_CODES = {"QueueDoesNotExist": "NonExistentQueue", "QueueNameExists": "QueueAlreadyExists"}
_PREFIXED = {
    "BatchEntryIdsNotDistinct",
    "BatchRequestTooLong",
    "EmptyBatchRequest",
    "InvalidBatchEntryId",
    "MessageNotInflight",
    "NonExistentQueue",
    "TooManyEntriesInBatchRequest",
    "UnsupportedOperation",
}


@dataclass(slots=True)
class Listed:
    """A queue, its settings, and the last counts that were told of it."""

    queue: Queue
    settings: Settings
    created: int = field(default_factory=lambda: int(time.time()))
    counted_at: float = float("-inf")
    counted: Mapping[str, int] = field(default_factory=dict)


class Sqs:
    """All queues. Counts of messages may be told up to `eventual` seconds late, as AWS's are."""

    def __init__(self, eventual: float = 0.0) -> None:
        self.queues: dict[str, Listed] = {}
        self._eventual = eventual

    def subject(self, call: Call) -> Subject:
        """The operation by X-Amz-Target, the queue by what the body says."""
        operation = call.headers["x-amz-target"].removeprefix(_TARGET)
        if operation not in _OPERATIONS:
            raise Refusal("UnsupportedOperation", f"The stand-in has no {operation}.")
        named = msgspec.json.decode(call.body, type=_Named)
        return Subject("sqs", operation, named.queue_name or named.queue_url.rsplit("/", 1)[-1])

    async def answer(self, call: Call, subject: Subject, *, twice: bool) -> Answer:
        """Do one operation. `twice`: received messages stay to be received again, a deleted one comes back."""
        model, operation = _OPERATIONS[subject.operation]
        try:
            request = msgspec.json.decode(call.body, type=model)
        except msgspec.ValidationError as error:
            raise Refusal("MissingParameter", f"The request is not valid: {error}") from error
        told = await operation(self, request, call.origin, twice)
        return Answer(200, msgspec.json.encode(told), _JSON)

    def refuse(self, refusal: Refusal, call: Call) -> Answer:
        """Write an error: its shape in the body, its older name in a header, which SDKs prefer."""
        body = {"__type": f"com.amazonaws.sqs#{refusal.code}", "message": refusal.message}
        blame = "Sender" if refusal.status < 500 else "Receiver"
        headers = _JSON | {"x-amzn-query-error": f"{_query_code(refusal)};{blame}"}
        return Answer(refusal.status, msgspec.json.encode(body), headers)

    def named(self, url_or_name: str) -> Listed:
        """A queue by its URL, ARN or name.

        Raises:
            Refusal: QueueDoesNotExist.
        """
        found = self.queues.get(re.split(r"[/:]", url_or_name)[-1])
        if found is None:
            raise Refusal("QueueDoesNotExist", "The specified queue does not exist.")
        return found

    def deliver(
        self, arn: str, body: str, attributes: Mapping[str, Attribute], system: Mapping[str, str], group: str | None
    ) -> None:
        """Take what a topic sends to a queue. If there is no such queue, it is lost, as in AWS."""
        listed = self.queues.get(arn.rsplit(":", 1)[-1])
        if listed is not None:
            message = Message(str(uuid.uuid4()), body, time.time(), attributes, system, group)
            listed.queue.send(message, listed.settings.delay)

    def close(self) -> None:
        """Stop the queues' clocks."""
        for listed in self.queues.values():
            listed.queue.close()

    async def _create(self, request: ask.CreateQueue, origin: str, _: bool) -> dict[str, Any]:
        name = request.queue_name
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,80}", name):
            text = "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"
            raise Refusal("InvalidParameterValue", text)
        there = self.queues.get(name)
        if there is None:
            made = settings(request.attributes)
            self.queues[name] = Listed(Queue(name, made.retention), made)
        elif any(there.settings.told.get(key) != value for key, value in request.attributes.items()):
            text = "A queue already exists with the same name and a different value for an attribute."
            raise Refusal("QueueNameExists", text)
        return {"QueueUrl": _url(origin, name)}

    async def _get_url(self, request: ask.GetQueueUrl, origin: str, _: bool) -> dict[str, Any]:
        return {"QueueUrl": _url(origin, self.named(request.queue_name).queue.name)}

    async def _list(self, request: ask.ListQueues, origin: str, _: bool) -> dict[str, Any]:
        found = [_url(origin, name) for name in sorted(self.queues) if name.startswith(request.queue_name_prefix)]
        return {"QueueUrls": found} if found else {}

    async def _get_attributes(self, request: ask.GetQueueAttributes, *_: Any) -> dict[str, Any]:
        listed = self.named(request.queue_url)
        counts = self._counts(listed)
        known = {
            **listed.settings.told,
            "QueueArn": arn_of(listed.queue.name),
            "CreatedTimestamp": str(listed.created),
            "ApproximateNumberOfMessages": str(counts.get("visible", 0)),
            "ApproximateNumberOfMessagesNotVisible": str(counts.get("in_flight", 0)),
            "ApproximateNumberOfMessagesDelayed": str(counts.get("delayed", 0)),
        }
        wanted = request.attribute_names
        found = {name: value for name, value in known.items() if name in wanted or "All" in wanted}
        return {"Attributes": found} if found else {}

    def _counts(self, listed: Listed) -> Mapping[str, int]:
        now = time.monotonic()
        if now - listed.counted_at >= self._eventual:
            listed.counted, listed.counted_at = listed.queue.states(), now
        return listed.counted

    async def _set_attributes(self, request: ask.SetQueueAttributes, *_: Any) -> dict[str, Any]:
        listed = self.named(request.queue_url)
        listed.settings = settings(request.attributes, listed.settings)
        listed.queue.retention = listed.settings.retention
        return {}

    async def _send(self, request: ask.SendMessage, *_: Any) -> dict[str, Any]:
        return self._put(self.named(request.queue_url), request)

    async def _send_batch(self, request: ask.SendMessageBatch, *_: Any) -> dict[str, Any]:
        listed = self.named(request.queue_url)
        ask.check_batch(request.entries)
        size = sum(entry.size for entry in request.entries)
        if size > 1 << 20:
            text = f"Batch requests cannot be longer than {1 << 20} bytes. You have sent {size} bytes."
            raise Refusal("BatchRequestTooLong", text)
        return _each(request.entries, lambda entry: self._put(listed, entry))

    def _put(self, listed: Listed, one: ask.Outgoing) -> dict[str, Any]:
        _check_message(one, listed.settings.largest)
        delay = listed.settings.delay if one.delay_seconds is None else one.delay_seconds
        ask.between("DelaySeconds", delay, 0, 900)
        system = {name: value.string_value or "" for name, value in one.message_system_attributes.items()}
        attributes = one.message_attributes
        message = Message(str(uuid.uuid4()), one.message_body, time.time(), attributes, system, one.message_group_id)
        listed.queue.send(message, delay)
        told = {"MessageId": message.id, "MD5OfMessageBody": md5(one.message_body.encode())}
        if attributes:
            told["MD5OfMessageAttributes"] = md5_of_attributes(attributes)
        if system:
            told["MD5OfMessageSystemAttributes"] = md5_of_attributes(one.message_system_attributes)
        return told

    async def _receive(self, request: ask.ReceiveMessage, _: str, twice: bool) -> dict[str, Any]:
        listed = self.named(request.queue_url)
        given = request.visibility_timeout
        visibility = listed.settings.visibility if given is None else given
        wait = listed.settings.wait if request.wait_time_seconds is None else request.wait_time_seconds
        ask.between("MaxNumberOfMessages", request.max_number_of_messages, 1, 10)
        ask.between("VisibilityTimeout", visibility, 0, 43_200)
        ask.between("WaitTimeSeconds", wait, 0, 20)
        take = Take(request.max_number_of_messages, visibility, **self._redrive(listed), twice=twice)
        taken = await listed.queue.receive(take, wait)
        system = request.message_system_attribute_names or request.attribute_names
        name = listed.queue.name
        told = [delivered(name, message, system, request.message_attribute_names) for message in taken]
        return {"Messages": told} if told else {}

    def _redrive(self, listed: Listed) -> dict[str, Any]:
        """How often a message may be received, and where it goes then: nowhere if that queue is gone."""
        policy = listed.settings.redrive
        target = self.queues.get(policy.dead_letter_target_arn.rsplit(":", 1)[-1]) if policy else None
        if policy is None or target is None:
            return {}

        def bury(message: Message) -> None:
            message.source_arn, message.receives_here, message.spare = arn_of(listed.queue.name), 0, False
            target.queue.send(message)

        return {"most": policy.max_receive_count, "bury": bury}

    async def _change(self, request: ask.ChangeMessageVisibility, *_: Any) -> dict[str, Any]:
        _change(self.named(request.queue_url), request)
        return {}

    async def _change_batch(self, request: ask.HeldBatch, *_: Any) -> dict[str, Any]:
        listed = self.named(request.queue_url)
        ask.check_batch(request.entries)
        return _each(request.entries, lambda entry: _change(listed, entry))

    async def _delete(self, request: ask.DeleteMessage, _: str, twice: bool) -> dict[str, Any]:
        self.named(request.queue_url).queue.delete(request.receipt_handle, twice=twice)
        return {}

    async def _delete_batch(self, request: ask.HeldBatch, _: str, twice: bool) -> dict[str, Any]:
        queue = self.named(request.queue_url).queue
        ask.check_batch(request.entries)
        return _each(request.entries, lambda entry: queue.delete(entry.receipt_handle, twice=twice))

    async def _purge(self, request: ask.Queued, *_: Any) -> dict[str, Any]:
        self.named(request.queue_url).queue.purge()
        return {}

    async def _remove(self, request: ask.Queued, *_: Any) -> dict[str, Any]:
        listed = self.named(request.queue_url)
        listed.queue.close()
        del self.queues[listed.queue.name]
        return {}


class _Named(msgspec.Struct, rename="pascal"):
    queue_url: str = ""
    queue_name: str = ""


# A campaign purges and makes queues again at will: AWS's 60 seconds between two purges, and before a deleted queue's
# name is free again, are left out.
_OPERATIONS: dict[str, tuple[Any, Callable[[Sqs, Any, str, bool], Awaitable[dict[str, Any]]]]] = {
    "CreateQueue": (ask.CreateQueue, Sqs._create),
    "GetQueueUrl": (ask.GetQueueUrl, Sqs._get_url),
    "ListQueues": (ask.ListQueues, Sqs._list),
    "GetQueueAttributes": (ask.GetQueueAttributes, Sqs._get_attributes),
    "SetQueueAttributes": (ask.SetQueueAttributes, Sqs._set_attributes),
    "SendMessage": (ask.SendMessage, Sqs._send),
    "SendMessageBatch": (ask.SendMessageBatch, Sqs._send_batch),
    "ReceiveMessage": (ask.ReceiveMessage, Sqs._receive),
    "ChangeMessageVisibility": (ask.ChangeMessageVisibility, Sqs._change),
    "ChangeMessageVisibilityBatch": (ask.HeldBatch, Sqs._change_batch),
    "DeleteMessage": (ask.DeleteMessage, Sqs._delete),
    "DeleteMessageBatch": (ask.HeldBatch, Sqs._delete_batch),
    "PurgeQueue": (ask.Queued, Sqs._purge),
    "DeleteQueue": (ask.Queued, Sqs._remove),
}


def arn_of(name: str) -> str:
    """A queue's ARN."""
    return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"


def _url(origin: str, name: str) -> str:
    return f"{origin}/{ACCOUNT}/{name}"


def _query_code(refusal: Refusal) -> str:
    code = _QUERY_CODES.get(refusal.code, refusal.code)
    return f"AWS.SimpleQueueService.{code}" if code in _PREFIXED else code


def _change(listed: Listed, one: ask.Held) -> None:
    ask.between("VisibilityTimeout", one.visibility_timeout, 0, 43_200)
    listed.queue.change_visibility(one.receipt_handle, one.visibility_timeout)


def _check_message(one: ask.Outgoing, largest: int) -> None:
    if not one.message_body:
        raise Refusal("MissingParameter", "The request must contain the parameter MessageBody.")
    if found := _UNFIT.search(one.message_body):
        text = f"Invalid binary character '#x{ord(found[0]):X}' was found in the message body"
        raise Refusal("InvalidMessageContents", f"{text}, the set of allowed characters is #x9 | #xA | #xD | #x20 …")
    if one.size > largest:
        text = f"One or more parameters are invalid. Reason: Message must be shorter than {largest} bytes."
        raise Refusal("InvalidParameterValue", text)


def _each(entries: tuple[Any, ...], work: Callable[[Any], dict[str, Any] | None]) -> dict[str, Any]:
    """Do each entry of a batch for itself."""
    done, failed = [], []
    for entry in entries:
        try:
            done.append({"Id": entry.id, **(work(entry) or {})})
        except Refusal as refusal:
            told = {"Code": _query_code(refusal), "Message": refusal.message, "SenderFault": True}
            failed.append({"Id": entry.id, **told})
    return {"Successful": done, "Failed": failed} if failed else {"Successful": done}
