"""The account that all tests here share, and the command line in front of it."""

import signal
from collections.abc import Iterator

import pytest
from typer.testing import CliRunner

from bottlerocket_snapshot import main
from tests.unit.snapshot.world import Run, World, snapshot_world


@pytest.fixture(scope="package")
def account() -> Iterator[World]:
    with snapshot_world() as world:
        yield world


@pytest.fixture
def world(account: World) -> Iterator[World]:
    """The account, empty; before a build has begun, SIGTERM ends a test and not the tests."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    account.forget()
    yield account
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def run(world: World, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command: its stdout and stderr. A failure of ours is raised, as it would end the process."""
    monkeypatch.setattr(main, "open_aws", lambda _region, _profile: world.aws)
    monkeypatch.setattr(main, "Clock", lambda: world.ticking.clock)

    def go(*arguments: str, status: int = 0, said: str | None = None) -> tuple[str, str]:
        result = CliRunner().invoke(main.app, arguments, input=said)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == status, result.output
        return result.stdout, result.stderr

    return go
