"""A cluster's folder is gone with it; after a kill, at the start of the next."""

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from darkroom_local.cluster.folder import cluster_folder

_HOLDER = """
import time
from darkroom_local.cluster.folder import cluster_folder
with cluster_folder() as folder:
    print(folder, flush=True)
    time.sleep(60)
"""


def test_what_a_killed_cluster_left_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder of one that was killed goes when another starts, that of one that runs stays."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with subprocess.Popen([sys.executable, "-c", _HOLDER], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        theirs = Path(other.stdout.readline().strip())
        with cluster_folder() as ours:
            assert set(tmp_path.iterdir()) == {theirs, ours}
        assert set(tmp_path.iterdir()) == {theirs}
        other.kill()
        other.wait()
    with cluster_folder() as ours:
        assert set(tmp_path.iterdir()) == {ours}
    assert set(tmp_path.iterdir()) == set()
