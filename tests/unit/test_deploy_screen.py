"""What a person sees of a deployment, on a terminal and in a log, and what is asked."""

import io

import pytest
from rich.console import Console

from darkroom_deploy.changes import Change, Changes
from darkroom_deploy.failures import Declined, DeployError, Stopped
from darkroom_deploy.screen import Screen


def screen(*, terminal: bool = False, yes: bool = False) -> tuple[Screen, io.StringIO]:
    """A screen, and what is on it."""
    shown = io.StringIO()
    console = Console(file=shown, force_terminal=terminal, width=80, highlight=False, color_system=None)
    return Screen(yes=yes, console=console), shown


def test_a_step_has_a_line_with_its_time_and_its_result() -> None:
    """In a log it also says that it began, and each new detail once."""
    there, shown = screen()
    with there.step("images") as result:
        there.detail("pushing agent")
        there.detail("pushing agent")
        result.append("pushed agent")
    assert shown.getvalue().splitlines() == ["… images", "    pushing agent", "✓ images               0 s pushed agent"]


def test_a_step_that_fails_says_so_and_lets_the_failure_go_on() -> None:
    """Ctrl-C becomes what ends the command with its own status."""
    there, shown = screen()
    with pytest.raises(DeployError), there.step("platform"):
        raise DeployError("no")
    assert "✗ platform" in shown.getvalue()
    with pytest.raises(Stopped) as stopped, there.step("platform"):
        raise KeyboardInterrupt
    assert stopped.value.exit_status == 130


def test_a_terminal_shows_what_goes_on_in_one_line() -> None:
    """Nothing of it is left but the step's line."""
    there, shown = screen(terminal=True)
    with there.step("runtimes") as result:
        there.detail("x" * 200)
        result.append("installed sd")
    assert shown.getvalue().splitlines()[-1].endswith("installed sd")


def test_a_question_is_answered_with_yes_or_nothing_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    """`--yes` answers it; no answer, or nobody to give one, declines."""
    there, _ = screen()
    monkeypatch.setattr("sys.stdin", io.StringIO("y\nn\n\n"))
    there.ask("apply it?")
    for _ in range(2):
        with pytest.raises(Declined, match="nothing was changed"):
            there.ask("apply it?")
    with pytest.raises(Declined, match="--yes"):
        there.ask("apply it?")
    screen(yes=True)[0].ask("apply it?")


def test_what_a_plan_loses_is_named() -> None:
    """Counts by module; what is replaced or destroyed by its address."""
    there, shown = screen()
    changes = (
        Change("module.darkroom.module.storage.aws_s3_bucket.this", "replace"),
        Change("module.darkroom.module.api.a", "add"),
    )
    there.changes(Changes(changes, {}))
    assert "replace module.darkroom.module.storage.aws_s3_bucket.this" in shown.getvalue()
    there, shown = screen()
    there.changes(Changes((Change("module.darkroom.module.api.a", "destroy"),), {}))
    assert "destroy module" not in shown.getvalue(), "where everything goes, counts will do"
