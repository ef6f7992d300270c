"""SNS over the query protocol: topics, subscriptions of queues, and publishing to them."""

import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from . import query
from .sns_filter import Policy, accepts, read_policy
from .sns_message import Published, envelope, read_message
from .sqs import Sqs
from .sqs_requests import check_batch
from .wire import ACCOUNT, REGION, Answer, Call, Refusal, Subject

_NAMESPACE = "http://sns.amazonaws.com/doc/2010-03-31/"
_ATTRIBUTES = {"FilterPolicy", "FilterPolicyScope", "RawMessageDelivery", "RedrivePolicy"}


@dataclass(slots=True)
class Subscription:
    """A queue's subscription; `policy` is the parsed filter policy."""

    arn: str
    topic: str
    endpoint: str
    attributes: dict[str, str] = field(default_factory=dict)
    policy: Policy | None = None

    @property
    def raw(self) -> bool:
        """Whether the queue gets the message without an envelope."""
        return self.attributes.get("RawMessageDelivery", "false").lower() == "true"

    def set(self, name: str, value: str) -> None:
        """Change an attribute.

        Raises:
            Refusal: InvalidParameter.
        """
        if name not in _ATTRIBUTES:
            raise Refusal("InvalidParameter", "Invalid parameter: AttributeName")
        if name == "FilterPolicyScope" and value != "MessageAttributes":
            raise Refusal("InvalidParameter", "Invalid parameter: the stand-in filters by MessageAttributes only")
        if name == "FilterPolicy":
            self.policy = read_policy(value) if value else None
        self.attributes[name] = value


@dataclass(slots=True)
class Topic:
    """A topic: who listens, and all that was ever published."""

    arn: str
    subscriptions: list[Subscription] = field(default_factory=list)
    published: list[Published] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Request:
    form: Mapping[str, str]
    trace_header: str | None
    twice: bool


