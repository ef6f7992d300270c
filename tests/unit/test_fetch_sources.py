"""Sources are fetched at the commit that a list pins, and at no other."""

import subprocess
from pathlib import Path

import pytest
from scripts.fetch_sources import Source, fetch, parse

ROOT = Path(__file__).parents[2]


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")
    command = ["git", "-C", str(folder), *identity, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Of two commits; the first has the tag v1."""
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "--quiet")
    for number in ("1", "2"):
        (folder / "version").write_text(number)
        git(folder, "add", ".")
        git(folder, "commit", "--quiet", "--message", number)
        git(folder, "tag", f"v{number}")
    return folder


@pytest.mark.parametrize("revision", ["v1", "commit"])
def test_an_older_commit_comes_without_its_history(repository: Path, tmp_path: Path, revision: str) -> None:
    """By its tag or by its hash."""
    revision = git(repository, "rev-parse", "v1") if revision == "commit" else revision
    fetch(Source("server/part", repository.as_uri(), revision), tmp_path / "out")
    assert [path.name for path in (tmp_path / "out/server/part").iterdir()] == ["version"]
    assert (tmp_path / "out/server/part/version").read_text() == "1"


def test_a_commit_that_is_not_there_is_an_error(repository: Path, tmp_path: Path) -> None:
    """Nothing else is taken in its place."""
    with pytest.raises(subprocess.CalledProcessError):
        fetch(Source("server", repository.as_uri(), "0" * 40), tmp_path / "out")


@pytest.mark.parametrize("line", ["server https://example.com/a.git", "../a https://example.com/a.git v1", "/a b c",
                                  "a --upload-pack=b c"])  # fmt: skip
def test_a_wrong_line_is_named(line: str) -> None:
    """With its number."""
    with pytest.raises(ValueError, match="line 2"):
        parse(f"# a list\n{line}\n")


@pytest.mark.parametrize("listed", ["comfyui/sources.txt", "sdwebui/sdwebui.txt", "sdwebui/forge.txt"])
def test_our_lists_can_be_read(listed: str) -> None:
    """Each begins with the server."""
    assert parse((ROOT / "images" / listed).read_text())[0].path == "server"
