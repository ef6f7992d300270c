"""Build an installation of Darkroom on AWS, step by step, and take it down again.

    .venv/bin/python -m darkroom_deploy check
    .venv/bin/python -m darkroom_deploy up

An installation is a folder: `installation`, or that of `--folder`. The first `up` makes it from an example of
terraform/, with your region, identity and network filled in; main.tf, terraform.tfvars, models.txt and values/ in it
are yours to edit and to keep under version control. Every step may be given alone, and says by facts whether it is
done, so that `up` goes on after whatever stopped it. `--dry-run` prints the commands.

Exit status:

- 0: all is well
- 1: a command or AWS failed; the message says what to do
- 2: the folder or an argument is wrong
- 3: no AWS credentials, or they have expired, or do not allow it
- 4: prerequisites are missing
- 5: a question was answered with no
- 130: it was stopped; the same command goes on
"""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text
from scripts import terraform

from . import destroy as taking_down
from .begin import begin
from .commands import Command
from .facts import gather, unset_variables
from .failures import DeployError, Missing, Refused
from .finish import finish
from .installation import ROOT, Installation
from .outputs import placeholders
from .prerequisites import Level, judge
from .run import Runner
from .screen import Screen
from .site import Site
from .steps import STEPS, Step, take

app = typer.Typer(help=__doc__, no_args_is_help=True, rich_markup_mode="markdown", pretty_exceptions_enable=False)

Folder = Annotated[Path, typer.Option("--folder", "-C", help="The installation's folder.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask: for CI.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print the commands; run none.")]
Charts = Annotated[
    Path | None,
    typer.Option(hidden=True, envvar="DARKROOM_CHARTS", help="Folder of the charts; else this repository's."),
]
Region = Annotated[str | None, typer.Option(help="The AWS region; else that of AWS_REGION or the profile.")]
_FOLDER = Path("installation")


@app.command()
def up(
    folder: Folder = _FOLDER,
    example: Annotated[str, typer.Option(help="Which of terraform/examples a new folder is made from.")] = "minimal",
    region: Region = None,
    yes: Yes = False,
    dry_run: DryRun = False,
    charts: Charts = None,
) -> None:
    """Check, then take every step that is not done; it ends with the API's URL, a key, and a first picture's command.

    It takes 25 to 50 minutes, most of it EKS, the images and the model. Stopped or failed, the same command goes on.

        make deploy
        make deploy FOLDER=../images-production
    """
    site = _site(folder, charts, yes=yes)
    if dry_run:
        _print([command for step in STEPS for command in step.shown(site, placeholders())])
        return
    begun = time.monotonic()
    # Checked first: with credentials the new folder's variables can be filled in.
    _check(site, region)
    if not (folder / "main.tf").exists():
        _begin(site, example, region)
        if unset := unset_variables(site.at):
            raise Missing(f"write {', '.join(unset)} into {folder / 'terraform.tfvars'}, then give the same command")
    for step in STEPS:
        take(step, site)
    _finish(site)
    site.screen.tell(f"\nin {(time.monotonic() - begun) / 60:.0f} minutes")


@app.command()
def init(
    folder: Folder = _FOLDER,
    example: Annotated[str, typer.Option(help="Which of terraform/examples it is made from.")] = "minimal",
    region: Region = None,
) -> None:
    """Make an installation's folder, to be looked at before anything is built."""
    _begin(_site(folder), example, region)


@app.command()
def check(folder: Folder = _FOLDER, region: Region = None) -> None:
    """Look for programs, credentials, permissions and GPU quotas, and say all that is missing at once."""
    _check(_site(folder), region)


def _step(step: Step) -> Callable[..., None]:
    def run(folder: Folder = _FOLDER, yes: Yes = False, dry_run: DryRun = False, charts: Charts = None) -> None:
        site = _site(folder, charts, yes=yes)
        if dry_run:
            _print(step.shown(site, placeholders()))
            return
        _there(site)
        take(step, site)

    run.__doc__ = step.about
    return run


for _one in STEPS:
    app.command(_one.name, rich_help_panel="Steps of `up`")(_step(_one))


@app.command()
def show(folder: Folder = _FOLDER) -> None:
    """Say again where the API is, a key, and a first picture's command."""
    site = _site(folder)
    _there(site)
    _finish(site)


@app.command()
def destroy(
    folder: Folder = _FOLDER,
    delete_content: Annotated[
        bool, typer.Option("--delete-content", help="Delete what buckets and repositories hold, without asking.")
    ] = False,
    yes: Yes = False,
    dry_run: DryRun = False,
) -> None:
    """Take it down: runtimes, their nodes, the platform, then all that Terraform made.

    Buckets and repositories that hold something are asked for, each by name, and kept unless the answer is yes; with
    `--yes` they are kept, too.
    """
    site = _site(folder, yes=yes)
    if dry_run:
        _print(taking_down.shown(site, placeholders()))
        return
    _there(site)
    taking_down.destroy(site, delete_content=delete_content)


def _site(folder: Path, charts: Path | None = None, *, yes: bool = False) -> Site:
    screen = Screen(yes=yes)
    environ = terraform.environment({})
    # Colours and pagers are for people, not for what reads this output.
    environ |= {"AWS_PAGER": "", "NO_COLOR": "1", "PATH": os.environ.get("PATH", os.defpath)}
    at = Installation(folder.absolute(), charts or ROOT / "charts")
    return Site(at, Runner(screen.detail, environ), screen)


def _begin(site: Site, example: str, region: str | None) -> None:
    filled = begin(site.at, example, region)
    site.screen.tell(f"made {site.at.folder} from terraform/examples/{example}")
    for name, value in filled.items():
        site.screen.tell(f"  {name} = {value}")


def _check(site: Site, region: str | None) -> None:
    found = list(judge(gather(site.at, site.runner, region)))
    site.screen.findings(found)
    missing = [one for one in found if one.level is Level.MISSING]
    if missing:
        raise Missing(
            f"{len(missing)} prerequisite{'s are' if len(missing) > 1 else ' is'} missing; nothing was started"
        )


def _there(site: Site) -> None:
    if not (site.at.folder / "main.tf").exists():
        raise Refused(f"{site.at.folder} holds no installation; `init` or `up` makes one, --folder names another")


def _finish(site: Site) -> None:
    site.screen.tell("")
    for line in finish(site, show_key=sys.stdout.isatty()):
        typer.echo(line)


def _print(commands: list[Command]) -> None:
    for command in commands:
        typer.echo(str(command))


def main() -> None:
    """Run the command; what went wrong is said, and in the exit status."""
    try:
        app()
    except DeployError as error:
        Screen().tell(Text.assemble(("deploy: ", "red"), str(error)))
        sys.exit(error.exit_status)


if __name__ == "__main__":
    main()
