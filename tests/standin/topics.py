"""SNS in memory: publish to queues, by filter policies on message attributes."""

import json
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from .queues import Queues


class Topics:
    """All topics, their subscriptions and what was published."""

    def __init__(self, queues: Queues) -> None:
        self.published: dict[str, list[str]] = {}
        self._queues = queues
        self._subscriptions: dict[str, list[tuple[str, dict[str, Any], bool]]] = {}

    def call(self, form: str) -> str:
        """Do one operation of the query protocol; the XML of its result."""
        request = dict(parse_qsl(form, keep_blank_values=True))
        action = request["Action"]
        if action == "CreateTopic":
            arn = f"arn:aws:sns:us-east-1:000000000000:{request['Name']}"
            self._subscriptions.setdefault(arn, [])
            self.published.setdefault(arn, [])
            return _xml(action, f"<TopicArn>{arn}</TopicArn>")
        if action == "Subscribe":
            attributes = _map(request, "Attributes.entry", "key", "value")
            policy = json.loads(attributes.get("FilterPolicy", "{}"))
            raw = attributes.get("RawMessageDelivery") == "true"
            self._subscriptions[request["TopicArn"]].append((request["Endpoint"], policy, raw))
            return _xml(action, "<SubscriptionArn>arn:aws:sns:us-east-1:000000000000:sub</SubscriptionArn>")
        if action == "Publish":
            return _xml(action, f"<MessageId>{self._publish(request)}</MessageId>")
        raise KeyError(action)

    def _publish(self, request: dict[str, str]) -> str:
        arn, message = request["TopicArn"], request["Message"]
        self.published[arn].append(message)
        attributes = _map(request, "MessageAttributes.entry", "Name", "Value.StringValue")
        told = {name: {"Type": "String", "Value": value} for name, value in attributes.items()}
        envelope = {
            "Type": "Notification",
            "MessageId": "0",
            "TopicArn": arn,
            "Message": message,
            "MessageAttributes": told,
        }
        for queue_arn, policy, raw in self._subscriptions[arn]:
            if matches(policy, attributes):
                body = message if raw else json.dumps(envelope)
                self._queues.put(self._queues.by_arn(queue_arn), body, {}, {})
        return str(len(self.published[arn]))


def matches(policy: dict[str, Any], attributes: dict[str, str]) -> bool:
    """Whether a filter policy lets these attributes through ("Amazon SNS subscription filter policies")."""
    for name, rules in policy.items():
        if name == "$or":
            if not any(matches(one, attributes) for one in rules):
                return False
        elif not any(_fits(rule, attributes.get(name)) for rule in rules):
            return False
    return True


def _fits(rule: Any, value: str | None) -> bool:
    if not isinstance(rule, dict):
        return bool(rule == value)
    if "exists" in rule:
        return bool(rule["exists"] == (value is not None))
    if "anything-but" in rule:
        return value is not None and value not in rule["anything-but"]
    return value is not None and value.startswith(rule.get("prefix", "\0"))


def _map(request: dict[str, str], base: str, key: str, value: str) -> dict[str, str]:
    found = {}
    for name, text in request.items():
        if name.startswith(f"{base}.") and name.endswith(f".{key}"):
            number = name[len(base) + 1 :].split(".")[0]
            found[text] = request.get(f"{base}.{number}.{value}", "")
    return found


def _xml(action: str, result: str) -> str:
    inside = f"<{action}Result>{result}</{action}Result><ResponseMetadata><RequestId>0</RequestId></ResponseMetadata>"
    return f'<{action}Response xmlns="http://sns.amazonaws.com/doc/2010-03-31/">{inside}</{action}Response>'


def error_xml(code: str, message: str) -> str:
    """An error as S3 and SNS answer it."""
    return f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
