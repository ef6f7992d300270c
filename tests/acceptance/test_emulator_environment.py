"""The emulator's environment: what happens where it cannot be made."""

from pathlib import Path

import pytest

from darkroom_local import emulator_environment
from darkroom_local.emulator import EmulatorUnavailable


def test_it_says_why_it_cannot_be_had(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An environment that cannot be made is told with the failing tool's own words, and made again next time."""
    lock = tmp_path / "localstack.txt"
    lock.write_text("no-such-package-anywhere==\n")
    monkeypatch.setattr(emulator_environment, "_LOCK", lock)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for _ in range(2):
        with pytest.raises(EmulatorUnavailable, match="ended with status"):
            emulator_environment.environment_python()
