"""A file tells that the agent's event loop turns, and a probe reads it."""

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from darkroom_agent.alive import main, sign_of_absence, sign_of_death
from darkroom_agent.heartbeat import stay_alive


async def test_a_loop_that_turns_is_alive(tmp_path: Path) -> None:
    """From its first turn on."""
    file = tmp_path / "alive"
    assert "has not begun" in (sign_of_death(file) or "")
    task = asyncio.create_task(stay_alive(file, lambda: True))
    await asyncio.sleep(0)
    assert sign_of_death(file) is None
    task.cancel()


async def test_an_agent_without_its_runtime_is_alive_and_not_ready(tmp_path: Path) -> None:
    """The pod is no good for a rollout to go on, and the first to go when there are too many; but it is not killed."""
    file = tmp_path / "alive"
    up = asyncio.Event()
    for ready, said in ((False, "the runtime is not up"), (True, None)):
        if ready:
            up.set()
        task = asyncio.create_task(stay_alive(file, up.is_set))
        await asyncio.sleep(0)
        assert sign_of_absence(file) == said
        assert sign_of_death(file) is None
        task.cancel()


def test_a_loop_that_stands_still_is_dead(tmp_path: Path) -> None:
    """After half a minute, by a clock that nobody sets."""
    file = tmp_path / "alive"
    file.touch()
    long_ago = time.monotonic_ns() - 31 * 10**9
    os.utime(file, ns=(long_ago, long_ago))
    assert "has not turned for 31 s" in (sign_of_death(file) or "")


async def test_a_file_that_cannot_be_written_is_left_to_the_probe(tmp_path: Path) -> None:
    """The agent goes on without it."""
    await stay_alive(tmp_path / "no such folder" / "alive", lambda: True)


def test_the_probe_ends_with_a_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """1 with a reason where there is no sign of life."""
    monkeypatch.setenv("ALIVE_FILE", str(tmp_path / "alive"))
    assert main([]) == main(["ready"]) == 1
    assert "has not begun" in capsys.readouterr().err
    monkeypatch.delenv("ALIVE_FILE")
    assert main([]) == 1
    assert "ALIVE_FILE is not set" in capsys.readouterr().err


def test_a_probe_starts_with_next_to_nothing() -> None:
    """It starts nine times a minute in every pod: what it imports is most of what an idle agent costs."""
    code = "import sys; before = {*sys.modules}; import darkroom_agent.alive; print(*{*sys.modules} - before)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {*done.stdout.split()} <= {"darkroom_agent", "darkroom_agent.alive", "time"}
