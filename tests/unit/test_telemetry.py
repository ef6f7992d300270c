"""Telemetry is on where there is an endpoint, and never in the agent's way."""

import pytest

from darkroom_agent.telemetry import Telemetry, telemetry


def test_telemetry_is_off_without_an_endpoint() -> None:
    """Null objects stand in its place."""
    with telemetry({}, "sd") as off:
        assert isinstance(off, Telemetry)


def test_telemetry_is_on_with_an_endpoint() -> None:
    """And an endpoint that is not there holds nothing up for long."""
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", environ["OTEL_EXPORTER_OTLP_ENDPOINT"])
        patch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
        with telemetry(environ, "sd") as on:
            assert isinstance(on, Telemetry)
