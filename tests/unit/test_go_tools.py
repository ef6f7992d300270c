"""Programs of Go: built once a version, whole or not at all."""

import os
import select
import subprocess
import sys
from pathlib import Path

import pytest
from scripts.go_tools import RECIPES, ToolUnavailable, building, program, replacements, version

ROOT = Path(__file__).parents[2]

# A toolchain that takes a moment, counts what it builds, and fails where it is told to.
_GO = """\
#!/bin/sh
case "$1 $2" in
"mod download") mkdir -p "$FAKE/sources"; touch "$FAKE/sources/go.mod" "$FAKE/sources/go.sum"
    echo "{\\"Dir\\": \\"$FAKE/sources\\"}";;
"mod edit") echo '{}';;
build*) [ ! -e "$FAKE/endless" ] || { echo $$ > "$FAKE/endless"; exec sleep 600; }
    sleep 0.3; echo built >> "$FAKE/builds"; [ ! -e "$FAKE/broken" ] || { echo "no such module" >&2; exit 1; }
    for word; do case "$word" in -o=*) echo '#!' > "${word#-o=}";; esac; done;;
esac
"""


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a toolchain that is not one, first on PATH, and an empty cache."""
    (tmp_path / "bin").mkdir()
    go = tmp_path / "bin" / "go"
    go.write_text(_GO)
    go.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setenv("FAKE", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


def test_two_who_want_the_same_build_it_once(fake: Path) -> None:
    """The second waits for the first and takes what it built; so does everybody later."""
    command = [sys.executable, "-m", "scripts.go_tools", "helm"]
    both = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    paths = {one.communicate(timeout=30)[0] for one in both}
    assert paths == {f"{program('helm')}\n"}
    assert (fake / "builds").read_text().split() == ["built"]


def test_a_build_that_fails_leaves_nothing(fake: Path) -> None:
    """Its words are the error's; the next try builds again."""
    (fake / "broken").touch()
    with pytest.raises(ToolUnavailable, match="no such module"):
        program("helm")
    (fake / "broken").unlink()
    assert program("helm").exists()


def test_what_a_killed_build_left_goes_at_the_next(fake: Path) -> None:
    """It may be hundreds of megabytes."""
    left = fake / "cache" / "darkroom" / "tools" / f"helm-{version('helm')}" / ".helm-left"
    left.mkdir(parents=True)
    program("helm")
    assert not left.exists()


def test_groups_are_built_beside_what_is_done_meanwhile(fake: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """All are there at the end; where one cannot be built, its own words are said."""
    with building(["helm"], ["etcd", "kwok"]):
        pass
    assert (fake / "builds").read_text().split() == ["built"] * 3
    (fake / "broken").touch()
    with pytest.raises(ToolUnavailable, match="above"), building(["tflint"]):
        pass
    assert "no such module" in capfd.readouterr().err


def test_what_fails_meanwhile_ends_the_builds(fake: Path) -> None:
    """A build goes on for nobody: not even its Go does."""
    os.mkfifo(fake / "endless")  # Go writes its number there
    with pytest.raises(RuntimeError) as failed, building(["helm"]):
        raise RuntimeError(os.pidfd_open(int((fake / "endless").read_text())))
    (go,) = failed.value.args
    assert select.select([go], [], [], 10)[0], "it runs on"
    os.close(go)
    assert [one.name for one in (fake / "cache").rglob("*helm*") if not one.name.endswith(".lock")] == [
        f"helm-{version('helm')}"
    ]


def test_without_a_toolchain_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is built, and the message helps."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(ToolUnavailable, match="install Go"):
        program("helm")


def test_folders_of_the_own_repository_become_released_modules() -> None:
    """Kubernetes's parts are required as v0.0.0 and released as v0.x.y; replacements by other modules stay."""
    file = {
        "Require": [{"Path": "k8s.io/api", "Version": "v0.0.0"}, {"Path": "etcd/pkg", "Version": "v3.6.13"}],
        "Replace": [
            {"Old": {"Path": "k8s.io/api"}, "New": {"Path": "./staging/src/k8s.io/api"}},
            {"Old": {"Path": "etcd/pkg"}, "New": {"Path": "../pkg"}},
            {"Old": {"Path": "cel-go"}, "New": {"Path": "cel-go", "Version": "v0.26.0"}},
        ],
    }
    assert replacements(file, "1.35.4") == ["-replace=k8s.io/api=k8s.io/api@v0.35.4", "-dropreplace=etcd/pkg"]


@pytest.mark.parametrize("tool", RECIPES)
def test_every_tool_has_its_version(tool: str) -> None:
    """In versions.toml, as three numbers: what is stamped into a program is made of them."""
    assert [part.isdecimal() for part in version(tool).split(".")] == [True] * 3