class Sns:
    """All topics. They deliver straight into the queues of the same stand-in."""

    def __init__(self, queues: Sqs) -> None:
        self.topics: dict[str, Topic] = {}
        self._queues = queues

    def subject(self, call: Call) -> Subject:
        """The operation by the form's Action, the topic by its ARN."""
        form = query.parameters(call.body)
        operation = form.get("Action", "")
        if operation not in _OPERATIONS:
            raise Refusal("InvalidAction", f"The stand-in has no {operation}.")
        arn = form.get("TopicArn") or form.get("SubscriptionArn", "").rpartition(":")[0]
        return Subject("sns", operation, form.get("Name") or arn.rsplit(":", 1)[-1])

    async def answer(self, call: Call, subject: Subject, *, twice: bool) -> Answer:
        """Do one operation. `twice`: what is published is delivered twice, as SNS may do."""
        # Without active tracing a topic passes on the header that it got ("Active tracing in Amazon SNS").
        request = _Request(query.parameters(call.body), call.headers.get("x-amzn-trace-id"), twice)
        result = _OPERATIONS[subject.operation](self, request)
        return query.answered(subject.operation, _NAMESPACE, str(uuid.uuid4()), result)

    def refuse(self, refusal: Refusal, call: Call) -> Answer:
        """Write an error."""
        return query.refused(refusal, _NAMESPACE, str(uuid.uuid4()))

    def _topic(self, request: _Request) -> Topic:
        topic = self.topics.get(query.required(request.form, "TopicArn"))
        if topic is None:
            raise Refusal("NotFound", "Topic does not exist", 404)
        return topic

    def _subscription(self, request: _Request) -> Subscription:
        arn = query.required(request.form, "SubscriptionArn")
        for topic in self.topics.values():
            for one in topic.subscriptions:
                if one.arn == arn:
                    return one
        raise Refusal("NotFound", "Subscription does not exist", 404)

    def _create(self, request: _Request) -> Any:
        name = query.required(request.form, "Name")
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", name):
            raise Refusal("InvalidParameter", "Invalid parameter: Topic Name")
        arn = f"arn:aws:sns:{REGION}:{ACCOUNT}:{name}"
        self.topics.setdefault(arn, Topic(arn))
        return {"TopicArn": arn}

    def _delete(self, request: _Request) -> Any:
        self.topics.pop(query.required(request.form, "TopicArn"), None)

    def _list(self, _: _Request) -> Any:
        return {"Topics": [{"TopicArn": arn} for arn in self.topics]}

    def _get_attributes(self, request: _Request) -> Any:
        topic = self._topic(request)
        count = str(len(topic.subscriptions))
        known = (("TopicArn", topic.arn), ("Owner", ACCOUNT), ("SubscriptionsConfirmed", count))
        return {"Attributes": known}

    def _subscribe(self, request: _Request) -> Any:
        topic, endpoint = self._topic(request), query.required(request.form, "Endpoint")
        if query.required(request.form, "Protocol") != "sqs":
            raise Refusal("InvalidParameter", "Invalid parameter: the stand-in knows the protocol sqs only")
        if not endpoint.startswith("arn:aws:sqs:"):
            raise Refusal("InvalidParameter", "Invalid parameter: SQS endpoint ARN")
        attributes = query.pairs(request.form, "Attributes")
        made = Subscription(f"{topic.arn}:{uuid.uuid4()}", topic.arn, endpoint)
        for name, value in attributes.items():
            made.set(name, value)
        there = next((one for one in topic.subscriptions if one.endpoint == endpoint), None)
        if there is None:
            topic.subscriptions.append(made)
        elif attributes and made.attributes != there.attributes:
            text = "Invalid parameter: Attributes Reason: Subscription already exists with different attributes"
            raise Refusal("InvalidParameter", text)
        return {"SubscriptionArn": (there or made).arn}

    def _unsubscribe(self, request: _Request) -> Any:
        arn = query.required(request.form, "SubscriptionArn")
        for topic in self.topics.values():
            topic.subscriptions = [one for one in topic.subscriptions if one.arn != arn]

    def _set_subscription(self, request: _Request) -> Any:
        form = request.form
        self._subscription(request).set(query.required(form, "AttributeName"), form.get("AttributeValue", ""))

    def _get_subscription(self, request: _Request) -> Any:
        one = self._subscription(request)
        known = {"SubscriptionArn": one.arn, "TopicArn": one.topic, "Protocol": "sqs", "Endpoint": one.endpoint}
        known |= {"RawMessageDelivery": "false", "Owner": ACCOUNT, "PendingConfirmation": "false", **one.attributes}
        return {"Attributes": tuple(known.items())}

    def _list_subscriptions(self, request: _Request) -> Any:
        return {
            "Subscriptions": [
                {"SubscriptionArn": one.arn, "Owner": ACCOUNT, "Protocol": "sqs", "Endpoint": one.endpoint}
                | {"TopicArn": one.topic}
                for one in self._topic(request).subscriptions
            ]
        }

    def _publish(self, request: _Request) -> Any:
        topic = self._topic(request)
        published = read_message(topic.arn, request.form, request.trace_header)
        self._deliver(topic, published, 2 if request.twice else 1)
        return {"MessageId": published.id}

    def _publish_batch(self, request: _Request) -> Any:
        topic = self._topic(request)
        entries = list(query.members(request.form, "PublishBatchRequestEntries.member"))
        check_batch(tuple(_Entry(entry.get("Id", "")) for entry in entries))
        done, failed = [], []
        for entry in entries:
            try:
                published = read_message(topic.arn, entry, request.trace_header)
            except Refusal as refusal:
                told = {"Code": refusal.code, "Message": refusal.message, "SenderFault": "true"}
                failed.append({"Id": entry["Id"], **told})
                continue
            self._deliver(topic, published, 2 if request.twice else 1)
            done.append({"Id": entry["Id"], "MessageId": published.id})
        return {"Successful": done, "Failed": failed}

    def _deliver(self, topic: Topic, published: Published, copies: int) -> None:
        topic.published.append(published)
        system = {"AWSTraceHeader": published.trace_header} if published.trace_header else {}
        for one in topic.subscriptions:
            if one.policy is not None and not accepts(one.policy, published.attributes):
                continue
            body = published.message if one.raw else envelope(published, one.arn)
            attributes = published.attributes if one.raw else {}
            for _ in range(copies):
                self._queues.deliver(one.endpoint, body, attributes, system, published.group)


@dataclass(frozen=True, slots=True)
class _Entry:
    id: str


_OPERATIONS: dict[str, Callable[[Sns, _Request], Any]] = {
    "CreateTopic": Sns._create,
    "DeleteTopic": Sns._delete,
    "ListTopics": Sns._list,
    "GetTopicAttributes": Sns._get_attributes,
    "Subscribe": Sns._subscribe,
    "Unsubscribe": Sns._unsubscribe,
    "SetSubscriptionAttributes": Sns._set_subscription,
    "GetSubscriptionAttributes": Sns._get_subscription,
    "ListSubscriptionsByTopic": Sns._list_subscriptions,
    "Publish": Sns._publish,
    "PublishBatch": Sns._publish_batch,
}
