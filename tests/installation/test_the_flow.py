"""Terraform's messaging, storage, roles and REST API, applied: as the local twin, and what they are for.

The file comes last by its name, and its last test destroys what the others looked at.
"""

import json
import re
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import yaml

from darkroom_contract.job import State
from darkroom_local.topology import MAX_RECEIVES, Topology, aws_client, make_topology
from tests.integration.world import World
from tests.simulators import simulator
from tests.terraform.modules import ROOT

from .applied import SPECS, Applied

_TLS = {"Bool": {"aws:SecureTransport": "false"}}

# What the twin leaves out, for an emulator encrypts nothing and lets everybody in; and what is each queue's own.
_QUEUES_DIFFER = {
    *("Policy", "SqsManagedSseEnabled", "RedriveAllowPolicy"),
    *("QueueArn", "CreatedTimestamp", "LastModifiedTimestamp"),
}
_SUBSCRIPTIONS_DIFFER = {"SubscriptionArn", "TopicArn", "RedrivePolicy", "Owner"}


def role(arn: str) -> str:
    """A queue's name without what all of a topology's begin with."""
    return arn.rpartition(":")[2].partition("-")[2]


async def queue(sqs: Any, url: str) -> dict[str, Any]:
    """A queue's attributes, with what its name begins with left out."""
    answer = await sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
    told = {name: value for name, value in answer["Attributes"].items() if name not in _QUEUES_DIFFER}
    if "RedrivePolicy" in told:
        redrive = json.loads(told["RedrivePolicy"])
        told["RedrivePolicy"] = int(redrive["maxReceiveCount"]), role(redrive["deadLetterTargetArn"])
    return told


async def queues(sqs: Any, topology: Topology) -> dict[str, Any]:
    """Every queue of a topology by its role."""
    hooks = topology.webhooks
    webhooks = {name: await queue(sqs, url) for name, url in (("hooks", hooks.queue_url), ("dead", hooks.dead_url))}
    return webhooks | {
        f"{one.spec.name} {kind}": await queue(sqs, url)
        for one in topology.runtimes
        for kind, url in (("queue", one.queue_url), ("dead", one.dead_url), ("bulk", one.bulk_url))
        if url is not None
    }


async def subscriptions(sns: Any, topic_arn: str) -> dict[str, Any]:
    """Every subscription of a topic by its queue."""
    found = {}
    for one in (await sns.list_subscriptions_by_topic(TopicArn=topic_arn))["Subscriptions"]:
        attributes = (await sns.get_subscription_attributes(SubscriptionArn=one["SubscriptionArn"]))["Attributes"]
        told = {name: value for name, value in attributes.items() if name not in _SUBSCRIPTIONS_DIFFER}
        told["FilterPolicy"] = json.loads(told["FilterPolicy"])
        found[role(told.pop("Endpoint"))] = told
    return found


async def received(sqs: Any, url: str, number: int) -> list[str]:
    """What `number` messages of a queue say: waits for that many, and looks once more for others."""
    found: list[str] = []
    while len(found) < number and (some := await receive(sqs, url, 5)):
        found += some
    return sorted(found + await receive(sqs, url, 0))


async def receive(sqs: Any, url: str, seconds: int) -> list[str]:
    answer = await sqs.receive_message(QueueUrl=url, WaitTimeSeconds=seconds, MaxNumberOfMessages=10)
    for message in answer.get("Messages", ()):
        await sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return [json.loads(message["Body"])["Message"] for message in answer.get("Messages", ())]


async def test_it_is_the_local_twin_attribute_by_attribute(applied: Applied) -> None:
    """What `make demo` runs on has the same queues and subscriptions, but for what an emulator does not enforce."""
    aws = applied.emulator.url
    twin = await make_topology(aws, SPECS, "twin")
    async with aws_client("sqs", aws) as sqs, aws_client("sns", aws) as sns:
        assert await queues(sqs, applied.topology) == await queues(sqs, twin)
        ours = await subscriptions(sns, applied.topology.jobs_arn)
        assert ours == await subscriptions(sns, twin.jobs_arn)
        assert len(ours) == 3
        told = await subscriptions(sns, applied.topology.results_arn)
        assert told == await subscriptions(sns, twin.results_arn)
        assert told.keys() == {"webhooks"}


