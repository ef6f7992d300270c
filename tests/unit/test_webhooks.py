"""Notifications become webhooks: the right ones, to the right place, and each until it is taken."""

import asyncio
import json
import urllib.request
from collections.abc import AsyncIterator
from typing import Any

import pytest
import structlog
from standardwebhooks import Webhook as Verifier

from darkroom_api import webhooks
from darkroom_api.letter import write
from darkroom_api.webhook_settings import WebhookSettings
from darkroom_contract.document import document_key
from darkroom_contract.job import State, Webhook
from tests.standin import Fault
from tests.unit.web_host import answer
from tests.unit.webhook_world import SECRETS, WebhookWorld, webhook_world


@pytest.fixture
async def world() -> AsyncIterator[WebhookWorld]:
    async with webhook_world() as made:
        yield made


@pytest.fixture
def logs() -> Any:
    with structlog.testing.capture_logs(processors=[structlog.contextvars.merge_contextvars]) as entries:
        yield entries


async def test_a_final_job_is_told_to_its_caller(world: WebhookWorld) -> None:
    """Type, time, id, the whole notification, and addresses that need no credentials; signed."""
    world.receiver.answers["/hook"] = answer()
    await world.job(context={"order": 1}, attempt=1)
    assert await world.serve() == []
    told, headers = world.told(), world.receiver.headers()
    assert (told["type"], told["timestamp"]) == ("job.completed", "2026-11-24T12:00:00Z")
    assert headers["webhook-id"] == "a.completed"
    assert told["data"]["output_url"] == f"s3://outputs/{document_key('a')}"
    assert (told["data"]["id"], told["data"]["context"], told["data"]["result"]) == ("a", {"order": 1}, True)
    (artifact,) = told["data"]["artifacts"]
    assert artifact["url"] == "s3://outputs/sd/a/0-x.png"
    assert "X-Amz-Expires=3600" in artifact["download_url"]
    Verifier(SECRETS["_default"]).verify(world.receiver.bodies[0], headers)


async def test_the_download_address_works(world: WebhookWorld) -> None:
    """Without credentials, until it expires."""
    world.receiver.answers["/hook"] = answer()
    await asyncio.to_thread(world.office.store.put, "sd/a/0-x.png", b"png")
    await world.job()
    await world.serve()
    url = world.told()["data"]["artifacts"][0]["download_url"]
    assert await asyncio.to_thread(lambda: urllib.request.urlopen(url).read()) == b"png"


async def test_each_tenant_has_its_secret(world: WebhookWorld) -> None:
    """A tenant's webhooks are signed with the tenant's, and with no other."""
    world.receiver.answers["/hook"] = answer()
    await world.job(tenant="ann")
    assert await world.serve() == []
    Verifier(SECRETS["ann"]).verify(world.receiver.bodies[0], world.receiver.headers())


@pytest.mark.parametrize("tenant", ["bob", "default"])
async def test_without_a_secret_nothing_is_sent(world: WebhookWorld, logs: list[dict[str, Any]], tenant: str) -> None:
    """The message waits until the operator has put one there; nobody borrows the one of jobs without a tenant."""
    world.receiver.answers["/hook"] = answer()
    await world.job(tenant=tenant)
    assert len(await world.serve()) == 1
    assert world.receiver.bodies == []
    assert logs[-1]["reason"] == f"the parameter /test/webhooks/{tenant} does not exist"


async def test_a_secret_is_read_once_in_five_minutes(world: WebhookWorld) -> None:
    """A batch of one tenant's costs one call, and a new secret is in use soon."""
    world.receiver.answers["/hook"] = answer()
    for _ in range(3):
        await world.job()
        await world.serve()
    assert world.aws.calls["GetParameter /test/webhooks/_default"].count == 1


async def test_a_receiver_that_fails_is_asked_again(world: WebhookWorld, logs: list[dict[str, Any]]) -> None:
    """500, then 200: the same id, the message hidden for 5 to 10 s in between."""
    world.receiver.answers["/hook"] = answer(status="500 Oh")
    await world.job()
    event = await world.event()
    assert await world.serve(event) == [event["Records"][0]["messageId"]]
    assert 5 <= logs[-1]["again_in"] <= 10
    assert (await world.event())["Records"] == []
    world.receiver.answers["/hook"] = answer()
    assert await world.serve(event) == []
    assert [world.receiver.headers(index)["webhook-id"] for index in (0, 1)] == ["a.completed"] * 2


