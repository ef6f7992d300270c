"""Topology on the emulator: a job reaches the queue that is meant, and no other."""

import itertools
import json
from typing import Any

import pytest

from darkroom_local.emulator import Emulator
from darkroom_local.topology import MAX_RECEIVES, RuntimeSpec, Topology, aws_client, make_topology

SPECS = (RuntimeSpec("a", "sdwebui", bulk=True, checkpoints=("sharp",)), RuntimeSpec("b", "comfyui"))
_NAMES = itertools.count()


@pytest.fixture
async def topology(emulator: Emulator) -> Topology:
    return await make_topology(emulator.url, SPECS, f"topology{next(_NAMES)}")


async def bodies(sqs: Any, url: str, number: int) -> list[Any]:
    """What `number` messages of a queue say: waits for that many, and looks once more for others."""
    found: list[Any] = []
    while len(found) < number and (messages := await receive(sqs, url, 5)):
        found += messages
    return sorted(found + await receive(sqs, url, 0))


async def receive(sqs: Any, url: str, seconds: int) -> list[Any]:
    answer = await sqs.receive_message(QueueUrl=url, WaitTimeSeconds=seconds, MaxNumberOfMessages=10)
    return [json.loads(message["Body"])["Message"] for message in answer.get("Messages", ())]


async def test_attributes_route_a_job(emulator: Emulator, topology: Topology) -> None:
    """Runtime and priority choose the queue; v1alpha1's checkpoint does too; what nobody takes goes nowhere."""
    sent = {
        "a normal": {"runtime": "a", "priority": "normal"},
        "a plain": {"runtime": "a"},
        "a bulk": {"runtime": "a", "priority": "bulk"},
        "a by checkpoint": {"sd_model_checkpoint": "sharp"},
        "b plain": {"runtime": "b"},
        "b bulk": {"runtime": "b", "priority": "bulk"},
        "nobody's": {"runtime": "c"},
    }
    async with aws_client("sns", emulator.url) as sns, aws_client("sqs", emulator.url) as sqs:
        for text, attributes in sent.items():
            values = {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()}
            await sns.publish(TopicArn=topology.jobs_arn, Message=text, MessageAttributes=values)
        a, b = topology.of("a"), topology.of("b")
        assert a.bulk_url is not None
        assert b.bulk_url is None
        assert await bodies(sqs, a.bulk_url, 1) == ["a bulk"]
        assert await bodies(sqs, a.queue_url, 3) == ["a by checkpoint", "a normal", "a plain"]
        assert await bodies(sqs, b.queue_url, 2) == ["b bulk", "b plain"]


async def test_only_who_wants_a_webhook_gets_into_its_queue(emulator: Emulator, topology: Topology) -> None:
    """Every other result costs nothing there."""
    wanted = {"webhook": {"DataType": "String", "StringValue": "true"}}
    async with aws_client("sns", emulator.url) as sns, aws_client("sqs", emulator.url) as sqs:
        await sns.publish(TopicArn=topology.results_arn, Message="unwanted")
        await sns.publish(TopicArn=topology.results_arn, Message="wanted", MessageAttributes=wanted)
        assert await bodies(sqs, topology.webhooks.queue_url, 1) == ["wanted"]


async def test_a_message_that_nobody_settles_goes_to_the_dead_letters(emulator: Emulator, topology: Topology) -> None:
    """After its last delivery a message lies in the runtime's DLQ, unaltered, and not a delivery earlier."""
    async with aws_client("sqs", emulator.url) as sqs:
        queues = topology.of("b")
        await sqs.send_message(QueueUrl=queues.queue_url, MessageBody="poison")
        for _ in range(MAX_RECEIVES):
            answer = await sqs.receive_message(QueueUrl=queues.queue_url, WaitTimeSeconds=5, VisibilityTimeout=0)
            assert [message["Body"] for message in answer["Messages"]] == ["poison"]
        await sqs.receive_message(QueueUrl=queues.queue_url)  # the queue moves it when it is asked once more
        answer = await sqs.receive_message(QueueUrl=queues.dead_url, WaitTimeSeconds=5)
        assert [message["Body"] for message in answer["Messages"]] == ["poison"]
