"""SNS as the agent relies on it. Facts are of the Amazon SNS API reference and developer guide."""

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from darkroom_agent.errors import ServiceUnavailable
from darkroom_agent.sns import SnsTopic
from darkroom_contract.document import JobDocument
from darkroom_contract.job import State
from darkroom_contract.notification import notification_of

from .conftest import Aws

if TYPE_CHECKING:
    from types_aiobotocore_sns import SNSClient
    from types_aiobotocore_sqs import SQSClient
    from types_aiobotocore_sqs.type_defs import MessageTypeDef


def strings(values: dict[str, str]) -> Any:
    """Message attributes of type String."""
    return {name: {"DataType": "String", "StringValue": value} for name, value in values.items()}


async def listening(aws: Aws, sns: "SNSClient", sqs: "SQSClient", **attributes: str) -> tuple[str, str, str]:
    """A topic and a queue that is subscribed: the topic's ARN, the queue's URL, the subscription's ARN."""
    topic = (await sns.create_topic(Name=aws.name()))["TopicArn"]
    url = (await sqs.create_queue(QueueName=aws.name()))["QueueUrl"]
    queue = (await sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"]))["Attributes"]["QueueArn"]
    made = await sns.subscribe(
        TopicArn=topic, Protocol="sqs", Endpoint=queue, Attributes=attributes, ReturnSubscriptionArn=True
    )
    return topic, url, made["SubscriptionArn"]


async def take(sqs: "SQSClient", url: str, wait: int = 10) -> "MessageTypeDef | None":
    """The next message, or None."""
    answer = await sqs.receive_message(
        QueueUrl=url, WaitTimeSeconds=wait, MessageAttributeNames=["All"], MessageSystemAttributeNames=["All"]
    )
    return next(iter(answer.get("Messages", [])), None)


async def test_a_queue_gets_a_message_in_an_envelope(aws: Aws, sns: "SNSClient", sqs: "SQSClient") -> None:
    """The fields of "Amazon SNS message formats"; attributes are inside, not on the SQS message."""
    topic, url, subscription = await listening(aws, sns, sqs)
    attributes: Any = {
        **strings({"runtime": "sdxl"}),
        "count": {"DataType": "Number", "StringValue": "3"},
        "raw": {"DataType": "Binary", "BinaryValue": b"\x00\xff"},
    }
    text = '{"a": "h\u00e9 <&>"}'
    sent = await sns.publish(TopicArn=topic, Message=text, Subject="news", MessageAttributes=attributes)
    message = await take(sqs, url)
    assert message is not None
    assert "MessageAttributes" not in message
    envelope = json.loads(message["Body"])
    signed = {"Timestamp", "SignatureVersion", "Signature", "SigningCertURL", "UnsubscribeURL"}
    assert envelope.keys() == signed | {"Type", "MessageId", "TopicArn", "Subject", "Message", "MessageAttributes"}
    assert (envelope["Type"], envelope["TopicArn"], envelope["Subject"]) == ("Notification", topic, "news")
    assert (envelope["MessageId"], envelope["Message"]) == (sent["MessageId"], text)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", envelope["Timestamp"])
    assert envelope["UnsubscribeURL"].endswith(f"Action=Unsubscribe&SubscriptionArn={subscription}")
    assert envelope["MessageAttributes"] == {
        "runtime": {"Type": "String", "Value": "sdxl"},
        "count": {"Type": "Number", "Value": "3"},
        "raw": {"Type": "Binary", "Value": "AP8="},
    }


async def test_what_a_message_does_not_have_its_envelope_does_not_name(
    aws: Aws, sns: "SNSClient", sqs: "SQSClient"
) -> None:
    """No Subject, no MessageAttributes."""
    topic, url, _ = await listening(aws, sns, sqs)
    await sns.publish(TopicArn=topic, Message="plain")
    message = await take(sqs, url)
    assert message is not None
    assert not {"Subject", "MessageAttributes"} & json.loads(message["Body"]).keys()


async def test_raw_delivery_has_no_envelope(aws: Aws, sns: "SNSClient", sqs: "SQSClient") -> None:
    """The body is the message, and its attributes are SQS's ("Amazon SNS raw message delivery")."""
    topic, url, _ = await listening(aws, sns, sqs, RawMessageDelivery="true")
    await sns.publish(TopicArn=topic, Message="as it is", MessageAttributes=strings({"runtime": "sdxl"}))
    message = await take(sqs, url)
    assert message is not None
    assert message["Body"] == "as it is"
    assert message["MessageAttributes"]["runtime"] == {"DataType": "String", "StringValue": "sdxl"}


POLICIES: dict[str, tuple[Any, list[dict[str, str]], list[dict[str, str]]]] = {
    # name: policy, attributes that pass, attributes that do not
    "exact": ({"runtime": ["a", "b"]}, [{"runtime": "b"}, {"runtime": "a", "x": "y"}], [{"runtime": "c"}, {}]),
    "all names": ({"runtime": ["a"], "tenant": ["t"]}, [{"runtime": "a", "tenant": "t"}], [{"runtime": "a"}]),
    "anything-but": (
        {"priority": [{"anything-but": ["bulk", "idle"]}]},
        [{"priority": "normal"}],
        [{"priority": "bulk"}, {"priority": "idle"}, {"other": "x"}],
    ),
    "anything-but one": ({"p": [{"anything-but": "bulk"}]}, [{"p": "x"}], [{"p": "bulk"}]),
    "anything-but prefix": ({"p": [{"anything-but": {"prefix": "b-"}}]}, [{"p": "a-1"}], [{"p": "b-1"}]),
    "exists": ({"tenant": [{"exists": True}]}, [{"tenant": "t"}], [{"other": "x"}]),
    "exists not": ({"tenant": [{"exists": False}]}, [{"other": "x"}], [{"tenant": "t"}]),
    "prefix": ({"runtime": [{"prefix": "sd"}]}, [{"runtime": "sdxl"}], [{"runtime": "flux"}, {"other": "sd"}]),
    "suffix": ({"runtime": [{"suffix": "xl"}]}, [{"runtime": "sdxl"}], [{"runtime": "flux"}]),
    "any case": ({"runtime": [{"equals-ignore-case": "SDXL"}]}, [{"runtime": "sdxl"}], [{"runtime": "sdxl2"}]),
    "any of several": (
        {"priority": [{"anything-but": ["bulk"]}, {"exists": False}], "runtime": ["a"]},
        [{"runtime": "a"}, {"runtime": "a", "priority": "normal"}],
        [{"runtime": "a", "priority": "bulk"}],
    ),
    "or": (
        {"$or": [{"runtime": ["a"]}, {"model": ["m"]}]},
        [{"runtime": "a"}, {"model": "m", "runtime": "x"}],
        [{"runtime": "x"}],
    ),
}


@pytest.mark.parametrize("name", POLICIES)
async def test_a_filter_policy_lets_through_what_it_names(
    aws: Aws, sns: "SNSClient", sqs: "SQSClient", name: str
) -> None:
    """Each name by any of its conditions; what comes after what was rejected comes alone."""
    policy, accepted, rejected = POLICIES[name]
    topic, url, _ = await listening(aws, sns, sqs, FilterPolicy=json.dumps(policy), RawMessageDelivery="true")
    for attributes in rejected:
        await sns.publish(TopicArn=topic, Message=f"not {attributes}", MessageAttributes=strings(attributes))
    for attributes in accepted:
        await sns.publish(TopicArn=topic, Message=str(attributes), MessageAttributes=strings(attributes))
    got = []
    for _ in accepted:
        message = await take(sqs, url)
        assert message is not None
        got.append(message["Body"])
    assert sorted(got) == sorted(str(attributes) for attributes in accepted)
    assert await take(sqs, url, wait=0) is None


async def test_numbers_and_arrays_are_filtered_by_their_values(aws: Aws, sns: "SNSClient", sqs: "SQSClient") -> None:
    """A Number by range; a String.Array by any of its elements."""
    policy = {"steps": [{"numeric": [">=", 20, "<", 50]}], "tags": ["cat"]}
    topic, url, _ = await listening(aws, sns, sqs, FilterPolicy=json.dumps(policy), RawMessageDelivery="true")
    for steps, tags in (("50", '["cat"]'), ("20", '["dog"]'), ("20.5", '["dog", "cat"]')):
        attributes: Any = {
            "steps": {"DataType": "Number", "StringValue": steps},
            "tags": {"DataType": "String.Array", "StringValue": tags},
        }
        await sns.publish(TopicArn=topic, Message=steps, MessageAttributes=attributes)
    message = await take(sqs, url)
    assert message is not None
    assert message["Body"] == "20.5"
    assert await take(sqs, url, wait=0) is None


@pytest.mark.parametrize("policy", ["{", '{"a": "b"}', '{"a": [{"begins": "x"}]}', '{"a": [{"exists": "yes"}]}'])
async def test_a_wrong_filter_policy_is_refused(aws: Aws, sns: "SNSClient", sqs: "SQSClient", policy: str) -> None:
    """InvalidParameter, when subscribing and later."""
    with pytest.raises(sns.exceptions.InvalidParameterException):
        await listening(aws, sns, sqs, FilterPolicy=policy)
    _, _, subscription = await listening(aws, sns, sqs)
    with pytest.raises(sns.exceptions.InvalidParameterException):
        await sns.set_subscription_attributes(
            SubscriptionArn=subscription, AttributeName="FilterPolicy", AttributeValue=policy
        )


async def test_a_filter_policy_can_be_changed(aws: Aws, sns: "SNSClient", sqs: "SQSClient") -> None:
    """It holds for what is published next, and is told as it was given."""
    topic, url, subscription = await listening(aws, sns, sqs, FilterPolicy='{"runtime": ["a"]}')
    for name, value in (("FilterPolicy", '{"runtime": ["b"]}'), ("RawMessageDelivery", "true")):
        await sns.set_subscription_attributes(SubscriptionArn=subscription, AttributeName=name, AttributeValue=value)
    known = (await sns.get_subscription_attributes(SubscriptionArn=subscription))["Attributes"]
    assert (known["FilterPolicy"], known["RawMessageDelivery"]) == ('{"runtime": ["b"]}', "true")
    for runtime in "ab":
        await sns.publish(TopicArn=topic, Message=runtime, MessageAttributes=strings({"runtime": runtime}))
    message = await take(sqs, url)
    assert message is not None
    assert message["Body"] == "b"
    assert await take(sqs, url, wait=0) is None


async def test_a_batch_publishes_each_entry(aws: Aws, sns: "SNSClient", sqs: "SQSClient") -> None:
    """With its own attributes, under its own id."""
    topic, url, _ = await listening(aws, sns, sqs, FilterPolicy='{"runtime": ["a"]}')
    entries: Any = [
        {"Id": "one", "Message": "1", "MessageAttributes": strings({"runtime": "a"})},
        {"Id": "two", "Message": "2", "MessageAttributes": strings({"runtime": "b"})},
    ]
    sent = await sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=entries)
    assert sent["Failed"] == []
    ids = {one["Id"]: one["MessageId"] for one in sent["Successful"]}
    assert ids.keys() == {"one", "two"}
    message = await take(sqs, url)
    assert message is not None
    assert json.loads(message["Body"])["MessageId"] == ids["one"]
    assert await take(sqs, url, wait=0) is None