async def test_the_filter_chooses_the_queue(applied: Applied) -> None:
    """A job reaches the queue that runtime, priority or checkpoint name, and no other."""
    sent = {"bulk": {"runtime": "bulky", "priority": "bulk"}, "normal": {"runtime": "bulky", "priority": "normal"}}
    sent |= {
        "plain": {"runtime": "bulky"},
        "checkpoint": {"sd_model_checkpoint": "sharp"},
        "nobody's": {"runtime": "x"},
    }
    async with aws_client("sqs", applied.emulator.url) as sqs, aws_client("sns", applied.emulator.url) as sns:
        for text, attributes in sent.items():
            told = {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()}
            await sns.publish(TopicArn=applied.topology.jobs_arn, Message=text, MessageAttributes=told)
        ours = applied.topology.of("bulky")
        assert ours.bulk_url is not None
        assert await received(sqs, ours.bulk_url, 1) == ["bulk"]
        assert await received(sqs, ours.queue_url, 3) == ["checkpoint", "normal", "plain"]
        assert await received(sqs, applied.topology.of("sd").queue_url, 0) == []


async def test_only_wanted_webhooks_reach_their_queue(applied: Applied) -> None:
    """A notification comes in where its job named a webhook for that state."""
    async with aws_client("sqs", applied.emulator.url) as sqs, aws_client("sns", applied.emulator.url) as sns:
        url = (await sqs.get_queue_url(QueueName="flow-webhooks"))["QueueUrl"]
        wanted = {"webhook": {"DataType": "String", "StringValue": "true"}}
        await sns.publish(TopicArn=applied.topology.results_arn, Message="unwanted")
        await sns.publish(TopicArn=applied.topology.results_arn, Message="wanted", MessageAttributes=wanted)
        assert await received(sqs, url, 1) == ["wanted"]


async def test_a_message_goes_to_the_dead_letters_after_its_last_delivery(applied: Applied) -> None:
    """One delivery more than attempts, and not one fewer."""
    ours = applied.topology.of("sd")
    async with aws_client("sqs", applied.emulator.url) as sqs:
        await sqs.send_message(QueueUrl=ours.queue_url, MessageBody="poison")
        for _ in range(MAX_RECEIVES):
            answer = await sqs.receive_message(QueueUrl=ours.queue_url, WaitTimeSeconds=5, VisibilityTimeout=0)
            assert [message["Body"] for message in answer["Messages"]] == ["poison"]
        await sqs.receive_message(QueueUrl=ours.queue_url)  # the queue moves it when it is asked once more
        answer = await sqs.receive_message(QueueUrl=ours.dead_url, WaitTimeSeconds=5)
        assert [message["Body"] for message in answer["Messages"]] == ["poison"]


async def test_a_real_job_goes_the_whole_way(applied: Applied, tmp_path: Path) -> None:
    """The real agent takes it from the applied queue; image, document and notification are where they belong."""
    async with AsyncExitStack() as stack:
        clients = {
            name: await stack.enter_async_context(aws_client(name, applied.emulator.url))
            for name in ("s3", "sqs", "sns")
        }
        running = await stack.enter_async_context(simulator("sdwebui", latency=0.1))
        told = (await clients["sqs"].create_queue(QueueName="told"))["QueueUrl"]
        arn = (await clients["sqs"].get_queue_attributes(QueueUrl=told, AttributeNames=["QueueArn"]))["Attributes"]
        topic = applied.topology.results_arn
        heard = await clients["sns"].subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn["QueueArn"])
        stack.push_async_callback(clients["sns"].unsubscribe, SubscriptionArn=heard["SubscriptionArn"])
        environ = {
            **applied.topology.agent_environment("sd"),
            **applied.emulator.environment,
            "API_BASE_URL": running.url,
            "WAIT_SECONDS": "1",
            "RUNTIME_MARK_FILE": str(tmp_path / "restart"),
        }
        flow = World(applied.emulator, applied.topology, running, clients, stack, environ, told)
        agent = await flow.agent()
        await flow.job("applied")
        assert (await flow.notified("applied"))["status"] == "completed"
        assert (await flow.document("applied")).state is State.COMPLETED
        assert len(await flow.keys("sd/applied/")) == 1
        # It says so where the queue's redrive policy is too tight for its attempts.
        assert [one for one in agent.logged if "maxReceiveCount" in json.dumps(one)] == []


