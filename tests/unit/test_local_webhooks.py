"""The poller does with a batch what Lambda's does."""

from typing import Any

import pytest

from darkroom_local.webhooks import poll

ARN = "arn:aws:sqs:eu-west-1:000000000000:webhooks"


class Queue:
    """A queue of some messages that remembers what was deleted."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.deleted: list[str] = []

    def receive_message(self, **_: Any) -> dict[str, Any]:
        rest = {"Body": "{}", "MD5OfBody": "x", "Attributes": {"ApproximateReceiveCount": "2"}}
        made = [{"MessageId": f"m{n}", "ReceiptHandle": f"r{n}", **rest} for n in range(self.number)]
        return {"Messages": made} if made else {}

    def delete_message(self, **asked: str) -> None:
        self.deleted.append(asked["ReceiptHandle"])


@pytest.mark.parametrize(("failed", "deleted"), [([], ["r0", "r1", "r2"]), (["m1"], ["r0", "r2"])])
def test_what_did_not_fail_is_deleted(monkeypatch: pytest.MonkeyPatch, failed: list[str], deleted: list[str]) -> None:
    """The partial batch response is respected; the event has the shape of Lambda's."""
    events = []

    def handler(event: dict[str, Any], _: Any) -> dict[str, Any]:
        events.append(event)
        return {"batchItemFailures": [{"itemIdentifier": one} for one in failed]}

    monkeypatch.setattr("darkroom_local.webhooks.handler", handler)
    poll(queue := Queue(3), "http://sqs/webhooks", ARN)
    assert queue.deleted == deleted
    first = events[0]["Records"][0]
    assert (first["messageId"], first["eventSourceARN"], first["awsRegion"]) == ("m0", ARN, "eu-west-1")
    assert first["attributes"] == {"ApproximateReceiveCount": "2"}


def test_a_function_that_fails_leaves_the_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is deleted, and polling goes on."""

    def handler(event: dict[str, Any], _: Any) -> dict[str, Any]:
        raise RuntimeError("oh")

    monkeypatch.setattr("darkroom_local.webhooks.handler", handler)
    poll(queue := Queue(1), "http://sqs/webhooks", ARN)
    assert queue.deleted == []


def test_an_empty_queue_invokes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """As Lambda's poller, which costs nothing while it waits."""
    monkeypatch.setattr("darkroom_local.webhooks.handler", None)
    poll(Queue(0), "http://sqs/webhooks", ARN)