async def test_the_pause_is_the_messages_visibility(world: WebhookWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the number of its attempts, and longer where the receiver asks for it."""
    world.receiver.answers["/hook"] = answer(status="503 Busy", Retry_After="700")
    await world.job()
    event = await world.event()
    hidden: list[int] = []
    monkeypatch.setattr(
        world.office.sqs, "change_message_visibility", lambda **asked: hidden.append(asked["VisibilityTimeout"])
    )
    for receives in (1, 7, 10):
        event["Records"][0]["attributes"]["ApproximateReceiveCount"] = str(receives)
        await world.serve(event)
    assert hidden[:2] == [700, 700]
    assert 1800 <= hidden[2] <= 3600


async def test_one_dead_receiver_delays_no_other(world: WebhookWorld) -> None:
    """Nine of ten are delivered while the tenth is silent, and it alone comes back."""
    others, meanwhile = asyncio.Event(), asyncio.Event()

    async def silent(writer: asyncio.StreamWriter) -> None:
        await others.wait()
        meanwhile.set()
        await writer.wait_closed()

    async def counting(writer: asyncio.StreamWriter) -> None:
        writer.write(answer())
        if world.receiver.paths.count("/hook") == 9:
            others.set()

    world.receiver.answers = {"/dead": silent, "/hook": counting}
    await world.job("dead", "/dead")
    for index in range(9):
        await world.job(f"live-{index}")
    event = await world.event()
    dead = next(one["messageId"] for one in event["Records"] if '"dead"' in one["body"])
    assert await world.serve(event, seconds=4.0) == [dead]
    assert meanwhile.is_set()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"webhook": None}, "no webhook for the state completed"),
        ({"webhook": Webhook(url="http://x.example", events=(State.FAILED,))}, "no webhook for the state completed"),
        (
            {"webhook": Webhook(url="http://x.example", events=(State.RUNNING,)), "state": State.RUNNING},
            "no webhook for the state running",
        ),
        ({"webhook": Webhook(url="http://169.254.169.254/latest")}, "169.254.169.254 is unknown, or may not"),
        ({"webhook": Webhook(url="http://[::1/")}, "what is no URL"),
    ],
)
async def test_what_will_never_be_delivered_is_dropped(
    world: WebhookWorld, logs: list[dict[str, Any]], fields: dict[str, Any], said: str
) -> None:
    """And the log says which job's, and why."""
    await world.job(**fields)
    assert await world.serve() == []
    assert (logs[-1]["event"], logs[-1]["job_id"]) == ("webhook dropped", "a")
    assert said in logs[-1]["reason"]


async def test_410_ends_it(world: WebhookWorld, logs: list[dict[str, Any]]) -> None:
    """A receiver that is gone for good is not asked again."""
    world.receiver.answers["/hook"] = answer(status="410 Gone")
    await world.job()
    assert await world.serve() == []
    assert logs[-1]["event"] == "webhook dropped"


@pytest.mark.parametrize(
    ("output_url", "said"),
    [
        (f"s3://other/{document_key('b')}", "not its job's"),
        (f"s3://outputs/{document_key('a')}", "not its job's"),
        ("s3://outputs/jobs/../secret.json", "not its job's"),
        (f"s3://outputs/{document_key('b')}", "no such job document"),
    ],
)
async def test_a_notification_is_not_trusted(
    world: WebhookWorld, logs: list[dict[str, Any]], output_url: str, said: str
) -> None:
    """The document must lie where its job's lies, in our bucket, and be there."""
    told = {
        "id": "b",
        "runtime": "sd",
        "status": "completed",
        "result": True,
        "image_url": [],
        "output_url": output_url,
    }
    await world.send(json.dumps(told))
    assert await world.serve() == []
    assert said in logs[-1]["reason"]


@pytest.mark.parametrize("body", ["", "{", "[]", '{"id": "a"}', '{"Type": "Notification"}', "[" * 5000])
async def test_what_is_no_notification_is_dropped(world: WebhookWorld, logs: list[dict[str, Any]], body: str) -> None:
    """Whatever got into the queue, the others of its batch are delivered."""
    world.receiver.answers["/hook"] = answer()
    await world.job()
    event = await world.event()
    event["Records"].append({**event["Records"][0], "messageId": "odd", "body": body})
    assert await world.serve(event) == []
    assert len(world.receiver.bodies) == 1
    assert any(one["message_id"] == "odd" and one["event"] == "webhook dropped" for one in logs)


async def test_notifications_are_read_in_sns_envelopes(world: WebhookWorld) -> None:
    """As a subscription without raw delivery wraps them."""
    world.receiver.answers["/hook"] = answer()
    await world.job()
    event = await world.event()
    record = event["Records"][0]
    record["body"] = json.dumps({"Type": "Notification", "TopicArn": "arn", "Message": record["body"]})
    assert await world.serve(event) == []
    assert world.told()["data"]["id"] == "a"


async def test_a_bucket_that_is_away_is_waited_for(world: WebhookWorld) -> None:
    """The message comes back."""
    await world.job()
    event = await world.event()
    world.aws.faults.add(Fault(kind="expired", operation="GetObject"))
    assert len(await world.serve(event)) == 1


async def test_a_mistake_of_ours_costs_only_its_own_message(
    world: WebhookWorld, logs: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is in the log with its trace, and the message comes back."""
    world.receiver.answers["/hook"] = answer()
    await world.job("good")
    await world.job("bad")
    event = await world.event()

    def broken(notification: Any, *parts: Any) -> Any:
        if notification.id == "bad":
            raise KeyError("oh")
        return write(notification, *parts)

    monkeypatch.setattr("darkroom_api.webhooks.write", broken)
    assert len(await world.serve(event)) == 1
    assert len(world.receiver.bodies) == 1
    assert any(one.get("exc_info") and one["job_id"] == "bad" for one in logs)


async def test_the_log_has_neither_url_nor_secret(world: WebhookWorld, logs: list[dict[str, Any]]) -> None:
    """Of the URL the host alone: for many receivers path and query are the secret."""
    await world.job(path="/hook/T0KEN?key=QUERY")
    await world.serve()
    text = repr(logs)
    assert "127.0.0.1" in text
    assert not any(word in text for word in ("T0KEN", "QUERY", SECRETS["_default"].removeprefix("whsec_")))


async def test_lambda_calls_the_handler(world: WebhookWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twice in one process, with settings of its environment."""
    world.receiver.answers["/hook"] = answer()
    for name, value in {
        "S3_BUCKET": "outputs",
        "WEBHOOK_SECRETS_PATH": "/test/webhooks",
        "WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8",
        "WEBHOOK_ALLOWED_PORTS": str(world.receiver.port),
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(webhooks, "start_logs", lambda _: None)
    for _ in range(2):
        await world.job()
        event = await world.event()
        assert await asyncio.to_thread(webhooks.handler, event, None) == {"batchItemFailures": []}
        await asyncio.to_thread(
            world.clients.sqs.delete_message,
            QueueUrl=world.queue_url,
            ReceiptHandle=event["Records"][0]["receiptHandle"],
        )
    assert len(world.receiver.bodies) == 2
    await asyncio.to_thread(webhooks._runner().close)
    webhooks._runner.cache_clear()
    webhooks._office.cache_clear()


def test_wrong_settings_are_told_together() -> None:
    """All of them in one message; a default path, and a path gets its slash."""
    with pytest.raises(ValueError, match=r"(?s)S3_BUCKET.*WEBHOOK_ALLOWED_NETWORKS.*WEBHOOK_ALLOWED_PORTS") as wrong:
        WebhookSettings.from_environ({"WEBHOOK_ALLOWED_NETWORKS": "inside", "WEBHOOK_ALLOWED_PORTS": "many"})
    assert "cannot start" in str(wrong.value)
    assert WebhookSettings.from_environ({"S3_BUCKET": "b"}).secrets_path == "/darkroom/webhooks/"
    assert WebhookSettings.from_environ({"S3_BUCKET": "b", "WEBHOOK_SECRETS_PATH": "/x"}).secrets_path == "/x/"
