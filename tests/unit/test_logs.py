"""Logs are JSON lines without secrets, each with its job; on a terminal people can read them."""

import base64
import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from darkroom_agent.errors import InputUnavailable
from darkroom_agent.logs import mask, masked, start_logs
from darkroom_agent.ports import FieldPath, InputImage
from darkroom_contract.document import Timings
from tests import leaks

from .world import World, message

PRESIGNED = "https://b.s3.amazonaws.com/k?X-Amz-Credential=AKIAABCDEFGHIJKLMNOP%2F&X-Amz-Signature=abc&x=1"
IMAGE = base64.b64encode(bytes(range(256)) * 4).decode()


@pytest.fixture
def _own_configuration() -> Iterator[None]:
    before = structlog.get_config()
    yield
    structlog.configure(**before)


def test_secrets_are_masked() -> None:
    """Queries, credentials, user names in URLs, tokens, signing secrets; names stay, for they tell what it was."""
    assert masked(PRESIGNED) == "https://b.s3.amazonaws.com/k?X-Amz-Credential=***&X-Amz-Signature=***&x=***"
    assert masked("http://me:secret@host/") == "http://***@host/"
    assert masked("Authorization: Bearer abcdefghi.jkl") == "Authorization: Bearer ***"
    assert masked("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw and AKIAABCDEFGHIJKLMNOP") == "whsec_*** and ***"
    assert masked("X-Amz-Signature=abc, as text") == "X-Amz-Signature=*** as text"


def test_what_is_no_secret_stays() -> None:
    """Ids, digests, addresses, numbers: what a log is read for."""
    for text in ("s3://out/sd/a/0-0123456789ab.png", "0" * 64, "1-5759e988-bd862e3fe1be46a994272793", "a = b; c"):
        assert masked(text) == text


def test_no_image_gets_into_a_log() -> None:
    """Neither short nor long, neither as bytes nor inside of something."""
    assert masked(f"data:image/png;base64,{IMAGE} end") == "data:image/png;base64,… end"
    assert len(masked("A b" * 100_000)) < 2100
    event = mask(
        None, "info", {"body": b"123", "request": {"init_images": [IMAGE], "n": 2}, "timings": Timings(queued=1)}
    )
    assert event == {"body": "3 bytes", "request": {"init_images": ["…"], "n": 2}, "timings": {"queued": 1}}


def test_fields_are_masked_by_their_names_too() -> None:
    """At any depth that is shown; what is None is left out."""
    deep: Any = {"a": {"b": {"c": {"d": {"token": "t"}}}}}
    event = {"event": "x", "authorization": "abc", "webhook_token": "t", "none": None, "inner": {"api_key": "k"}}
    shown = {"event": "x", "authorization": "***", "webhook_token": "***", "inner": {"api_key": "***"}}
    assert mask(None, "info", event | {"deep": deep}) == shown | {"deep": {"a": {"b": {"c": {"d": "…"}}}}}


@given(st.text(max_size=300), st.text(max_size=300))
def test_no_secret_gets_through_among_anything(before: str, after: str) -> None:
    """Whatever stands around it."""
    shown = masked(f"{before} {PRESIGNED} {after}")
    assert "AKIAABCDEFGHIJKLMNOP" not in shown
    assert "Signature=abc" not in shown


@pytest.mark.parametrize(
    "leak", [PRESIGNED, "http://me:secret@h/", "Bearer abcdefghi.jklmn", f"x {IMAGE} y", "whsec_abcd"]
)
def test_the_watch_over_the_tests_logs_sees_leaks(leak: str) -> None:
    """And is content with what is masked."""
    leaks.look(json.dumps({"event": leak}))
    found = leaks.found.copy()
    leaks.found.clear()
    assert found
    leaks.look(json.dumps({"event": masked(leak)}))
    assert not leaks.found


@pytest.mark.usefixtures("_own_configuration")
def test_logs_are_json_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """With severity, time and what was bound."""
    start_logs("info")
    with structlog.contextvars.bound_contextvars(job_id="a"):
        structlog.get_logger().info("job.started", url="http://u:p@h/")
        structlog.get_logger().debug("not.told")
    (line,) = capsys.readouterr().err.splitlines()
    told = json.loads(line)
    assert (told["event"], told["level"], told["job_id"], told["url"]) == ("job.started", "info", "a", "http://***@h/")


@pytest.mark.usefixtures("_own_configuration")
def test_people_can_read_them_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line with its fields, a traceback as one; masked all the same."""
    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr("sys.stderr", terminal)
    start_logs("info")
    try:
        raise ValueError(PRESIGNED)
    except ValueError:
        structlog.get_logger().exception("agent.failed", job_id="a")
    text = terminal.getvalue()
    assert "agent.failed" in text
    assert text.rstrip().splitlines()[-1].startswith("ValueError: https://b.s3.amazonaws.com/k?X-Amz-Credential=***")
    assert "{" not in text


async def test_every_line_of_a_job_carries_its_id() -> None:
    """And one line is written for each change of its state."""
    world = World()
    with structlog.testing.capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
        await world.settled(message())
    told = [line for line in lines if line["event"].startswith("job.")]
    assert [line["event"] for line in told] == ["job.started", "job.completed"]
    assert {(line["job_id"], line["attempt"]) for line in told} == {("a", 1)}


async def test_what_a_caller_sent_is_not_logged() -> None:
    """A failure that quotes it is one line, without the secret in it."""

    class Refusing:
        async def fetch(self, fields: list[tuple[FieldPath, str]]) -> dict[FieldPath, InputImage]:
            raise InputUnavailable(f"cannot read {PRESIGNED} nor {IMAGE}")

    world = World()
    world.inputs = Refusing()
    with structlog.testing.capture_logs(processors=[structlog.contextvars.merge_contextvars, mask]) as lines:
        await world.settled(message())
    (failed,) = (line for line in lines if line["event"] == "job.failed")
    assert failed["error"].startswith("cannot read https://b.s3.amazonaws.com/k?X-Amz-Credential=***")
    assert leaks.found == []


async def test_polls_are_not_logged() -> None:
    """An agent without work says nothing."""
    world = World()
    polled = 0
    receive = world.queue.receive

    async def counted(limit: int, wait_seconds: int) -> Any:
        nonlocal polled
        polled += 1
        if polled == 3:
            world.drain.begin()
        return await receive(limit, wait_seconds)

    world.queue.receive = counted  # type: ignore[method-assign]
    with structlog.testing.capture_logs() as lines:
        await world.serve()
    assert polled == 3
    assert {line["event"] for line in lines} == {"runtime.up", "store.up", "topic.up", "agent.ready"}
    assert len(lines) == 4
