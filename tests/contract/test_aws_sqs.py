"""SQS's queues and messages as the agent relies on them (Amazon SQS API reference and developer guide)."""

import asyncio
import hashlib
import time
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from .conftest import Aws
from .sqs_calls import counts, let_arrive, make, take, take_one

if TYPE_CHECKING:
    from types_aiobotocore_sqs import SQSClient


def md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


async def test_a_message_comes_as_it_went(aws: Aws, sqs: "SQSClient") -> None:
    """Body, attributes, trace header and group arrive; both sides' MD5s agree with what was sent."""
    url = await make(sqs, aws)
    trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
    attributes: Any = {
        "runtime": {"DataType": "String", "StringValue": "sdxl"},
        "count": {"DataType": "Number", "StringValue": "7"},
        "raw": {"DataType": "Binary", "BinaryValue": b"\x00\x01\xff"},
    }
    sent = await sqs.send_message(
        QueueUrl=url,
        MessageBody="h\u00e9llo \U0001f5bc",
        MessageAttributes=attributes,
        MessageSystemAttributes={"AWSTraceHeader": {"DataType": "String", "StringValue": trace}},
        MessageGroupId="tenant-1",
    )
    got = await take_one(sqs, url)
    assert sent["MD5OfMessageBody"] == got["MD5OfBody"] == md5("h\u00e9llo \U0001f5bc".encode())
    # "Calculating the MD5 message digest for message attributes": sorted by name, each part after its length.
    digested = [
        *(b"\0\0\0\5count", b"\0\0\0\6Number", b"\1\0\0\0\0017"),
        *(b"\0\0\0\3raw", b"\0\0\0\6Binary", b"\2\0\0\0\3\x00\x01\xff"),
        *(b"\0\0\0\7runtime", b"\0\0\0\6String", b"\1\0\0\0\4sdxl"),
    ]
    assert sent["MD5OfMessageAttributes"] == got["MD5OfMessageAttributes"] == md5(b"".join(digested))
    assert (got["MessageId"], got["Body"]) == (sent["MessageId"], "h\u00e9llo \U0001f5bc")
    assert got["MessageAttributes"]["raw"]["BinaryValue"] == b"\x00\x01\xff"
    assert got["MessageAttributes"]["count"]["StringValue"] == "7"
    system = got["Attributes"]
    assert system["AWSTraceHeader"] == trace
    assert system["MessageGroupId"] == "tenant-1"
    assert system["ApproximateReceiveCount"] == "1"
    assert abs(int(system["SentTimestamp"]) / 1000 - time.time()) < 30
    assert int(system["ApproximateFirstReceiveTimestamp"]) >= int(system["SentTimestamp"])


async def test_only_what_is_asked_for_is_told(aws: Aws, sqs: "SQSClient") -> None:
    """Without names no attributes come; message attributes can be asked for by prefix."""
    url = await make(sqs, aws)
    attributes: Any = {name: {"DataType": "String", "StringValue": "v"} for name in ("app.a", "app.b", "other")}
    await sqs.send_message(QueueUrl=url, MessageBody="x", MessageAttributes=attributes)
    bare = (await sqs.receive_message(QueueUrl=url, VisibilityTimeout=0, WaitTimeSeconds=5))["Messages"][0]
    assert not bare.get("Attributes")
    assert not bare.get("MessageAttributes")
    some = await sqs.receive_message(
        QueueUrl=url,
        WaitTimeSeconds=5,
        MessageAttributeNames=["app.*"],
        MessageSystemAttributeNames=["ApproximateReceiveCount"],
    )
    assert some["Messages"][0]["MessageAttributes"].keys() == {"app.a", "app.b"}
    assert some["Messages"][0]["Attributes"] == {"ApproximateReceiveCount": "2"}


async def test_a_long_poll_wakes_for_a_new_message(aws: Aws, sqs: "SQSClient") -> None:
    """It does not wait its time out."""
    url = await make(sqs, aws)
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        waiting = group.create_task(take_one(sqs, url, wait=20))
        await let_arrive(sqs, url)
        await sqs.send_message(QueueUrl=url, MessageBody="now")
    assert waiting.result()["Body"] == "now"


async def test_a_long_poll_of_an_empty_queue_waits_its_time(aws: Aws, sqs: "SQSClient") -> None:
    """The queue's ReceiveMessageWaitTimeSeconds holds where the receive says nothing."""
    url = await make(sqs, aws, ReceiveMessageWaitTimeSeconds="1")
    began = time.monotonic()
    assert "Messages" not in await sqs.receive_message(QueueUrl=url)
    assert 0.9 < time.monotonic() - began < 3


