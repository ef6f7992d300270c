"""`darkroom watch`, `save`, `get`, `list`, `cancel` and `runtimes` against the real API."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from darkroom_cli.failures import DarkroomError, NotFound, NotReachable, Refused
from darkroom_contract.job import State
from tests.unit.cli_world import PICTURE, CliWorld, cli_world


@pytest.fixture
def cli(tmp_path: Path) -> Iterator[CliWorld]:
    with cli_world(tmp_path) as world:
        yield world


def test_artifacts_are_saved_and_checked(cli: CliWorld, tmp_path: Path) -> None:
    """A file whose bytes are others than the document says is not kept; one that is there is not fetched again."""
    cli.api.submit(id="order-1")
    cli.end("order-1")
    cli.run("save", "order-1", "--out", str(tmp_path / "out"))
    assert (tmp_path / "out" / "order-1" / "0-a.png").read_bytes() == PICTURE
    cli.api.clients.s3.put_object(Bucket="outputs", Key="webui/order-1/0-a.png", Body=PICTURE[::-1])
    cli.run("save", "order-1", "--out", str(tmp_path / "out"))
    cli.run("save", "order-1", "--out", str(tmp_path / "other"), status=1)
    assert "another SHA-256" in cli.said
    assert not list((tmp_path / "other").rglob("*.png*"))


def test_jobs_are_watched_to_their_end(cli: CliWorld) -> None:
    """All are told, those that are not there too; the worst gives the exit status."""
    cli.api.submit(id="good")
    cli.api.submit(id="bad")
    cli.end("good")
    cli.end("bad", State.FAILED)
    assert json.loads(cli.run("watch", "good", "--json"))["state"] == "completed"
    shown = cli.run("watch", "good", "bad", status=1)
    assert "runtime_refused: no [such] sampler" in shown
    lines = cli.run("watch", "good", "missing", "bad", "--json", status=4).splitlines()
    assert [json.loads(line)["id"] for line in lines] == ["good", "bad"]
    assert "missing: there is no job" in cli.said


def test_a_job_is_shown(cli: CliWorld) -> None:
    """For people, and as JSON for machines."""
    cli.api.submit(id="order-1")
    assert "1 waiting" in cli.run("get", "order-1") or "0 waiting" in cli.run("get", "order-1")
    assert json.loads(cli.run("get", "order-1", "--json"))["state"] == "queued"
    cli.end("order-1", State.FAILED)
    assert "no [such] sampler" in cli.run("get", "order-1")
    with pytest.raises(NotFound) as missing:
        cli.run("get", "../never")
    assert missing.value.exit_status == 4


def test_jobs_are_listed(cli: CliWorld) -> None:
    """Page after page up to the limit; filtered, since a moment, and none at all is no error."""
    ids = [cli.api.submit().body["id"] for _ in range(5)]
    listed = [json.loads(line)["id"] for line in cli.run("list", "--json").splitlines()]
    assert sorted(listed) == sorted(ids)
    assert len(cli.run("list", "--limit", "3", "--json").splitlines()) == 3
    assert cli.run("list", "--state", "failed", "--json") == ""
    assert cli.run("list", "--since", "2h", "--runtime", "comfy").strip() == "no jobs"
    assert ids[0] in cli.run("list")
    with pytest.raises(Refused, match="is no moment"):
        cli.run("list", "--since", "yesterday")
    cli.run("list", "--state", "done", status=2)


def test_jobs_are_cancelled(cli: CliWorld) -> None:
    """What has ended otherwise is told, and the others are cancelled all the same."""
    for name in ("a", "b", "c"):
        cli.api.submit(id=name)
    cli.end("b")
    lines = cli.run("cancel", "a", "b", "c", "--json", status=2).splitlines()
    assert [json.loads(line)["state"] for line in lines] == ["cancelled", "cancelled"]
    assert "b: the job is completed" in cli.said


def test_runtimes_are_shown(cli: CliWorld) -> None:
    """Each queue a line; as JSON each runtime."""
    shown = cli.run("runtimes")
    assert "webui" in shown
    assert "bulk" in shown
    assert [json.loads(line)["name"] for line in cli.run("runtimes", "--json").splitlines()] == [
        "comfy",
        "flux",
        "webui",
    ]


@pytest.mark.parametrize("command", [["list"], ["runtimes"], ["get", "a"], ["submit", "--workflow", "a"]])
def test_an_api_that_is_not_there_is_status_3(
    cli: CliWorld, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    """And so is one that nobody named, and a key that is not accepted."""
    with pytest.raises(NotReachable, match="key was not accepted") as refused:
        cli.run(*command, "--api-key", "wrong")
    assert refused.value.exit_status == 3
    with pytest.raises(NotReachable, match="begins with https"):
        cli.run(*command, "--endpoint", "api.example")
    monkeypatch.delenv("DARKROOM_ENDPOINT")
    with pytest.raises(DarkroomError, match="where is the API"):
        cli.run(*command)
