"""`darkroom redrive` against the stand-in: what becomes of each dead letter, and what an interruption leaves."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from darkroom_cli import dead_letters, redrive_plan
from darkroom_cli.failures import NotFound, Refused
from darkroom_cli.redrive_plan import Filters, Keep, Letter, Purge, Resend, Return, decide
from darkroom_contract.again import next_id, original_id
from darkroom_contract.document import Error, JobDocument
from darkroom_contract.job import Job, State, Task, digest
from tests.unit.cli_world import CliWorld, cli_world

AT = datetime(2026, 11, 24, tzinfo=UTC)
JOB = Job(id="a", runtime="webui", task=Task.TEXT_TO_IMAGE, input={"prompt": "a lake"})


@pytest.fixture
def cli(tmp_path: Path) -> Iterator[CliWorld]:
    with cli_world(tmp_path) as world:
        world.patch.setattr(dead_letters, "_POLL_SECONDS", 0)
        settings = world.api.door.settings
        world.patch.setenv("DARKROOM_QUEUE_URL_PREFIX", settings.queue_url_prefix)
        world.patch.setenv("DARKROOM_JOBS_TOPIC_ARN", settings.jobs_topic_arn)
        world.patch.setenv("DARKROOM_OUTPUT_BUCKET", "outputs")
        world.api.clients.sqs.create_queue(QueueName="d-webui-dlq")
        yield world


def _url(cli: CliWorld, name: str) -> str:
    return f"{cli.api.door.settings.queue_url_prefix}{name}"


def _bury(cli: CliWorld, body: str) -> None:
    cli.api.clients.sqs.send_message(
        QueueUrl=_url(cli, "webui-dlq"),
        MessageBody=body,
        MessageGroupId="ann",
        MessageAttributes={"kind": {"DataType": "String", "StringValue": "x"}},
    )


def _dead(cli: CliWorld, job_id: str, state: State | None = None, **more: Any) -> str:
    """A job whose message lies in the dead-letter queue, as SNS wraps it; the body."""
    cli.api.submit(id=job_id, **more)
    (job,) = cli.api.heard()
    if state is not None:
        cli.end(job_id, state, retryable=True)
    body = json.dumps({"Type": "Notification", "Message": msgspec.json.encode(job).decode()})
    _bury(cli, body)
    return body


def _bodies(cli: CliWorld, name: str) -> list[str]:
    answer = cli.api.clients.sqs.receive_message(
        QueueUrl=_url(cli, name), MaxNumberOfMessages=10, VisibilityTimeout=0, MessageSystemAttributeNames=["All"]
    )
    return [message["Body"] for message in answer.get("Messages", [])]


def _told(cli: CliWorld, *arguments: str, status: int = 0) -> list[dict[str, Any]]:
    return [json.loads(line) for line in cli.run("redrive", "webui", *arguments, "--json", status=status).splitlines()]


def test_a_job_that_has_not_ended_goes_back_as_it_is(cli: CliWorld) -> None:
    """The same bytes, with its attributes and its tenant's group; a raw message as well as a wrapped one."""
    body = _dead(cli, "waiting")
    raw = msgspec.json.encode(msgspec.structs.replace(JOB, id="unknown")).decode()
    _bury(cli, raw)
    assert {one["outcome"] for one in _told(cli)} == {"returned"}
    assert _bodies(cli, "webui-dlq") == []
    answer = cli.api.clients.sqs.receive_message(
        QueueUrl=_url(cli, "webui"),
        MaxNumberOfMessages=10,
        MessageSystemAttributeNames=["MessageGroupId"],
        MessageAttributeNames=["All"],
    )
    messages = answer["Messages"]
    assert {message["Body"] for message in messages} == {body, raw}
    assert {message["Attributes"]["MessageGroupId"] for message in messages} == {"ann"}
    assert {message["MessageAttributes"]["kind"].get("StringValue") for message in messages} == {"x"}


def test_it_goes_back_to_the_queue_that_it_came_from(cli: CliWorld) -> None:
    """SQS tells the source; of what SNS could not deliver, the job's priority does."""
    sqs = cli.api.clients.sqs
    dead_arn = sqs.get_queue_attributes(QueueUrl=_url(cli, "webui-dlq"), AttributeNames=["QueueArn"])["Attributes"]
    policy = json.dumps({"deadLetterTargetArn": dead_arn["QueueArn"], "maxReceiveCount": "1"})
    sqs.create_queue(QueueName="d-webui-other", Attributes={"RedrivePolicy": policy})
    moved = msgspec.json.encode(msgspec.structs.replace(JOB, id="moved")).decode()
    sqs.send_message(QueueUrl=_url(cli, "webui-other"), MessageBody=moved)
    for _ in range(2):
        sqs.receive_message(QueueUrl=_url(cli, "webui-other"), VisibilityTimeout=0)
    bulk = json.dumps({"id": "b", "runtime": "webui", "task": "text-to-image", "input": {}, "priority": "bulk"})
    _bury(cli, bulk)
    assert len(_told(cli)) == 2
    assert _bodies(cli, "webui-other") == [moved]
    assert _bodies(cli, "webui-bulk") == [bulk]


