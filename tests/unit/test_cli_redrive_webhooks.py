"""`darkroom redrive --webhooks`: what receivers did not take is sent to them again."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from darkroom_cli import dead_letters
from darkroom_cli.failures import Refused
from darkroom_contract.job import State
from darkroom_contract.notification import notification_of
from tests.unit.cli_world import CliWorld, cli_world


@pytest.fixture
def cli(tmp_path: Path) -> Iterator[CliWorld]:
    with cli_world(tmp_path) as world:
        world.patch.setattr(dead_letters, "_POLL_SECONDS", 0)
        settings = world.api.door.settings
        world.patch.setenv("DARKROOM_QUEUE_URL_PREFIX", settings.queue_url_prefix)
        world.patch.setenv("DARKROOM_JOBS_TOPIC_ARN", settings.jobs_topic_arn)
        world.patch.setenv("DARKROOM_OUTPUT_BUCKET", "outputs")
        for name in ("d-webhooks", "d-webhooks-dlq"):
            world.api.clients.sqs.create_queue(QueueName=name)
        yield world


def _url(cli: CliWorld, name: str) -> str:
    return f"{cli.api.door.settings.queue_url_prefix}{name}"


def _bury(cli: CliWorld, body: str) -> None:
    cli.api.clients.sqs.send_message(QueueUrl=_url(cli, "webhooks-dlq"), MessageBody=body)


def _dead(cli: CliWorld, job_id: str, state: State = State.COMPLETED) -> str:
    """A notification that no receiver took, as SNS wraps it; the body."""
    cli.api.submit(id=job_id, webhook={"url": "https://receiver.example/"})
    cli.end(job_id, state)
    document = cli.api.document(job_id)
    assert document is not None
    message = msgspec.json.encode(notification_of(document, "s3://outputs/d")).decode()
    body = json.dumps({"Type": "Notification", "Message": message})
    _bury(cli, body)
    return body


def _bodies(cli: CliWorld, name: str) -> list[str]:
    answer = cli.api.clients.sqs.receive_message(QueueUrl=_url(cli, name), MaxNumberOfMessages=10, VisibilityTimeout=0)
    return [message["Body"] for message in answer.get("Messages", [])]


def _told(cli: CliWorld, *arguments: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in cli.run("redrive", "--webhooks", *arguments, "--json").splitlines()]


def test_they_go_back_to_their_queue_whatever_became_of_the_job(cli: CliWorld) -> None:
    """The same bytes; a failed job is told again, and not run again."""
    bodies = {_dead(cli, "good"), _dead(cli, "bad", State.FAILED)}
    cli.api.heard()
    assert {(one["id"], one["outcome"]) for one in _told(cli)} == {("good", "returned"), ("bad", "returned")}
    assert set(_bodies(cli, "webhooks")) == bodies
    assert _bodies(cli, "webhooks-dlq") == []
    assert cli.api.heard() == []


def test_they_can_be_filtered_and_only_looked_at(cli: CliWorld) -> None:
    """As the dead letters of a runtime."""
    _dead(cli, "good")
    bad = _dead(cli, "bad", State.FAILED)
    (told,) = _told(cli, "--error-code", "runtime_refused", "--dry-run")
    assert (told["id"], told["outcome"], told["dry_run"]) == ("bad", "returned", True)
    assert len(_bodies(cli, "webhooks-dlq")) == 2
    assert [one["id"] for one in _told(cli, "--id", "bad")] == ["bad"]
    assert _bodies(cli, "webhooks") == [bad]


def test_what_is_no_notification_stays(cli: CliWorld) -> None:
    """With the reason."""
    _bury(cli, '{"id": "x", "status": "sleeping"}')
    (told,) = _told(cli)
    assert (told["id"], told["outcome"]) == ("x", "kept")
    assert "sleeping" in told["why"]
    assert len(_bodies(cli, "webhooks-dlq")) == 1


@pytest.mark.parametrize("arguments", [(), ("webui", "--webhooks"), ("--webhooks", "--purge")])
def test_it_must_be_clear_what_is_meant(cli: CliWorld, arguments: tuple[str, ...]) -> None:
    """A runtime or the webhooks; and a webhook's message is never thrown away."""
    with pytest.raises(Refused):
        cli.run("redrive", *arguments)
