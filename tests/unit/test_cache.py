"""The cache's folder, and its lock between processes."""

import subprocess
import sys
from pathlib import Path

import pytest

from darkroom_local.cache import alone, cache_folder

_WAITS = """
import sys; from pathlib import Path; from darkroom_local.cache import alone
with alone(Path(sys.argv[1])): pass
"""


def test_the_folder_is_where_the_user_wants_caches(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """XDG_CACHE_HOME if it is set, else ~/.cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "darkroom"
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    assert cache_folder() == Path.home() / ".cache" / "darkroom"


def test_one_process_at_a_time_and_the_other_says_that_it_waits(tmp_path: Path) -> None:
    """It goes on as soon as the first one lets go."""
    lock = tmp_path / "folder" / "lock"
    with alone(lock):
        other = subprocess.Popen([sys.executable, "-c", _WAITS, lock], stderr=subprocess.PIPE, text=True)
        assert other.stderr is not None
        assert "waiting for it" in other.stderr.readline()
        assert other.poll() is None
    _, said = other.communicate(timeout=30)
    assert (other.returncode, said) == (0, "")
