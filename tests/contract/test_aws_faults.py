"""What only the stand-in can do: fail on demand, tell what it holds, and be late."""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from aiobotocore.session import AioSession
from botocore.exceptions import BotoCoreError, ClientError

from tests.standin import Fault, RunningStandin, standin
from tests.standin.faults import Faults
from tests.standin.wire import Subject

from .conftest import Aws
from .sqs_calls import counts, make, take, take_one

if TYPE_CHECKING:
    from types_aiobotocore_s3 import S3Client
    from types_aiobotocore_sns import SNSClient
    from types_aiobotocore_sqs import SQSClient


@pytest.fixture
async def running() -> AsyncIterator[RunningStandin]:
    """A stand-in of one's own."""
    async with standin() as one:
        yield one


@pytest.fixture
def aws(running: RunningStandin, aws_session: AioSession, request: pytest.FixtureRequest) -> Aws:
    """Clients of this file talk to that one."""
    return Aws("standin", running.url, aws_session, request)


async def test_latency_is_added_to_what_it_names(aws: Aws, running: RunningStandin, sqs: "SQSClient") -> None:
    """To a receive, and to nothing else."""
    url = await make(sqs, aws)
    running.faults.add(Fault(kind="latency", operation="ReceiveMessage", seconds=0.3, jitter=0.1))
    began = time.monotonic()
    await take(sqs, url)
    assert time.monotonic() - began >= 0.2
    began = time.monotonic()
    await counts(sqs, url)
    assert time.monotonic() - began < 0.2


@pytest.mark.parametrize(
    ("fault", "code", "status"),
    [
        (Fault(kind="throttle"), "RequestThrottled", 400),
        (Fault(kind="error"), "InternalError", 500),
        (Fault(kind="error", status=503), "ServiceUnavailable", 503),
        (Fault(kind="expired"), "ExpiredToken", 403),
    ],
    ids=lambda value: getattr(value, "kind", value),
)
async def test_a_refusal_has_no_effect(
    aws: Aws, running: RunningStandin, sqs: "SQSClient", fault: Fault, code: str, status: int
) -> None:
    """The caller learns why; the message is not there."""
    url = await make(sqs, aws)
    running.faults.add(fault)
    with pytest.raises(ClientError) as error:
        await sqs.send_message(QueueUrl=url, MessageBody="x")
    assert error.value.response["Error"]["Code"] == code
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    running.faults.clear()
    assert await counts(sqs, url) == (0, 0, 0)


async def test_each_service_refuses_in_its_own_words(
    aws: Aws, running: RunningStandin, sns: "SNSClient", s3: "S3Client"
) -> None:
    """SDKs know a throttled call by its code."""
    running.faults.add(Fault(kind="throttle"))
    with pytest.raises(ClientError) as error:
        await sns.create_topic(Name="t")
    assert error.value.response["Error"]["Code"] == "Throttling"
    with pytest.raises(ClientError) as error:
        await s3.list_buckets()
    assert error.value.response["Error"]["Code"] == "SlowDown"


@pytest.mark.parametrize(("kind", "stored"), [("cut_request", False), ("lost_answer", True), ("cut_answer", True)])
async def test_a_broken_connection_before_or_after_the_effect(
    aws: Aws, running: RunningStandin, s3: "S3Client", kind: Any, stored: bool
) -> None:
    """The caller cannot tell which; the store can."""
    await s3.create_bucket(Bucket="bucket")
    # More than once: on a connection that was used before, aiohttp itself repeats a PUT whose answer did not come.
    running.faults.add(Fault(kind=kind, operation="PutObject", resource="bucket"))
    with pytest.raises(BotoCoreError):
        await s3.put_object(Bucket="bucket", Key="k", Body=b"x" * 100_000)
    assert ("k" in running.state()["buckets"]["bucket"]) == stored
    running.faults.clear()
    await s3.put_object(Bucket="bucket", Key="k", Body=b"x")


async def test_an_answer_breaks_in_the_middle_of_its_body(aws: Aws, running: RunningStandin, s3: "S3Client") -> None:
    """Its head comes, and half of what the head promises."""
    await s3.create_bucket(Bucket="bucket")
    await s3.put_object(Bucket="bucket", Key="k", Body=b"x" * 100_000)
    running.faults.add(Fault(kind="cut_answer", operation="GetObject"))
    answer = await s3.get_object(Bucket="bucket", Key="k")
    assert answer["ContentLength"] == 100_000
    with pytest.raises(aiohttp.ClientPayloadError):
        async with answer["Body"] as body:
            await body.read()