async def test_each_message_goes_to_one_of_many_that_wait(aws: Aws, sqs: "SQSClient") -> None:
    """Eight long polls, eight messages: each gets one."""
    url = await make(sqs, aws)
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        waiting = [group.create_task(take_one(sqs, url, wait=20)) for _ in range(8)]
        await let_arrive(sqs, url)
        for index in range(8):
            await sqs.send_message(QueueUrl=url, MessageBody=str(index))
    assert sorted(task.result()["Body"] for task in waiting) == [str(index) for index in range(8)]


async def test_a_receive_takes_no_more_than_it_asked_for(aws: Aws, sqs: "SQSClient") -> None:
    """MaxNumberOfMessages bounds it; the rest stays."""
    url = await make(sqs, aws)
    entries: Any = [{"Id": str(index), "MessageBody": str(index)} for index in range(5)]
    await sqs.send_message_batch(QueueUrl=url, Entries=entries)
    assert len(await take(sqs, url, most=3)) == 3
    assert len(await take(sqs, url, most=10)) == 2


async def test_counts_follow_messages(aws: Aws, sqs: "SQSClient") -> None:
    """Visible, in flight, gone."""
    url = await make(sqs, aws)
    entries: Any = [{"Id": str(index), "MessageBody": str(index)} for index in range(3)]
    await sqs.send_message_batch(QueueUrl=url, Entries=entries)
    message = await take_one(sqs, url)
    assert await counts(sqs, url) == (2, 1, 0)
    await sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    assert await counts(sqs, url) == (2, 0, 0)
    await sqs.purge_queue(QueueUrl=url)
    assert await counts(sqs, url) == (0, 0, 0)


async def test_batches_do_each_entry_for_itself(aws: Aws, sqs: "SQSClient") -> None:
    """What fails is told by id and code; the rest is done."""
    url = await make(sqs, aws)
    entries: Any = [{"Id": "one", "MessageBody": "1"}, {"Id": "two", "MessageBody": "2"}]
    sent = await sqs.send_message_batch(QueueUrl=url, Entries=entries)
    assert {one["Id"]: one["MD5OfMessageBody"] for one in sent["Successful"]} == {"one": md5(b"1"), "two": md5(b"2")}
    taken = await take(sqs, url, wait=5, most=10)
    assert len(taken) == 2
    handles: Any = [{"Id": str(i), "ReceiptHandle": one["ReceiptHandle"]} for i, one in enumerate(taken)]
    bad: Any = {"Id": "bad", "ReceiptHandle": "nonsense"}
    extended: Any = [{**one, "VisibilityTimeout": 60} for one in (*handles, bad)]
    changed = await sqs.change_message_visibility_batch(QueueUrl=url, Entries=extended)
    assert [one["Id"] for one in changed["Successful"]] == ["0", "1"]
    assert [(one["Id"], one["Code"]) for one in changed["Failed"]] == [("bad", "ReceiptHandleIsInvalid")]
    deleted = await sqs.delete_message_batch(QueueUrl=url, Entries=[*handles, bad])
    assert [one["Id"] for one in deleted["Successful"]] == ["0", "1"]
    assert [one["Id"] for one in deleted["Failed"]] == ["bad"]
    assert await counts(sqs, url) == (0, 0, 0)


@pytest.mark.parametrize(
    ("ids", "code"),
    [
        ([], "EmptyBatchRequest"),
        ([str(index) for index in range(11)], "TooManyEntriesInBatchRequest"),
        (["a", "a"], "BatchEntryIdsNotDistinct"),
        (["a b"], "InvalidBatchEntryId"),
    ],
)
async def test_a_batch_that_breaks_the_rules_is_refused_whole(
    aws: Aws, sqs: "SQSClient", ids: list[str], code: str
) -> None:
    """1 … 10 entries, distinct ids of allowed characters."""
    url = await make(sqs, aws)
    entries: Any = [{"Id": one, "MessageBody": "x"} for one in ids]
    with pytest.raises(ClientError) as error:
        await sqs.send_message_batch(QueueUrl=url, Entries=entries)
    assert error.value.response["Error"]["Code"] == f"AWS.SimpleQueueService.{code}"
    assert await take(sqs, url) == []