def test_a_failed_job_is_sent_again_under_a_new_id(cli: CliWorld) -> None:
    """Its document stays as it is; the new one is like the API's, and its time to live begins anew."""
    _dead(cli, "a", State.FAILED, context={"order": 7}, priority="bulk")
    before = cli.api.document("a")
    (told,) = _told(cli)
    assert (told["outcome"], told["new_id"], told["code"]) == ("sent again", "a.r1", "runtime_refused")
    (job,) = cli.api.heard()
    document = cli.api.document("a.r1")
    assert document is not None
    assert (job.id, job.context, job.priority, job.submitted_at) == (
        "a.r1",
        {"order": 7},
        "bulk",
        document.submitted_at,
    )
    assert (document.state, document.request_digest) == (State.QUEUED, digest(job))
    assert cli.api.document("a") == before
    assert _bodies(cli, "webui-dlq") == []
    _bury(cli, msgspec.json.encode(job).decode())
    cli.end("a.r1", State.FAILED)
    assert [one["new_id"] for one in _told(cli)] == ["a.r2"]


def test_a_redrive_that_was_cut_off_is_done_once(cli: CliWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between document and topic, the message is still there: the next run publishes and makes no second job."""
    _dead(cli, "a", State.FAILED)
    with monkeypatch.context() as patch:
        patch.setenv("DARKROOM_JOBS_TOPIC_ARN", "arn:aws:sns:us-east-1:000000000000:gone")
        (told,) = _told(cli, status=1)
    assert told["outcome"] == "failed"
    assert cli.api.document("a.r1") is not None
    assert [one["new_id"] for one in _told(cli)] == ["a.r1"]
    assert [job.id for job in cli.api.heard()] == ["a.r1"]
    assert cli.api.document("a.r2") is None


def test_an_id_that_another_took_is_left_alone(cli: CliWorld) -> None:
    """The next one is taken."""
    cli.api.submit(id="a.r1", input={"prompt": "of another"})
    cli.api.heard()
    _dead(cli, "a", State.FAILED)
    assert [one["new_id"] for one in _told(cli)] == ["a.r2"]


def test_a_large_job_travels_by_reference_again(cli: CliWorld) -> None:
    """What is behind `job_ref` is read, and lies under the new id's own key."""
    large = {"prompt": "a", "init_images": ["data:image/png;base64," + "A" * 300_000]}
    cli.api.submit(id="big", task="image-to-image", input=large)
    queued = cli.api.clients.sqs.receive_message(QueueUrl=cli.api.heard_url)["Messages"][0]["Body"]
    cli.end("big", State.FAILED)
    _bury(cli, queued)
    assert [one["new_id"] for one in _told(cli)] == ["big.r1"]
    assert "big.r1" in {job.id for job in cli.api.heard()}


def test_what_is_of_no_use_is_removed_only_if_asked(cli: CliWorld) -> None:
    """Messages of jobs that completed stay, and so does, for ever, what cannot be read."""
    _dead(cli, "done", State.COMPLETED)
    _bury(cli, "no json")
    _bury(cli, '{"id": "odd", "runtime": 7, "task": "pipeline", "input": {}}')
    _bury(cli, '{"job_ref": "s3://outputs/nothing/here"}')
    kept = _told(cli)
    assert [one["outcome"] for one in kept] == ["kept"] * 4
    whys = {one["id"]: one["why"] for one in kept}
    assert "--purge" in whys["done"]
    assert "$.runtime" in whys["odd"]
    assert len(_bodies(cli, "webui-dlq")) == 4  # seen by others at once
    assert sorted(one["outcome"] for one in _told(cli, "--purge")) == ["kept", "kept", "kept", "removed"]
    assert len(_bodies(cli, "webui-dlq")) == 3


def test_a_dry_run_changes_nothing(cli: CliWorld) -> None:
    """It tells what would be, and all is there for the next."""
    _dead(cli, "a", State.FAILED)
    _dead(cli, "b")
    shown = cli.run("redrive", "webui", "--dry-run")
    assert "would be sent again" in shown
    assert "would be returned" in shown
    assert len(_bodies(cli, "webui-dlq")) == 2
    assert cli.api.document("a.r1") is None
    assert cli.api.heard() == []


def test_only_what_is_meant_is_touched(cli: CliWorld) -> None:
    """By id, code, moment and number; the others are given back at once."""
    for name in ("a", "b", "c"):
        _dead(cli, name, State.FAILED)
    _dead(cli, "d")
    assert [one["id"] for one in _told(cli, "--id", "b", "--id", "never")] == ["b"]
    assert _told(cli, "--error-code", "out_of_memory") == []
    assert _told(cli, "--since", "2099-01-01") == []
    assert len(_told(cli, "--error-code", "runtime_refused", "--limit", "1")) == 1
    assert len(_told(cli, "--since", "1h")) == 2
    assert _told(cli) == []
    assert cli.run("redrive", "webui").strip() == "no dead letters"


def test_what_is_not_there_is_said(cli: CliWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """A queue, a bucket (in which no job would seem to have ended), a setting."""
    _dead(cli, "a", State.COMPLETED)
    with pytest.raises(NotFound, match="d-nowhere-dlq is not there"):
        cli.run("redrive", "nowhere")
    monkeypatch.setenv("DARKROOM_OUTPUT_BUCKET", "nowhere")
    with pytest.raises(NotFound, match="s3://nowhere is not there"):
        cli.run("redrive", "webui")
    monkeypatch.delenv("DARKROOM_OUTPUT_BUCKET")
    with pytest.raises(Refused, match="DARKROOM_OUTPUT_BUCKET"):
        cli.run("redrive", "webui")
    assert len(_bodies(cli, "webui-dlq")) == 1


def test_an_id_that_would_be_too_long_stays(cli: CliWorld) -> None:
    """It is told, and the message is still there."""
    _dead(cli, "a" * 127, State.FAILED)
    (told,) = _told(cli, status=1)
    assert "$.id" in told["why"]
    assert len(_bodies(cli, "webui-dlq")) == 1


LETTER = Letter("m", "r", "{}", AT, job_id="a", job=JOB)


def _document(state: State, code: str | None = None) -> JobDocument:
    error = Error(code=code, message="", retryable=True) if code else None
    return JobDocument(id="a", runtime="webui", state=state, error=error)


@pytest.mark.parametrize(
    ("state", "purge", "action"),
    [
        (None, True, Return()),
        (State.QUEUED, True, Return()),
        (State.RUNNING, False, Return()),
        (State.FAILED, True, Resend(JOB)),
        (State.COMPLETED, True, Purge()),
        (State.CANCELLED, True, Purge()),
        (State.EXPIRED, False, Keep("the job is expired; --purge removes the message")),
    ],
)
def test_the_decision(state: State | None, purge: bool, action: redrive_plan.Action) -> None:
    """By the job's state alone."""
    assert decide(replace(LETTER, document=_document(state) if state else None), purge=purge) == action


def test_filters_hold_all_together() -> None:
    """What is not given does not matter."""
    failed = replace(LETTER, document=_document(State.FAILED, "out_of_memory"))
    assert Filters().admit(LETTER)
    assert Filters(codes=frozenset({"out_of_memory"}), ids=frozenset("a"), since=AT).admit(failed)
    assert not Filters(codes=frozenset({"out_of_memory"})).admit(LETTER)
    assert not Filters(since=AT + timedelta(seconds=1)).admit(LETTER)
    assert not Filters(ids=frozenset("b"), codes=frozenset({"out_of_memory"})).admit(failed)


def test_each_id_has_one_successor() -> None:
    """Also of ids that only look like one."""
    assert [next_id(one) for one in ("a", "a.r1", "a.r9", "a.r0", "a.rx", ".r1")] == [
        "a.r1",
        "a.r2",
        "a.r10",
        "a.r0.r1",
        "a.rx.r1",
        ".r1.r1",
    ]
    assert [original_id(one) for one in ("a", "a.r1", "a.r10", "a.r0")] == ["a", "a", "a", "a.r0"]


def test_what_was_sent_again_is_listed(cli: CliWorld) -> None:
    """Beside the first try, whose time its id has."""
    job_id = cli.api.submit().body["id"]
    (job,) = cli.api.heard()
    cli.end(job_id, State.FAILED)
    _bury(cli, msgspec.json.encode(job).decode())
    _told(cli)
    listed = [json.loads(line)["id"] for line in cli.run("list", "--json").splitlines()]
    assert listed == [f"{job_id}.r1", job_id]


def test_nothing_goes_on_for_ever(cli: CliWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job that was tried over and over is looked at by a person."""
    monkeypatch.setattr(dead_letters, "_MOST_TRIES", 1)
    cli.api.submit(id="a.r1", input={"prompt": "of another"})
    cli.api.heard()
    _dead(cli, "a", State.FAILED)
    (told,) = _told(cli, status=1)
    assert "find out why" in told["why"]