@pytest.mark.parametrize(
    ("ids", "code"),
    [(["a", "a"], "BatchEntryIdsNotDistinct"), ([str(n) for n in range(11)], "TooManyEntriesInBatchRequest")],
)
async def test_a_batch_that_breaks_the_rules_is_refused(
    aws: Aws, sns: "SNSClient", sqs: "SQSClient", ids: list[str], code: str
) -> None:
    """At most ten entries, with distinct ids."""
    topic, _, _ = await listening(aws, sns, sqs)
    entries: Any = [{"Id": one, "Message": "x"} for one in ids]
    with pytest.raises(ClientError) as error:
        await sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=entries)
    assert error.value.response["Error"]["Code"] == code


async def test_the_group_goes_with_the_message(aws: Aws, sns: "SNSClient", sqs: "SQSClient") -> None:
    """A standard topic hands MessageGroupId on to a standard queue, for fair queues."""
    topic, url, _ = await listening(aws, sns, sqs)
    await sns.publish(TopicArn=topic, Message="x", MessageGroupId="tenant-1")
    message = await take(sqs, url)
    assert message is not None
    assert message["Attributes"]["MessageGroupId"] == "tenant-1"


async def test_a_notification_has_attributes_for_filters_and_its_tenants_group(
    aws: Aws, sns: "SNSClient", sqs: "SQSClient"
) -> None:
    """A subscription can filter on runtime, status, tenant and webhook; what does not apply is absent."""
    topic, url, _ = await listening(aws, sns, sqs, RawMessageDelivery="true")
    document = JobDocument(id="a", runtime="sdxl", state=State.COMPLETED)
    told, results = notification_of(document, "s3://outputs/jobs/0/a.json"), SnsTopic(sns, topic)
    await results.publish(told, "ann", webhook=True)
    message = await take(sqs, url)
    assert message is not None
    assert message["Attributes"]["MessageGroupId"] == "ann"
    assert {name: one.get("StringValue") for name, one in message["MessageAttributes"].items()} == {
        "runtime": "sdxl",
        "status": "completed",
        "tenant": "ann",
        "webhook": "true",
    }
    await sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    await results.publish(told, None, webhook=False)
    message = await take(sqs, url)
    assert message is not None
    assert "MessageGroupId" not in message["Attributes"]
    assert message["MessageAttributes"].keys() == {"runtime", "status"}


