"""Who holds a message of SQS, and until when (Amazon SQS API reference and developer guide)."""

import asyncio
import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from .conftest import Aws
from .sqs_calls import arn, counts, let_arrive, make, release, take, take_one

if TYPE_CHECKING:
    from types_aiobotocore_sqs import SQSClient


async def test_a_message_in_flight_is_hidden_until_it_is_released(aws: Aws, sqs: "SQSClient") -> None:
    """Visibility 0 hands it out at once, under a new receipt and with a higher count."""
    url = await make(sqs, aws)
    await sqs.send_message(QueueUrl=url, MessageBody="x")
    first = await take_one(sqs, url)
    assert await take(sqs, url) == []
    await release(sqs, url, first["ReceiptHandle"])
    second = await take_one(sqs, url)
    assert second["MessageId"] == first["MessageId"]
    assert second["ReceiptHandle"] != first["ReceiptHandle"]
    assert second["Attributes"]["ApproximateReceiveCount"] == "2"


async def test_a_message_whose_visibility_ran_out_wakes_a_long_poll(aws: Aws, sqs: "SQSClient") -> None:
    """The receive's own VisibilityTimeout counts, not the queue's."""
    url = await make(sqs, aws, VisibilityTimeout="300")
    await sqs.send_message(QueueUrl=url, MessageBody="x")
    await take_one(sqs, url, visibility=1)
    began = time.monotonic()
    again = await take_one(sqs, url, wait=10)
    assert again["Attributes"]["ApproximateReceiveCount"] == "2"
    assert 0.5 < time.monotonic() - began < 4


async def test_an_extension_counts_from_its_own_moment(aws: Aws, sqs: "SQSClient") -> None:
    """Extended, a message stays hidden beyond its first timeout."""
    url = await make(sqs, aws)
    await sqs.send_message(QueueUrl=url, MessageBody="x")
    message = await take_one(sqs, url, visibility=1)
    await release(sqs, url, message["ReceiptHandle"], 30)
    assert await take(sqs, url, wait=2) == []


async def test_a_long_poll_wakes_for_a_released_message(aws: Aws, sqs: "SQSClient") -> None:
    """What one consumer gives back, another that waits gets."""
    url = await make(sqs, aws)
    await sqs.send_message(QueueUrl=url, MessageBody="x")
    message = await take_one(sqs, url)
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        waiting = group.create_task(take_one(sqs, url, wait=20))
        await let_arrive(sqs, url)
        await release(sqs, url, message["ReceiptHandle"])
    assert waiting.result()["MessageId"] == message["MessageId"]


async def test_an_old_receipt_no_longer_extends(aws: Aws, sqs: "SQSClient") -> None:
    """A handle belongs to one receive ("Queue and message identifiers"): after the next, it holds nothing."""
    aws.emulator_differs("every receipt that a message ever had changes its visibility")
    url = await make(sqs, aws)
    await sqs.send_message(QueueUrl=url, MessageBody="x")
    old = await take_one(sqs, url)
    await release(sqs, url, old["ReceiptHandle"])
    await take_one(sqs, url)
    with pytest.raises(ClientError) as error:
        await release(sqs, url, old["ReceiptHandle"])
    assert error.value.response["Error"]["Code"] == "InvalidParameterValue"
    assert await take(sqs, url) == []


async def test_an_old_receipt_does_not_delete(aws: Aws, sqs: "SQSClient") -> None:
    """DeleteMessage: "you must provide the most recently received ReceiptHandle"; with another it only succeeds."""
    aws.emulator_differs("every receipt that a message ever had deletes it")
    url = await make(sqs, aws)
    await sqs.send_message(QueueUrl=url, MessageBody="x")
    old = await take_one(sqs, url)
    await release(sqs, url, old["ReceiptHandle"])
    new = await take_one(sqs, url)
    await sqs.delete_message(QueueUrl=url, ReceiptHandle=old["ReceiptHandle"])
    await release(sqs, url, new["ReceiptHandle"])
    assert (await take_one(sqs, url))["MessageId"] == old["MessageId"]


async def test_a_visible_message_cannot_be_extended(aws: Aws, sqs: "SQSClient") -> None:
    """ChangeMessageVisibility: MessageNotInflight, "the specified message isn't in flight"."""
    aws.emulator_differs("it succeeds, without effect")
    url = await make(sqs, aws)
    await sqs.send_message(QueueUrl=url, MessageBody="x")
    message = await take_one(sqs, url)
    await release(sqs, url, message["ReceiptHandle"])
    with pytest.raises(sqs.exceptions.MessageNotInflight) as error:
        await release(sqs, url, message["ReceiptHandle"], 30)
    assert error.value.response["Error"]["Code"] == "AWS.SimpleQueueService.MessageNotInflight"


async def test_a_visible_message_is_deleted_by_its_latest_receipt(aws: Aws, sqs: "SQSClient") -> None:
    """A consumer that was too slow, but ahead of any other, still acknowledges."""
    url = await make(sqs, aws)
    await sqs.send_message(QueueUrl=url, MessageBody="x")
    message = await take_one(sqs, url)
    await release(sqs, url, message["ReceiptHandle"])
    await sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    assert await take(sqs, url) == []


