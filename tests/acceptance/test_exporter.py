"""An agent whose telemetry goes nowhere: its jobs go on, its log says so once, and it leaves in time."""

import asyncio
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from darkroom_local.emulator import Emulator, free_port
from tests.integration.world import world
from tests.telemetry import Collector, collector


@pytest.fixture
def told() -> Iterator[Collector]:
    with collector() as made:
        yield made


@pytest.mark.parametrize("trouble", ["unreachable", "silent", "refusing"])
async def test_an_exporter_that_fails_costs_no_job(
    emulator: Emulator, tmp_path: Path, told: Collector, trouble: str
) -> None:
    """Nobody listens; nobody answers, for as long as an export may take; every export is refused."""
    endpoint = f"http://127.0.0.1:{free_port()}" if trouble == "unreachable" else told.url
    told.status = 503
    if trouble == "silent":
        told.gate.clear()
    async with world(emulator, tmp_path, latency=0) as sd:
        agent = await sd.agent(
            OTEL_EXPORTER_OTLP_ENDPOINT=endpoint, OTEL_BSP_SCHEDULE_DELAY="100", OTEL_EXPORTER_OTLP_TIMEOUT="600"
        )
        for number in range(3):
            await sd.job(f"job-{number}")
            assert (await sd.notified(f"job-{number}"))["status"] == "completed"
        if trouble == "silent":
            await asyncio.to_thread(told.wait, lambda one: one.posts > 0)
        else:
            await agent.says("telemetry.trouble")
        agent.signal(signal.SIGTERM)
        async with asyncio.timeout(30):
            assert await agent.process.wait() == 0
        events = [entry["event"] for entry in agent.logged]
    assert "text" not in events
    assert events.count("telemetry.trouble") == (0 if trouble == "silent" else 1)
    assert events[-1] == "agent.stopped"