async def test_a_message_can_be_received_twice(aws: Aws, running: RunningStandin, sqs: "SQSClient") -> None:
    """At least once, as a standard queue promises no more; the first receipt then holds it no longer."""
    url = await make(sqs, aws)
    await sqs.send_message(QueueUrl=url, MessageBody="x")
    running.faults.add(Fault(kind="duplicate", operation="ReceiveMessage", count=1))
    first, second = await take_one(sqs, url), await take_one(sqs, url)
    assert second["MessageId"] == first["MessageId"]
    assert second["Attributes"]["ApproximateReceiveCount"] == "2"
    assert await take(sqs, url) == []
    await sqs.delete_message(QueueUrl=url, ReceiptHandle=second["ReceiptHandle"])
    assert await counts(sqs, url) == (0, 0, 0)


async def test_a_deleted_message_can_come_back(aws: Aws, running: RunningStandin, sqs: "SQSClient") -> None:
    """DeleteMessage: "it is possible to receive a message even after you delete it"."""
    url = await make(sqs, aws)
    await sqs.send_message(QueueUrl=url, MessageBody="x")
    running.faults.add(Fault(kind="duplicate", operation="DeleteMessage", count=1))
    for attempt in "12":
        message = await take_one(sqs, url)
        assert message["Attributes"]["ApproximateReceiveCount"] == attempt
        await sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    assert await take(sqs, url) == []


async def test_a_topic_can_deliver_twice(aws: Aws, running: RunningStandin, sns: "SNSClient", sqs: "SQSClient") -> None:
    """Two messages of one publishing."""
    topic, url = (await sns.create_topic(Name="t"))["TopicArn"], await make(sqs, aws)
    queue = f"arn:aws:sqs:us-east-1:000000000000:{url.rpartition('/')[2]}"
    await sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
    running.faults.add(Fault(kind="duplicate", service="sns"))
    sent = await sns.publish(TopicArn=topic, Message="x")
    got = await take(sqs, url, most=10)
    assert [json.loads(one["Body"])["MessageId"] for one in got] == [sent["MessageId"]] * 2
    assert got[0]["MessageId"] != got[1]["MessageId"]


def test_the_seed_decides_what_is_struck() -> None:
    """Again the same, whatever else is called in between; another seed, other calls."""
    send, other = Subject("sqs", "SendMessage", "q"), Subject("s3", "PutObject", "b")

    def struck(seed: int, *, noise: bool) -> list[bool]:
        faults = Faults(seed)
        faults.add(Fault(kind="error", operation="SendMessage", probability=0.3))
        faults.add(Fault(kind="throttle", operation="PutObject", probability=0.5))
        ends = []
        for _ in range(200):
            if noise:
                faults.meet(other)
            ends.append(faults.meet(send).refusal is not None)
        return ends

    assert struck(1, noise=False) == struck(1, noise=True) != struck(2, noise=False)
    assert 30 < sum(struck(1, noise=False)) < 90


def test_a_fault_spares_the_first_and_ends() -> None:
    """`skip`, then `count`."""
    faults = Faults()
    faults.add(Fault(kind="error", skip=2, count=3))
    met = [faults.meet(Subject("sqs", "SendMessage")).refusal is not None for _ in range(7)]
    assert met == [False, False, True, True, True, False, False]


async def test_faults_calls_and_state_are_had_over_http(aws: Aws, running: RunningStandin, sqs: "SQSClient") -> None:
    """For campaigns whose stand-in is another process."""
    url = await make(sqs, aws)
    await sqs.send_message(QueueUrl=url, MessageBody="kept", MessageGroupId="g")
    name = url.rpartition("/")[2]
    async with aiohttp.ClientSession(running.url) as session:
        order = {"seed": 7, "faults": [{"kind": "error", "service": "sqs", "operation": "SendMessage", "count": 1}]}
        async with session.post("/_faults", json=order) as answer:
            assert answer.status == 200
        with pytest.raises(ClientError):
            await sqs.send_message(QueueUrl=url, MessageBody="x")
        async with session.get("/_faults") as answer:
            told = await answer.json()
        assert (told["seed"], told["active"][0]["struck"]) == (7, 1)
        async with session.post("/_faults", json={"faults": [{"kind": "fire"}]}) as answer:
            assert answer.status == 400
            assert "fire" in (await answer.json())["error"]
        async with session.get("/_calls") as answer:
            calls = await answer.json()
        assert calls[f"SendMessage {name}"]["count"] == 2
        async with session.get("/_state") as answer:
            queue = (await answer.json())["queues"][name]
    assert [(one["body"], one["state"], one["group"]) for one in queue["messages"]] == [("kept", "visible", "g")]
    assert queue["counts"] == {"sent": 1}


