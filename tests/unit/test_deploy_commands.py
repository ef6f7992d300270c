"""Every command line of a deployment: the program, the subcommand and each flag are in the program's own help."""

import functools
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import NoReturn

import pytest
from scripts import terraform
from scripts.go_tools import ToolUnavailable, program
from typer.testing import CliRunner

from darkroom_deploy import commands, destroy
from darkroom_deploy.commands import Command
from darkroom_deploy.facts import ENGINES, VERSIONS
from darkroom_deploy.installation import ROOT, Installation
from darkroom_deploy.main import app
from darkroom_deploy.outputs import placeholders
from darkroom_deploy.run import Runner
from darkroom_deploy.screen import Screen
from darkroom_deploy.site import Site
from darkroom_deploy.steps import STEPS

_GROUPS = {"helm repo", "helm dependency", "terraform state", "aws eks", "darkroom models"}


def unavailable(reason: object) -> NoReturn:
    """Skip, as a part is not to be had here; in CI fail, for there nobody reads what was skipped."""
    (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(str(reason))
    raise AssertionError  # both leave by an exception


@functools.cache
def path_of(name: str) -> str:
    """Where a program is: those that this repository builds, else on PATH."""
    try:
        if name in {"helm", "kubectl"}:
            return str(program(name))
        if name == "terraform":
            return terraform.program()
    except (ToolUnavailable, terraform.TerraformUnavailable) as reason:
        unavailable(reason)
    return shutil.which(name) or unavailable(f"there is no {name}")


@functools.cache
def help_of(name: str, *words: str) -> str:
    """What a program says of a subcommand, as plain text."""
    flag = {"terraform": "-help", "aws": "help"}.get(name, "--help")
    environ = terraform.environment({"AWS_PAGER": "", "COLUMNS": "250", "NO_COLOR": "1", "TERM": "dumb"})
    done = subprocess.run(
        [path_of(name), *words, flag], cwd=ROOT, env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return re.sub(".\b", "", done.stdout)


def looked_up(command: Command) -> None:
    """See that a command line exists.

    Raises:
        AssertionError: its subcommand or a flag does not.
    """
    name, *rest = command.words
    if name.endswith("python"):
        assert rest[0] == "-m"
        words, rest, name = tuple(rest[:2]), rest[2:], str(ROOT / ".venv" / "bin" / "python")
        said = help_of(name, *words)
    else:
        plain = [word for word in rest if not word.startswith("-")]
        two = f"{Path(name).name} {plain[0]}" in _GROUPS if plain else False
        words = tuple(plain[: 2 if two else 1])
        said = help_of(name, *words)
        # Programs answer for a subcommand that is none with the help of what is above it.
        if Path(name).name in {"helm", "kubectl", "docker"} and words:
            assert f"{Path(name).name} {' '.join(words)}" in said
        if Path(name).name == "kubectl":
            said += help_of(name, "options") + _options(name)
        if Path(name).name == "terraform":
            # Terraform has `apply -json` and does not tell of it; tests/deploy runs it.
            said += help_of(name) + (" -json" if words == ("apply",) else "")
    for word in rest:
        if word.startswith("-"):
            flag = word.partition("=")[0]
            assert re.search(rf"(^|[\s,\[\"'│]){re.escape(flag)}\b", said, re.MULTILINE), f"{command}: no {flag}"


def _options(name: str) -> str:
    """The flags that all of kubectl's commands have."""
    done = subprocess.run([path_of(name), "options"], capture_output=True, text=True, check=True)
    return done.stdout


def site(folder: Path) -> Site:
    return Site(Installation(folder), Runner(), Screen())


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_what_a_dry_run_prints_exists(step, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """Of each step: nobody learns from a real deployment that a flag is not there."""
    (tmp_path / "models.txt").write_text(f"https://models.example.com/a checkpoints/a.safetensors {'0' * 64}\n")
    shown = step.shown(site(tmp_path), placeholders())
    assert shown
    for command in shown:
        looked_up(command)


def test_what_destroy_runs_exists(tmp_path: Path) -> None:
    """And so does what only a broken deployment meets."""
    at = Installation(tmp_path)
    for command in destroy.shown(site(tmp_path), placeholders()):
        looked_up(command)
    looked_up(commands.helm_rollback(at, "a", "b"))
    looked_up(commands.terraform_init(at, Path("mirror")))
    looked_up(commands.terraform_output(at))


def test_what_the_check_runs_exists() -> None:
    """Versions are asked as the programs want it; podman where it is there."""
    for name, command in (VERSIONS | ENGINES).items():
        if name != "podman" or shutil.which(name):
            looked_up(command)


def test_a_flag_that_is_not_there_is_found(tmp_path: Path) -> None:
    """The look is one that can fail: of a flag, and of a subcommand."""
    at = Installation(tmp_path)
    with pytest.raises(AssertionError, match="--atomically"):
        looked_up(commands.helm(at, "upgrade", "--atomically"))
    with pytest.raises(AssertionError):
        looked_up(commands.helm(at, "upgrde"))
    with pytest.raises(AssertionError, match="-refrsh"):
        looked_up(commands.terraform(at, "plan", "-refrsh"))


def test_a_dry_run_runs_nothing(tmp_path: Path) -> None:
    """It prints each command of each step, and leaves no folder."""
    folder = tmp_path / "new"
    shown = CliRunner().invoke(app, ["up", "--dry-run", "--folder", str(folder)])
    assert shown.exit_code == 0
    lines = shown.stdout.splitlines()
    assert [line.split()[0].rpartition("/")[2] for line in lines][:2] == ["python", "terraform"]
    assert sum("helm upgrade --install" in line for line in lines) == 4
    assert (
        CliRunner().invoke(app, ["destroy", "--dry-run", "--folder", str(folder)]).stdout.count("helm uninstall") == 2
    )
    repositories = (ROOT / "charts" / "platform" / "Chart.yaml").read_text().count("repository: https:")
    said = CliRunner().invoke(app, ["platform", "--dry-run", "--folder", str(folder)]).stdout
    assert said.count("repo add") == repositories > 0
    assert not folder.exists()
