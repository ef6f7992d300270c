"""A queue's attributes: what it is told, what of it is allowed, and what the queue makes of it."""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
from msgspec import Struct

from .wire import Refusal

_DEFAULTS = {
    "VisibilityTimeout": "30",
    "MessageRetentionPeriod": "345600",
    "DelaySeconds": "0",
    "MaximumMessageSize": "1048576",
    "ReceiveMessageWaitTimeSeconds": "0",
    "SqsManagedSseEnabled": "true",
}
_BOUNDS = {
    "VisibilityTimeout": (0, 43_200),
    "MessageRetentionPeriod": (60, 1_209_600),
    "DelaySeconds": (0, 900),
    "MaximumMessageSize": (1_024, 1_048_576),
    "ReceiveMessageWaitTimeSeconds": (0, 20),
}
_OTHERS = {"RedrivePolicy", "RedriveAllowPolicy", "Policy", "KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds"}


class Redrive(Struct, frozen=True, rename="camel"):
    """A redrive policy; AWS takes the count as a number or as a string."""

    dead_letter_target_arn: str
    max_receive_count: int


@dataclass(frozen=True, slots=True)
class Settings:
    """A queue's attributes as told (`told`), and those that matter here as numbers of seconds and bytes."""

    told: Mapping[str, str]
    visibility: int
    retention: int
    delay: int
    largest: int
    wait: int
    redrive: Redrive | None


def settings(told: Mapping[str, str], before: Settings | None = None) -> Settings:
    """Check attributes and put them over the former ones, or over SQS's defaults. An empty value removes one.

    Raises:
        Refusal: InvalidAttributeName or InvalidAttributeValue.
    """
    for name, value in told.items():
        _check(name, value)
    merged = {**(before.told if before else _DEFAULTS), **told}
    merged = {name: value or _DEFAULTS.get(name, "") for name, value in merged.items()}
    merged = {name: value for name, value in merged.items() if value}
    return Settings(
        told=merged,
        visibility=int(merged["VisibilityTimeout"]),
        retention=int(merged["MessageRetentionPeriod"]),
        delay=int(merged["DelaySeconds"]),
        largest=int(merged["MaximumMessageSize"]),
        wait=int(merged["ReceiveMessageWaitTimeSeconds"]),
        redrive=_redrive(merged["RedrivePolicy"]) if "RedrivePolicy" in merged else None,
    )


def _check(name: str, value: str) -> None:
    bounds = _BOUNDS.get(name)
    if bounds is None and name not in _DEFAULTS and name not in _OTHERS:
        raise Refusal("InvalidAttributeName", f"Unknown Attribute {name}.")
    if bounds is None or not value:
        return
    if not value.isdecimal() or not bounds[0] <= int(value) <= bounds[1]:
        raise Refusal("InvalidAttributeValue", f"Invalid value for the parameter {name}.")


def _redrive(text: str) -> Redrive:
    try:
        policy = msgspec.convert(msgspec.json.decode(text), Redrive, strict=False)
    except (msgspec.MsgspecError, UnicodeError) as error:
        text = f"Value {text} for parameter RedrivePolicy is invalid. Reason: {error}"
        raise Refusal("InvalidParameterValue", text) from error
    if not 1 <= policy.max_receive_count <= 1000:
        reason = "Invalid value for maxReceiveCount, must be between 1 and 1000."
        raise Refusal("InvalidParameterValue", f"Value {text} for parameter RedrivePolicy is invalid. Reason: {reason}")
    return policy
