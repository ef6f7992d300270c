"""Control groups of a node, in version 2: what it needs is handed on to it, and what a killed one left is removed."""

import errno
from pathlib import Path

import pytest
from scripts.go_tools import ToolUnavailable

from darkroom_local.cluster import cgroups
from darkroom_local.cluster.cgroups import control_groups, sweep


@pytest.fixture
def mounted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What lies at /sys/fs/cgroup."""
    (tmp_path / "cgroup.controllers").write_text("cpuset cpu rdma memory pids\n")
    monkeypatch.setattr(cgroups, "_MOUNTED", tmp_path)
    return tmp_path


def refuse(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Let the kernel refuse to hand a controller on."""
    write = Path.write_text

    def written(file: Path, text: str) -> int:
        if text == f"+{name}":
            raise OSError(errno.EBUSY, "Device or resource busy")
        return write(file, text)

    monkeypatch.setattr(Path, "write_text", written)


async def test_a_group_is_there_for_as_long_as_it_is_needed(mounted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be handed on and is not needed does not matter."""
    refuse(monkeypatch, "rdma")
    async with control_groups("darkroom3"):
        assert (mounted / "darkroom3").is_dir()
    assert not (mounted / "darkroom3").exists()


async def test_a_controller_that_is_kept_back_is_said(mounted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container whose processes are in its own group: with what to do."""
    refuse(monkeypatch, "memory")
    with pytest.raises(ToolUnavailable, match=f"memory is kept .* {mounted} .*busy.*move all processes"):
        async with control_groups("darkroom3"):
            pass


def test_what_killed_clusters_left_is_removed(mounted: Path) -> None:
    """Groups of those that live stay, and so do others' groups."""
    for name in ("darkroom0/pods/one", "darkroom1/pods", "darkroom-other"):
        (mounted / name).mkdir(parents=True)
    sweep("darkroom", lambda name: name == "darkroom1")
    assert {one.name for one in mounted.iterdir() if one.is_dir()} == {"darkroom1", "darkroom-other"}