async def test_a_deleted_message_cannot_be_extended_but_deleted_again(aws: Aws, sqs: "SQSClient") -> None:
    """Deleting is idempotent; extending what is gone is InvalidParameterValue."""
    url = await make(sqs, aws)
    await sqs.send_message(QueueUrl=url, MessageBody="x")
    receipt = (await take_one(sqs, url))["ReceiptHandle"]
    await sqs.delete_message(QueueUrl=url, ReceiptHandle=receipt)
    await sqs.delete_message(QueueUrl=url, ReceiptHandle=receipt)
    with pytest.raises(ClientError, match="not available for visibility timeout change") as error:
        await release(sqs, url, receipt, 30)
    assert error.value.response["Error"]["Code"] == "InvalidParameterValue"


@pytest.mark.parametrize("receipt", ["nonsense", "bm9uc2Vuc2U="])
async def test_what_is_no_receipt_is_refused(aws: Aws, sqs: "SQSClient", receipt: str) -> None:
    """ReceiptHandleIsInvalid, for extending and for deleting."""
    url = await make(sqs, aws)
    with pytest.raises(sqs.exceptions.ReceiptHandleIsInvalid):
        await release(sqs, url, receipt, 30)
    with pytest.raises(sqs.exceptions.ReceiptHandleIsInvalid):
        await sqs.delete_message(QueueUrl=url, ReceiptHandle=receipt)


async def test_the_dead_letter_queue_gets_a_message_when_it_is_received_once_too_often(
    aws: Aws, sqs: "SQSClient"
) -> None:
    """Not at the last release but at the next receive; it keeps its id, its time and what it carries."""
    dead = await make(sqs, aws)
    policy = json.dumps({"deadLetterTargetArn": await arn(sqs, dead), "maxReceiveCount": "2"})
    url = await make(sqs, aws, RedrivePolicy=policy)
    attributes: Any = {"runtime": {"DataType": "String", "StringValue": "sdxl"}}
    await sqs.send_message(QueueUrl=url, MessageBody="x", MessageAttributes=attributes)
    for attempt in "12":
        message = await take_one(sqs, url)
        assert message["Attributes"]["ApproximateReceiveCount"] == attempt
        await release(sqs, url, message["ReceiptHandle"])
    assert await counts(sqs, dead) == (0, 0, 0)
    assert await counts(sqs, url) == (1, 0, 0)
    assert await take(sqs, url) == []
    buried = await take_one(sqs, dead)
    assert (buried["MessageId"], buried["Body"]) == (message["MessageId"], "x")
    assert buried["Attributes"]["DeadLetterQueueSourceArn"] == await arn(sqs, url)
    assert buried["Attributes"]["SentTimestamp"] == message["Attributes"]["SentTimestamp"]
    assert buried["MessageAttributes"] == message["MessageAttributes"]
    assert await counts(sqs, url) == (0, 0, 0)


async def test_a_batch_passes_over_what_goes_to_the_dead_letter_queue(aws: Aws, sqs: "SQSClient") -> None:
    """A receive that buries one message still hands out the next."""
    dead = await make(sqs, aws)
    policy = json.dumps({"deadLetterTargetArn": await arn(sqs, dead), "maxReceiveCount": 1})
    url = await make(sqs, aws, RedrivePolicy=policy)
    await sqs.send_message(QueueUrl=url, MessageBody="poison")
    await release(sqs, url, (await take_one(sqs, url))["ReceiptHandle"])
    await sqs.send_message(QueueUrl=url, MessageBody="good")
    assert [one["Body"] for one in await take(sqs, url, most=10)] == ["good"]
    assert (await take_one(sqs, dead))["Body"] == "poison"


async def test_a_delayed_message_comes_after_its_delay(aws: Aws, sqs: "SQSClient") -> None:
    """Its own DelaySeconds go before the queue's; meanwhile it counts as delayed."""
    url = await make(sqs, aws, DelaySeconds="900")
    await sqs.send_message(QueueUrl=url, MessageBody="later", DelaySeconds=1)
    assert await take(sqs, url) == []
    assert await counts(sqs, url) == (0, 0, 1)
    assert (await take_one(sqs, url, wait=10))["Body"] == "later"


async def test_a_visibility_above_twelve_hours_is_refused(aws: Aws, sqs: "SQSClient") -> None:
    """43,200 seconds are the most, for a receive and for an extension."""
    aws.emulator_differs("a receive takes any VisibilityTimeout")
    url = await make(sqs, aws)
    await sqs.send_message(QueueUrl=url, MessageBody="x")
    with pytest.raises(ClientError) as error:
        await take(sqs, url, visibility=43_201)
    assert error.value.response["Error"]["Code"] == "InvalidParameterValue"
    message = await take_one(sqs, url)
    with pytest.raises(ClientError) as error:
        await release(sqs, url, message["ReceiptHandle"], 43_201)
    assert error.value.response["Error"]["Code"] == "InvalidParameterValue"
