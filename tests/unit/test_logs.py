"""Logs are JSON lines without secrets, each with its job."""

import json

import pytest
import structlog

from darkroom_agent.logs import mask, masked, start_logs

from .world import World, message


def test_secrets_are_masked() -> None:
    """Signatures, credentials, user names in URLs, whatever is called a token; and no image gets into a log."""
    url = "https://b.s3.amazonaws.com/k?X-Amz-Credential=AKIA%2F&X-Amz-Signature=abc&x=1"
    assert masked(url) == "https://b.s3.amazonaws.com/k?X-Amz-Credential=***&X-Amz-Signature=***&x=1"
    assert masked("http://me:secret@host/") == "http://***@host/"
    assert len(masked("A" * 100_000)) < 2100
    event = mask(None, "info", {"event": "x", "authorization": "Bearer abc", "webhook_token": "t", "none": None})
    assert event == {"event": "x", "authorization": "***", "webhook_token": "***"}


def test_logs_are_json_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """With severity, time and what was bound."""
    start_logs("info")
    try:
        with structlog.contextvars.bound_contextvars(job_id="a"):
            structlog.get_logger().info("job.started", url="http://u:p@h/")
            structlog.get_logger().debug("not.told")
        (line,) = capsys.readouterr().err.splitlines()
        told = json.loads(line)
        assert (told["event"], told["level"], told["job_id"], told["url"]) == (
            "job.started",
            "info",
            "a",
            "http://***@h/",
        )
    finally:
        structlog.reset_defaults()


async def test_every_line_of_a_job_carries_its_id() -> None:
    """And one line is written for each change of its state."""
    world = World()
    with structlog.testing.capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
        await world.settled(message())
    told = [line for line in lines if line["event"].startswith("job.")]
    assert [line["event"] for line in told] == ["job.started", "job.completed"]
    assert {line["job_id"] for line in told} == {"a"}
