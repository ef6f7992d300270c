"""`darkroom`: jobs of image generation from a terminal or a script, and the care of an installation.

Where the API is: `--endpoint` and `--api-key`, or `DARKROOM_ENDPOINT` and `DARKROOM_API_KEY`, or
`~/.config/darkroom/config.toml` (`terraform output -raw cli_config` writes one). Every command has `--json`.

Exit status:

- 0: all is well
- 1: a job did not complete, or something failed
- 2: the request or the command line is wrong
- 3: no API there, or the key was not accepted
- 4: there is no such thing
"""

import sys

import typer

from . import models, workflows
from .doctor import doctor
from .failures import DarkroomError
from .jobs import cancel, get, list_jobs, runtimes, save, watch
from .migrate import migrate
from .redrive import redrive
from .submit import submit
from .terminal import tell_failure

_JOBS, _CARE = "Jobs", "Installation"

app = typer.Typer(help=__doc__, no_args_is_help=True, rich_markup_mode="markdown", pretty_exceptions_enable=False)
app.command(rich_help_panel=_JOBS)(submit)
app.command(rich_help_panel=_JOBS)(watch)
app.command(rich_help_panel=_JOBS)(save)
app.command(rich_help_panel=_JOBS)(get)
app.command("list", rich_help_panel=_JOBS)(list_jobs)
app.command(rich_help_panel=_JOBS)(cancel)
app.command(rich_help_panel=_CARE)(runtimes)
app.command(rich_help_panel=_CARE)(redrive)
app.command(rich_help_panel=_CARE)(doctor)
app.command(rich_help_panel=_CARE)(migrate)
app.add_typer(workflows.app, name="workflow", rich_help_panel=_CARE)
app.add_typer(models.app, name="models", rich_help_panel=_CARE)


def main() -> None:
    """Run the command; what went wrong is said in one line, and in the exit status."""
    try:
        app()
    except DarkroomError as error:
        tell_failure(error)
        sys.exit(error.exit_status)


if __name__ == "__main__":
    main()
