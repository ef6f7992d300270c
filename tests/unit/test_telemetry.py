"""Telemetry is on where there is an endpoint, and never in the agent's way."""

import logging
import threading
from collections.abc import Iterator

import pytest
import structlog
from opentelemetry.trace import NonRecordingSpan, get_current_span

from darkroom_agent.telemetry import telemetry
from darkroom_agent.telemetry_trouble import QUIET_SECONDS, OncePerMinute
from tests.telemetry import Collector, collector


@pytest.fixture
def told() -> Iterator[Collector]:
    with collector() as made, pytest.MonkeyPatch.context() as patch:
        patch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", made.url)
        patch.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
        patch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "600")  # longer than any test, however busy the machine
        yield made


def _on(told: Collector) -> dict[str, str]:
    return {"OTEL_EXPORTER_OTLP_ENDPOINT": told.url}


def test_telemetry_is_off_without_an_endpoint() -> None:
    """Null objects stand in its place."""
    with telemetry({}, "sd") as off, off.traces.stage("run"):
        assert isinstance(get_current_span(), NonRecordingSpan)


def test_what_was_told_arrives_before_the_end(told: Collector) -> None:
    """Spans and metrics that wait for their export are sent when the agent leaves."""
    with telemetry(_on(told), "sd") as on, on.traces.stage("run"):
        on.metrics.lease_lost()
    assert [span.name for span in told.spans] == ["run"]
    assert told.spans[0].resource["darkroom.runtime"] == "sd"
    assert "darkroom.lease.losses" in told.metrics


def test_a_receiver_that_does_not_answer_is_not_waited_for(told: Collector) -> None:
    """While it holds the first batch, spans go on being told; only so many are kept, and the farewell has an end."""
    told.gate.clear()
    with structlog.testing.capture_logs() as lines, telemetry(_on(told), "sd") as on:
        with on.traces.stage("run"):
            pass
        told.wait(lambda one: one.posts == 1)
        for _ in range(4_000):
            with on.traces.stage("run"):
                pass
        assert told.posts == 1
    assert [line["event"] for line in lines].count("telemetry.abandoned") == 1
    (trouble,) = (line for line in lines if line["event"] == "telemetry.trouble")
    assert "Queue full" in trouble["reason"]
    told.gate.set()
    for thread in threading.enumerate():
        if thread.name == "telemetry-farewell":
            assert thread.daemon
            thread.join(30)
    assert 1 < len(told.spans) <= 1 + 2048 + 512


def test_errors_are_told_and_nothing_else_changes(told: Collector) -> None:
    """A receiver that refuses is tried again by the library, and complained of once."""
    told.status = 400
    with structlog.testing.capture_logs() as lines, telemetry(_on(told), "sd") as on:
        for batch in range(1, 4):
            with on.traces.stage("run"):
                pass
            told.wait(lambda one, batch=batch: one.posts >= batch)  # type: ignore[misc]
    (trouble,) = (line for line in lines if line["event"] == "telemetry.trouble")
    assert "400" in trouble["reason"]
    assert (trouble["log_level"], trouble["runtime"]) == ("warning", "sd")


def test_complaints_come_once_a_minute() -> None:
    """With how many there were between."""
    now = [1000.0]
    handler = OncePerMinute("sd", lambda: now[0])
    with structlog.testing.capture_logs() as lines:
        for seconds in (0.0, 1.0, QUIET_SECONDS - 1.1, 0.2, 0.0):
            now[0] += seconds
            handler.handle(logging.LogRecord("opentelemetry.x", logging.ERROR, "", 0, "no %s", ("way",), None))
    assert [(line["reason"], line["untold"]) for line in lines] == [("no way", 0), ("no way", 2)]
