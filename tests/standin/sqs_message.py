"""A message in a queue, its attributes and their MD5s, its receipt handles, and what a receive tells of it."""

import base64
import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from .wire import Refusal


class Attribute(Struct, frozen=True, rename="pascal", omit_defaults=True):
    """A message attribute; `binary_value` is base64, as JSON carries it."""

    data_type: str
    string_value: str | None = None
    binary_value: str | None = None

    @property
    def size(self) -> int:
        """Bytes that it counts for in the size of a message, without its name."""
        value = base64.b64decode(self.binary_value) if self.binary_value else (self.string_value or "").encode()
        return len(self.data_type.encode()) + len(value)


class Message(Struct, eq=False):
    """One message.

    `sent_at` is epoch seconds; `visible_at` and `received_at` are of the event loop's clock. `receives` is what
    ApproximateReceiveCount tells, and goes on in a dead-letter queue; `receives_here` counts for the redrive policy.
    `spare` says that a copy may be handed out although the message is in flight.
    """

    id: str
    body: str
    sent_at: float
    attributes: Mapping[str, Attribute] = {}
    system: Mapping[str, str] = {}
    group: str | None = None
    visible_at: float = 0.0
    received_at: float = 0.0
    first_received: float = 0.0
    receives: int = 0
    receives_here: int = 0
    source_arn: str | None = None
    spare: bool = False


def receipt(queue: str, message: Message) -> str:
    """The handle of the message's latest receive. Opaque to callers, as AWS's is."""
    return base64.b64encode(f"{queue} {message.id} {message.receives}".encode()).decode()


def read_receipt(queue: str, handle: str) -> tuple[str, int]:
    """The message id and the receive that a handle stands for.

    Raises:
        Refusal: it is no handle of this queue.
    """
    try:
        name, message_id, receive = base64.b64decode(handle, validate=True).decode().split(" ")
        if name == queue:
            return message_id, int(receive)
    except ValueError:
        pass
    text = f'The input receipt handle "{handle}" is not a valid receipt handle.'
    raise Refusal("ReceiptHandleIsInvalid", text, 404)


def delivered(queue: str, message: Message, system: Iterable[str], attributes: Iterable[str]) -> dict[str, Any]:
    """What ReceiveMessage tells: only the system and message attributes that were asked for."""
    told: dict[str, Any] = {
        "MessageId": message.id,
        "ReceiptHandle": receipt(queue, message),
        "MD5OfBody": md5(message.body.encode()),
        "Body": message.body,
    }
    known = _system(message)
    wanted = set(system)
    if chosen := known if "All" in wanted else {name: known[name] for name in known if name in wanted}:
        told["Attributes"] = chosen
    asked = tuple(attributes)
    if mine := {name: one for name, one in message.attributes.items() if _asked(name, asked)}:
        told["MessageAttributes"] = msgspec.to_builtins(mine)
        told["MD5OfMessageAttributes"] = md5_of_attributes(mine)
    return told


def _system(message: Message) -> dict[str, str]:
    known = {
        "SenderId": "AIDASTANDIN",
        "SentTimestamp": str(int(message.sent_at * 1000)),
        "ApproximateReceiveCount": str(message.receives),
        "ApproximateFirstReceiveTimestamp": str(int(message.first_received * 1000)),
        **message.system,
    }
    if message.group is not None:
        known["MessageGroupId"] = message.group
    if message.source_arn is not None:
        known["DeadLetterQueueSourceArn"] = message.source_arn
    return known


def _asked(name: str, asked: tuple[str, ...]) -> bool:
    """Names are asked for one by one, by prefix (`bar.*`), or all of them (`All`, `.*`)."""
    return any(one in {"All", ".*", name} or (one.endswith(".*") and name.startswith(one[:-2])) for one in asked)


def md5(data: bytes) -> str:
    """MD5 in hexadecimal, by which callers check what was understood."""
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def md5_of_attributes(attributes: Mapping[str, Attribute]) -> str:
    """MD5 of message attributes (SQS developer guide, "Calculating the MD5 message digest for message attributes")."""
    parts = bytearray()
    for name, one in sorted(attributes.items()):
        binary = one.binary_value is not None
        value = base64.b64decode(one.binary_value or "") if binary else (one.string_value or "").encode()
        for part in (name.encode(), one.data_type.encode()):
            parts += len(part).to_bytes(4) + part
        parts += (b"\2" if binary else b"\1") + len(value).to_bytes(4) + value
    return md5(bytes(parts))
