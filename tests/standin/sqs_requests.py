"""What SQS's operations are asked, as AWS JSON 1.0 carries it (Amazon SQS API reference)."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from .sqs_message import Attribute
from .wire import Refusal


class Queued(Struct, frozen=True, rename="pascal", kw_only=True):
    """Part of every request about one queue."""

    queue_url: str


class CreateQueue(Struct, frozen=True, rename="pascal"):
    queue_name: str
    attributes: Mapping[str, str] = {}


class GetQueueUrl(Struct, frozen=True, rename="pascal"):
    queue_name: str


class ListQueues(Struct, frozen=True, rename="pascal"):
    queue_name_prefix: str = ""


class GetQueueAttributes(Queued, frozen=True, kw_only=True):
    attribute_names: tuple[str, ...] = ()


class SetQueueAttributes(Queued, frozen=True, kw_only=True):
    attributes: Mapping[str, str]


class Outgoing(Struct, frozen=True, rename="pascal", kw_only=True):
    """A message to send; `id` is its name within a batch."""

    id: str = ""
    message_body: str
    delay_seconds: int | None = None
    message_attributes: Mapping[str, Attribute] = {}
    message_system_attributes: Mapping[str, Attribute] = {}
    message_group_id: str | None = None

    @property
    def size(self) -> int:
        """Bytes that count against the queue's limit."""
        named = sum(len(name.encode()) + one.size for name, one in self.message_attributes.items())
        return len(self.message_body.encode()) + named


class SendMessage(Outgoing, frozen=True, kw_only=True):
    queue_url: str


class SendMessageBatch(Queued, frozen=True, kw_only=True):
    entries: tuple[Outgoing, ...]


class ReceiveMessage(Queued, frozen=True, kw_only=True):
    max_number_of_messages: int = 1
    wait_time_seconds: int | None = None
    visibility_timeout: int | None = None
    attribute_names: tuple[str, ...] = ()
    message_system_attribute_names: tuple[str, ...] = ()
    message_attribute_names: tuple[str, ...] = ()


class Held(Struct, frozen=True, rename="pascal", kw_only=True):
    """A message in flight, by its receipt; `id` is its name within a batch."""

    id: str = ""
    receipt_handle: str
    visibility_timeout: int = 0


class DeleteMessage(Held, frozen=True, kw_only=True):
    queue_url: str


class ChangeMessageVisibility(Held, frozen=True, kw_only=True):
    queue_url: str
    visibility_timeout: int


class HeldBatch(Queued, frozen=True, kw_only=True):
    entries: tuple[Held, ...]


def between(name: str, value: int, low: int, high: int) -> None:
    """Check a bounded parameter.

    Raises:
        Refusal: InvalidParameterValue, in SQS's words.
    """
    if not low <= value <= high:
        reason = f"Must be between {low} and {high}, if provided."
        raise Refusal("InvalidParameterValue", f"Value {value} for parameter {name} is invalid. Reason: {reason}")


def check_batch(entries: tuple[Any, ...]) -> None:
    """Check what every batch has to keep: 1 … 10 entries with distinct ids.

    Raises:
        Refusal: as SQS does.
    """
    ids = [entry.id for entry in entries]
    if not ids:
        raise Refusal("EmptyBatchRequest", "There should be at least one entry in the request.")
    if len(ids) > 10:
        text = f"Maximum number of entries per request are 10. You have sent {len(ids)}."
        raise Refusal("TooManyEntriesInBatchRequest", text)
    for one in ids:
        if not (0 < len(one) <= 80 and one.replace("-", "").replace("_", "").isalnum()):
            text = "A batch entry id can only contain alphanumeric characters, hyphens and underscores."
            raise Refusal("InvalidBatchEntryId", f"{text} It can be at most 80 letters long.")
    if repeated := next((one for one in ids if ids.count(one) > 1), None):
        raise Refusal("BatchEntryIdsNotDistinct", f"Id {repeated} repeated.")