async def test_the_state_tells_objects_and_what_was_published(
    aws: Aws, running: RunningStandin, sns: "SNSClient", s3: "S3Client"
) -> None:
    """Objects by key with their SHA-256; a topic's messages, whether anybody listened or not."""
    await s3.create_bucket(Bucket="bucket")
    await s3.put_object(Bucket="bucket", Key="k", Body=b"x", ContentType="text/plain")
    await sns.publish(TopicArn=(await sns.create_topic(Name="t"))["TopicArn"], Message="told")
    state = running.state()
    known = state["buckets"]["bucket"]["k"]
    assert known["sha256"] == "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
    assert (known["bytes"], known["content_type"]) == (1, "text/plain")
    assert [one["message"] for one in state["topics"]["t"]["published"]] == ["told"]


async def test_who_hangs_up_takes_no_message(aws: Aws, running: RunningStandin, sqs: "SQSClient") -> None:
    """A long poll whose caller was killed does not swallow what comes after."""
    url = await make(sqs, aws)
    body = json.dumps({"QueueUrl": url, "WaitTimeSeconds": 20})
    _, writer = await asyncio.open_connection("127.0.0.1", int(running.url.rpartition(":")[2]))
    head = "POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: AmazonSQS.ReceiveMessage\r\n"
    writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
    writer.close()
    await writer.wait_closed()
    await sqs.send_message(QueueUrl=url, MessageBody="x")
    assert (await take_one(sqs, url))["Attributes"]["ApproximateReceiveCount"] == "1"


async def test_counts_can_be_late(aws_session: AioSession, request: pytest.FixtureRequest) -> None:
    """AWS: "the approximate metrics may not achieve consistency until at least 1 minute"."""
    async with standin(eventual=60) as late:
        aws = Aws("standin", late.url, aws_session, request)
        async with aws.client("sqs") as sqs:
            url = await make(sqs, aws)
            assert await counts(sqs, url) == (0, 0, 0)
            await sqs.send_message(QueueUrl=url, MessageBody="x")
            assert await counts(sqs, url) == (0, 0, 0)
            assert len(await take(sqs, url)) == 1


async def test_what_is_too_old_is_gone(
    aws: Aws, sqs: "SQSClient", running: RunningStandin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After MessageRetentionPeriod nobody gets a message; the state tells that it expired."""
    url = await make(sqs, aws, MessageRetentionPeriod="60")
    await sqs.send_message(QueueUrl=url, MessageBody="x")
    now = time.time()
    monkeypatch.setattr("tests.standin.sqs_queue.time.time", lambda: now + 61)
    assert running.inner.sqs.named(url).queue.states().total() == 0
    assert running.state()["queues"][url.rpartition("/")[2]]["counts"] == {"sent": 1, "expired": 1}


async def test_a_bucket_may_be_in_the_host(aws: Aws, running: RunningStandin, s3: "S3Client") -> None:
    """Virtual-host style: `bucket.s3.localhost`."""
    await s3.create_bucket(Bucket="bucket")
    await s3.put_object(Bucket="bucket", Key="a/b", Body=b"x")
    port = running.url.rpartition(":")[2]
    async with aiohttp.ClientSession(running.url) as session:
        for host in ("bucket.localhost", "bucket.s3.localhost"):
            async with session.get("/a/b", headers={"Host": f"{host}:{port}"}) as answer:
                assert (answer.status, await answer.read()) == (200, b"x")


async def test_what_it_does_not_have_it_says(aws: Aws, sqs: "SQSClient", s3: "S3Client") -> None:
    """No operation is taken for another."""
    with pytest.raises(ClientError, match="no TagQueue"):
        await sqs.tag_queue(QueueUrl=await make(sqs, aws), Tags={"a": "b"})
    await s3.create_bucket(Bucket="bucket")
    with pytest.raises(ClientError) as error:
        await s3.put_object_tagging(Bucket="bucket", Key="k", Tagging={"TagSet": []})
    assert error.value.response["Error"]["Code"] == "NotImplemented"


async def test_it_runs_as_a_process(aws_session: AioSession, request: pytest.FixtureRequest) -> None:
    """`python -m tests.standin` tells its address, adds its latency, and ends with SIGTERM."""
    command = (sys.executable, "-m", "tests.standin", "--port", "0", "--latency-ms", "100")
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    told = json.loads(await process.stdout.readline())
    assert told["event"] == "listening"
    async with Aws("standin", told["url"], aws_session, request).client("sts") as sts:
        began = time.monotonic()
        assert (await sts.get_caller_identity())["Account"] == "000000000000"
        assert time.monotonic() - began >= 0.1
    process.terminate()
    assert await process.wait() == 0