async def test_nobody_comes_in_without_tls(applied: Applied) -> None:
    """Every queue, topic and bucket refuses plain HTTP; none is without a policy."""
    aws, texts = applied.emulator.url, []
    async with aws_client("sqs", aws) as sqs, aws_client("sns", aws) as sns, aws_client("s3", aws) as s3:
        for url in (await sqs.list_queues(QueueNamePrefix="flow-"))["QueueUrls"]:
            answer = await sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])
            texts.append(answer["Attributes"]["Policy"])
        topics = (applied.topology.jobs_arn, applied.topology.results_arn)
        texts += [(await sns.get_topic_attributes(TopicArn=arn))["Attributes"]["Policy"] for arn in topics]
        texts += [(await s3.get_bucket_policy(Bucket=bucket))["Policy"] for bucket in applied.outputs["buckets"]]
    assert len(texts) == 7 + 2 + 2
    for text in texts:
        denied = [one for one in json.loads(text)["Statement"] if one["Effect"] == "Deny"]
        assert [(one["Principal"], one["Condition"]) for one in denied] == [("*", _TLS)]


def test_no_policy_allows_more_than_it_says_why(applied: Applied) -> None:
    """No action is `*`, and where a resource is, a comment beside the statement says why AWS gives no other way."""
    read = list(applied.policies())
    assert len(read) > 20
    sources = "\n".join(path.read_text() for path in sorted(ROOT.glob("modules/*/*.tf")))
    for where, policy in read:
        for statement in policy["Statement"]:
            if statement["Effect"] == "Deny":
                continue
            sid = statement["Sid"]
            wide = [action for action in listed(statement["Action"]) if "*" in action]
            assert not wide or (sid == "Account" and "aws_kms_key" in where), f"{where}: {sid} allows {wide}"
            if "*" in listed(statement.get("Resource", [])) and "aws_kms_key" not in where:
                assert re.search(rf'# .*\n\s*Sid\s+= "{sid}"', sources), f"{where}: nothing says why {sid} needs `*`"


def listed(value: str | list[str]) -> list[str]:
    """A policy's value as a list, which it may be already."""
    return [value] if isinstance(value, str) else value


async def test_the_rest_api_is_the_contract(applied: Applied) -> None:
    """Each operation is there, asks for a key where the contract does, and calls the Lambda; browsers may ask first."""
    contract = yaml.safe_load((ROOT.parent / "api/darkroom_api/openapi.yaml").read_text())
    wanted: dict[tuple[str, str], bool] = {}
    for path, item in contract["paths"].items():
        operations = {method: one for method, one in item.items() if method in ("get", "post", "put", "delete")}
        wanted |= {(path, method.upper()): bool(one.get("security", True)) for method, one in operations.items()}
        wanted[path, "OPTIONS"] = False
    async with aws_client("apigateway", applied.emulator.url) as gateway:
        [api] = (await gateway.get_rest_apis())["items"]
        resources = (await gateway.get_resources(restApiId=api["id"], embed=["methods"], limit=500))["items"]
        [stage] = (await gateway.get_stages(restApiId=api["id"]))["item"]
    methods = [
        (one["path"], verb, method) for one in resources for verb, method in one.get("resourceMethods", {}).items()
    ]
    assert {(path, verb): method["apiKeyRequired"] for path, verb, method in methods} == wanted
    assert {method["methodIntegration"]["type"] for _, _, method in methods} == {"AWS_PROXY"}
    assert stage["methodSettings"]["*/*"]["throttlingRateLimit"] == 100


def test_what_was_applied_needs_no_change(applied: Applied) -> None:
    """A second plan finds nothing to do: no attribute comes back otherwise than it was written."""
    status, said = applied.plan()
    assert status == 0, said


async def test_destroy_leaves_nothing(applied: Applied) -> None:
    """Nothing of it is left in the account."""
    status, said = applied.terraform("destroy", "-auto-approve", "-parallelism=40")
    assert status == 0, said
    async with AsyncExitStack() as stack:
        names = ("sqs", "sns", "s3", "iam", "apigateway", "logs", "events", "kms", "cloudwatch")
        aws = {name: await stack.enter_async_context(aws_client(name, applied.emulator.url)) for name in names}
        left = [
            *(await aws["sqs"].list_queues(QueueNamePrefix="flow-")).get("QueueUrls", []),
            *[one for one in (await aws["sns"].list_topics())["Topics"] if ":flow-" in one["TopicArn"]],
            *[one for one in (await aws["s3"].list_buckets())["Buckets"] if one["Name"].startswith("flow-")],
            *(await aws["iam"].list_roles())["Roles"],
            *(await aws["apigateway"].get_rest_apis())["items"],
            *(await aws["apigateway"].get_api_keys())["items"],
            *(await aws["apigateway"].get_usage_plans())["items"],
            *(await aws["logs"].describe_log_groups())["logGroups"],
            *(await aws["events"].list_rules())["Rules"],
            *(await aws["kms"].list_aliases())["Aliases"],
            *(await aws["cloudwatch"].describe_alarms())["MetricAlarms"],
        ]
    assert left == []