@pytest.mark.parametrize(
    "asked", [{"MaxNumberOfMessages": 11}, {"WaitTimeSeconds": 21}], ids=lambda asked: next(iter(asked))
)
async def test_a_receive_out_of_bounds_is_refused(aws: Aws, sqs: "SQSClient", asked: Any) -> None:
    """10 messages and 20 seconds are the most."""
    url = await make(sqs, aws)
    with pytest.raises(ClientError) as error:
        await sqs.receive_message(QueueUrl=url, **asked)
    assert error.value.response["Error"]["Code"] == "InvalidParameterValue"


async def test_a_queue_that_is_not_there_is_named_so(aws: Aws, sqs: "SQSClient") -> None:
    """By shape for the SDK's exception, by the older code for everybody else."""
    url = (await make(sqs, aws)).rpartition("/")[0] + "/nowhere"
    with pytest.raises(sqs.exceptions.QueueDoesNotExist) as error:
        await take(sqs, url)
    assert error.value.response["Error"]["Code"] == "AWS.SimpleQueueService.NonExistentQueue"
    with pytest.raises(sqs.exceptions.QueueDoesNotExist):
        await sqs.get_queue_url(QueueName="nowhere")


async def test_making_a_queue_again_needs_the_same_attributes(aws: Aws, sqs: "SQSClient") -> None:
    """The same answer, or QueueNameExists."""
    name = aws.name()
    url = (await sqs.create_queue(QueueName=name, Attributes={"VisibilityTimeout": "60"}))["QueueUrl"]
    assert (await sqs.create_queue(QueueName=name, Attributes={"VisibilityTimeout": "60"}))["QueueUrl"] == url
    assert (await sqs.get_queue_url(QueueName=name))["QueueUrl"] == url
    with pytest.raises(sqs.exceptions.QueueNameExists):
        await sqs.create_queue(QueueName=name, Attributes={"VisibilityTimeout": "61"})


async def test_attributes_can_be_changed(aws: Aws, sqs: "SQSClient") -> None:
    """They hold for the next receive; what SQS does not know is refused by name."""
    url = await make(sqs, aws)
    await sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "1"})
    known = (await sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"]))["Attributes"]
    assert known == {"VisibilityTimeout": "1"}
    await sqs.send_message(QueueUrl=url, MessageBody="x")
    assert len((await sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5))["Messages"]) == 1
    assert (await take_one(sqs, url, wait=10))["Attributes"]["ApproximateReceiveCount"] == "2"
    with pytest.raises(sqs.exceptions.InvalidAttributeName):
        await sqs.set_queue_attributes(QueueUrl=url, Attributes={"Colour": "blue"})  # type: ignore[dict-item]


async def test_a_body_must_be_there_fit_and_within_the_limit(aws: Aws, sqs: "SQSClient") -> None:
    """Empty, with a NUL, and larger than the queue's MaximumMessageSize."""
    url = await make(sqs, aws, MaximumMessageSize="1024")
    for body, code in (("", "MissingParameter"), ("a\x00b", "InvalidMessageContents")):
        with pytest.raises(ClientError) as error:
            await sqs.send_message(QueueUrl=url, MessageBody=body)
        assert error.value.response["Error"]["Code"] == code
    await sqs.send_message(QueueUrl=url, MessageBody="x" * 1024)
    with pytest.raises(ClientError, match="must be shorter than 1024 bytes"):
        await sqs.send_message(QueueUrl=url, MessageBody="x" * 1025)


async def test_groups_take_turns(aws: Aws, sqs: "SQSClient") -> None:
    """Fair queues: who has a backlog does not keep another tenant's message waiting ("Amazon SQS fair queues")."""
    aws.emulator_differs("MessageGroupId is carried, but messages come in the order of their sending")
    url = await make(sqs, aws)
    for tenant, index in [*(("noisy", index) for index in range(8)), ("quiet", 0)]:
        await sqs.send_message(QueueUrl=url, MessageBody=f"{tenant}-{index}", MessageGroupId=tenant)
    first = [(await take_one(sqs, url))["Body"] for _ in range(2)]
    assert "quiet-0" in first


async def test_a_deleted_queue_is_gone(aws: Aws, sqs: "SQSClient") -> None:
    """And so are its messages."""
    url = await make(sqs, aws)
    await sqs.delete_queue(QueueUrl=url)
    with pytest.raises(sqs.exceptions.QueueDoesNotExist):
        await take(sqs, url)