async def test_the_trace_goes_with_the_message(aws: Aws, sns: "SNSClient", sqs: "SQSClient") -> None:
    """The publisher's X-Amzn-Trace-Id becomes AWSTraceHeader ("Active tracing in Amazon SNS", PassThrough)."""
    topic, url, _ = await listening(aws, sns, sqs)
    trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"

    def add(params: Any, **_: Any) -> None:
        params["headers"]["X-Amzn-Trace-Id"] = trace

    sns.meta.events.register("before-call.sns.Publish", add)
    await sns.publish(TopicArn=topic, Message="x")
    message = await take(sqs, url)
    assert message is not None
    assert message["Attributes"]["AWSTraceHeader"] == trace


async def test_subscribing_again_changes_nothing(aws: Aws, sns: "SNSClient", sqs: "SQSClient") -> None:
    """The same subscription is told, and the queue gets each message once; unsubscribed, it gets none."""
    topic, url, subscription = await listening(aws, sns, sqs, RawMessageDelivery="true")
    (known,) = (await sns.list_subscriptions_by_topic(TopicArn=topic))["Subscriptions"]
    assert (known["SubscriptionArn"], known["Protocol"], known["TopicArn"]) == (subscription, "sqs", topic)
    again = await sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=known["Endpoint"], ReturnSubscriptionArn=True)
    assert again["SubscriptionArn"] == subscription
    await sns.publish(TopicArn=topic, Message="once")
    message = await take(sqs, url)
    assert message is not None
    assert message["Body"] == "once"
    assert await take(sqs, url, wait=0) is None
    await sns.unsubscribe(SubscriptionArn=subscription)
    assert (await sns.list_subscriptions_by_topic(TopicArn=topic))["Subscriptions"] == []


