"""What a topic takes and what it hands on: attributes, the envelope, the message as a queue gets it."""

import base64
import re
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from .query import members
from .sqs_message import Attribute
from .wire import REGION, Refusal

MAX_BYTES = 256 * 1024
_HOST = f"https://sns.{REGION}.amazonaws.com"
# Nobody can check a signature without SNS's key; it only has to look like one.
_SIGNATURE = base64.b64encode(b"signed by nobody: this is a stand-in for SNS").decode()


@dataclass(frozen=True, slots=True)
class Published:
    """One message as a topic took it; `at` is epoch seconds."""

    topic: str
    message: str
    attributes: Mapping[str, Attribute]
    subject: str | None = None
    group: str | None = None
    trace_header: str | None = None
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    at: float = field(default_factory=time.time)


def read_message(topic: str, form: Mapping[str, str], trace_header: str | None) -> Published:
    """The message in a Publish, or in an entry of a PublishBatch.

    Raises:
        Refusal: InvalidParameter or ParameterValueInvalid, in SNS's words.
    """
    text = form.get("Message", "")
    if not text:
        raise Refusal("InvalidParameter", "Invalid parameter: Empty message")
    attributes = {entry["Name"]: _attribute(entry["Name"], entry) for entry in members(form, "MessageAttributes.entry")}
    size = len(text.encode()) + sum(len(name.encode()) + one.size for name, one in attributes.items())
    if size > MAX_BYTES:
        raise Refusal("InvalidParameter", "Invalid parameter: Message too long")
    return Published(topic, text, attributes, form.get("Subject"), form.get("MessageGroupId"), trace_header)


def _attribute(name: str, entry: Mapping[str, str]) -> Attribute:
    kind, binary = entry.get("Value.DataType", ""), entry.get("Value.BinaryValue")
    if not re.match(r"(String|Number|Binary)(\.|$)", kind):
        text = f"The message attribute '{name}' has an invalid message attribute type, the set of supported type "
        raise Refusal("ParameterValueInvalid", text + "prefixes is Binary, Number, and String.")
    value = entry.get("Value.StringValue", "")
    if not (binary if kind.startswith("Binary") else value):
        text = f"The message attribute '{name}' must contain non-empty message attribute value for message attribute "
        raise Refusal("ParameterValueInvalid", f"{text}type '{kind}'.")
    if kind.startswith("Number") and not _is_number(value):
        text = f"Could not cast message attribute '{name}' value to number."
        raise Refusal("ParameterValueInvalid", text)
    return Attribute(kind, None, binary) if kind.startswith("Binary") else Attribute(kind, value)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def envelope(published: Published, subscription_arn: str) -> str:
    """The body that a queue gets, unless delivery is raw (SNS developer guide, "Parsing message formats")."""
    told: dict[str, Any] = {"Type": "Notification", "MessageId": published.id, "TopicArn": published.topic}
    if published.subject is not None:
        told["Subject"] = published.subject
    told |= {
        "Message": published.message,
        "Timestamp": timestamp(published.at),
        "SignatureVersion": "1",
        "Signature": _SIGNATURE,
        "SigningCertURL": f"{_HOST}/SimpleNotificationService-standin.pem",
        "UnsubscribeURL": f"{_HOST}/?Action=Unsubscribe&SubscriptionArn={subscription_arn}",
    }
    if published.attributes:
        told["MessageAttributes"] = {
            name: {"Type": one.data_type, "Value": one.string_value or one.binary_value}
            for name, one in published.attributes.items()
        }
    return msgspec.json.encode(told).decode()


def timestamp(at: float) -> str:
    """A moment as SNS and S3 write it: UTC with milliseconds."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at)) + f".{int(at * 1000) % 1000:03d}Z"
