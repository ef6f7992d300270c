"""`make cluster` and `make cluster-down`: one at a time, and ended from elsewhere."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# It holds the lock as a cluster does, and takes a moment to end.
_HOLDER = """
import signal, time
from darkroom_local.cluster.__main__ import _only_one
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
with _only_one():
    print("up", flush=True)
    try:
        signal.sigwait({signal.SIGTERM})
        time.sleep(0.3)
    finally:
        print("ended", flush=True)
"""


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """An environment whose clusters are not this machine's."""
    return {"TMPDIR": str(tmp_path), "PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)}


def cluster(environ: dict[str, str], *words: str) -> tuple[int, str]:
    """Run the command: status and output."""
    command = [sys.executable, "-m", "darkroom_local.cluster", *words]
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=30, check=False)
    return done.returncode, done.stdout


def refused(environ: dict[str, str], folder: Path) -> set[str]:
    """What `up` and `down` say who are refused."""
    done = [cluster(environ, *words) for words in (["down"], ["up", "--images", str(folder)])]
    assert [status for status, _ in done] == [1, 1]
    return {" ".join(said.split()) for _, said in done}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a file to somebody else")
def test_a_file_of_somebody_elses_ends_nobody(environ: dict[str, str], tmp_path: Path) -> None:
    """Whoever may write to /tmp must not say whom root ends."""
    file = tmp_path / "darkroom-cluster.pid"
    file.write_text("1")
    os.chown(file, 65534, -1)
    (said,) = refused(environ, tmp_path)
    assert "another user's: remove it" in said
    assert file.read_text() == "1"


def test_a_link_empties_nothing(environ: dict[str, str], tmp_path: Path) -> None:
    """Nor what root is to empty."""
    (tmp_path / "dear").write_text("kept")
    (tmp_path / "darkroom-cluster.pid").symlink_to("dear")
    (said,) = refused(environ, tmp_path)
    assert "remove it" in said
    assert (tmp_path / "dear").read_text() == "kept"


def test_cluster_command(environ: dict[str, str], tmp_path: Path) -> None:
    """A second cluster is refused with what to do; `down` ends the first, and waits until it has ended."""
    with subprocess.Popen(
        [sys.executable, "-c", _HOLDER], cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "up\n"
        status, said = cluster(environ, "up", "--images", str(tmp_path))
        assert status == 1
        assert "make cluster-down" in said
        assert cluster(environ, "down") == (0, "the cluster has ended\n")
        assert holder.stdout.read() == "ended\n"
    assert cluster(environ, "down") == (0, "no cluster runs\n")