async def test_making_a_topic_again_is_the_same_topic(aws: Aws, sns: "SNSClient") -> None:
    """CreateTopic is idempotent."""
    name = aws.name()
    made = [(await sns.create_topic(Name=name))["TopicArn"] for _ in range(2)]
    assert made[0] == made[1]
    assert made[0].endswith(f":{name}")


async def test_what_cannot_be_published_is_refused(aws: Aws, sns: "SNSClient", sqs: "SQSClient") -> None:
    """An empty message, one above 256 KiB, and an attribute without a value."""
    topic, _, _ = await listening(aws, sns, sqs)
    for text in ("", "x" * (256 * 1024 + 1)):
        with pytest.raises(sns.exceptions.InvalidParameterException):
            await sns.publish(TopicArn=topic, Message=text)
    with pytest.raises(ClientError) as error:
        await sns.publish(TopicArn=topic, Message="x", MessageAttributes=strings({"runtime": ""}))
    assert error.value.response["Error"]["Code"] == "ParameterValueInvalid"


async def test_a_probe_tells_nothing_and_finds_a_missing_topic(aws: Aws, sns: "SNSClient", sqs: "SQSClient") -> None:
    """The agent's question whether the topic works: SNS refuses the empty message, and nothing else."""
    topic, queue, _ = await listening(aws, sns, sqs)
    await SnsTopic(sns, topic).probe()
    assert await take(sqs, queue, wait=0) is None
    aws.emulator_differs("an empty message is refused before the topic is looked for")
    with pytest.raises(ServiceUnavailable, match="NotFound"):
        await SnsTopic(sns, topic + "x").probe()


async def test_a_topic_that_is_not_there_is_named_so(aws: Aws, sns: "SNSClient") -> None:
    """NotFound, with status 404."""
    missing = (await sns.create_topic(Name=aws.name()))["TopicArn"] + "x"
    with pytest.raises(sns.exceptions.NotFoundException) as error:
        await sns.publish(TopicArn=missing, Message="x")
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404
