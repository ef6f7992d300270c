"""What a node needs of a machine: what is missing is installed, or said."""

import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from scripts import apt
from scripts.go_tools import ToolUnavailable

from darkroom_local.cluster import machine
from darkroom_local.cluster.machine import prepare
from darkroom_local.cluster.pause import pause_image

_HEADERS = b"\x7fELF".ljust(0x318)


@pytest.fixture(autouse=True)
def status(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine on which root may do everything: what it says of our process."""
    file = tmp_path / "status"
    file.write_text("Name:\tpython\nCapEff:\t000001ffffffffff\n")
    monkeypatch.setattr(machine, "_STATUS", file)
    monkeypatch.setattr(machine, "_CONTROL_GROUPS", tmp_path)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return file


@pytest.fixture
def there(tmp_path: Path) -> str:
    """A program that is there, and static."""
    file = tmp_path / "static"
    file.write_bytes(_HEADERS + b"\0" * 64)
    return str(file)


def test_what_is_missing_is_installed(there: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each package once, and only those whose programs are not there."""
    asked: list[tuple[str, ...]] = []
    missing = ("ctr", "containerd", "ip")
    monkeypatch.setattr(shutil, "which", lambda program: None if program in missing else there)
    monkeypatch.setattr(apt, "install", lambda *packages: asked.append(packages))
    prepare()
    assert asked == [("containerd", "iproute2")]


def test_a_busybox_with_a_linker_is_none(tmp_path: Path, there: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Debian's own is such a one: in an image of nothing else it does not start, and so no pod would."""
    asked: list[tuple[str, ...]] = []
    linked = tmp_path / "linked"
    linked.write_bytes(_HEADERS + b"/lib64/ld-linux-x86-64.so.2\0")
    monkeypatch.setattr(shutil, "which", lambda program: str(linked) if program == "busybox" else there)
    monkeypatch.setattr(apt, "install", lambda *packages: asked.append(packages))
    prepare()
    assert asked == [("busybox-static",)]
    with pytest.raises(ToolUnavailable, match="statically linked"):
        pause_image(tmp_path)


def test_nothing_is_installed_where_all_is_there(there: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a network it works as well."""
    monkeypatch.setattr(shutil, "which", lambda _: there)
    monkeypatch.setattr(apt, "install", lambda *_: pytest.fail("apt was asked"))
    prepare()


def test_what_cannot_be_had_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Root is asked for; a package that cannot be installed is named, with what to do."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(ToolUnavailable, match="root"):
        prepare()

    def refuse(*_: str) -> None:
        raise apt.NotInstalled("install it yourself")

    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setattr(apt, "install", refuse)
    with pytest.raises(ToolUnavailable, match=r"containerd.*install it yourself"):
        prepare()


def test_a_root_that_may_not_is_said(status: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container: what it lacks is named, and what to do."""
    status.write_text("CapEff:\t00000000a80425fb\n")  # Docker's default
    with pytest.raises(ToolUnavailable, match=r"CAP_NET_ADMIN and CAP_SYS_ADMIN.*privileged"):
        prepare()
    status.write_text("CapEff:\t000001ffffffffff\n")
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_flag=os.ST_RDONLY))
    with pytest.raises(ToolUnavailable, match="read-only"):
        prepare()
