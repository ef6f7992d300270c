"""`darkroom migrate`: an installation's files, from what a predecessor was installed with."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
import yaml
from rich.text import Text

from .failures import DarkroomError, Refused
from .migration import Line, Migration, Verdict
from .migration import migrate as made_of
from .terminal import AsJson, errors
from .texts import plain

_HEAD = "# Made by `darkroom migrate`; yours to change. Helm gets it after Terraform's values.\n"
_STYLES = {Verdict.SAME: "bright_black", Verdict.BETTER: "green", Verdict.DROPPED: "yellow"}


def migrate(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="The predecessor's config.yaml, or values of its chart; `-` is stdin."),
    ],
    out: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="The installation's folder; without it the files are printed.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make an installation's files of what the AWS guidance was installed with, and say what became of each value.

    Terraform gets `runtimes.auto.tfvars.json`: the runtimes and the models bucket, which both stacks may use. Helm gets
    `values/<runtime>.yaml`. Queues, topics and the output bucket are never carried over: new ones are made beside them.

        darkroom migrate config.yaml --out installation
        make deploy
    """
    migration = made_of(_read(file))
    if as_json:
        typer.echo(msgspec.json.encode(asdict(migration)))
        return
    files = _files(migration)
    if out is not None:
        _write(out, files)
    else:
        for name, text in files.items():
            typer.echo(f"# {name}\n{text}")
    _tell(migration.report)


def _read(path: Path) -> Any:
    try:
        text = typer.get_text_stream("stdin").read() if str(path) == "-" else path.read_text()
        return yaml.safe_load(text)
    except (OSError, UnicodeDecodeError) as error:
        raise DarkroomError(f"{path}: {error.strerror if isinstance(error, OSError) else 'this is no text'}") from error
    except yaml.YAMLError as error:
        raise Refused(f"{path}: this is no YAML: {' '.join(str(error).split())}") from error


def _files(migration: Migration) -> dict[str, str]:
    """Path in the installation's folder → content."""
    values = {
        f"values/{name}.yaml": _HEAD + yaml.safe_dump(one, sort_keys=False, allow_unicode=True)
        for name, one in migration.values.items()
    }
    return {"runtimes.auto.tfvars.json": json.dumps(migration.variables, indent=2) + "\n", **values}


def _write(folder: Path, files: dict[str, str]) -> None:
    there = [name for name in files if (folder / name).exists()]
    if there:
        raise Refused(f"{folder} has {', '.join(there)} already; nothing was written")
    for name, text in files.items():
        path = folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        except OSError as error:
            raise DarkroomError(f"{path}: {error.strerror}") from error
        errors.print(f"wrote {path}", highlight=False, soft_wrap=True)


def _tell(report: tuple[Line, ...]) -> None:
    """By runtime, a line a value: what it was, what it is, and why it is better or gone."""
    for runtime in dict.fromkeys(one.runtime for one in report):
        errors.print(Text(f"\n{plain(runtime) or 'all runtimes'}", "bold"))
        for verdict in Verdict:
            for one in report:
                if (one.runtime, one.verdict) == (runtime, verdict):
                    becomes = f" → {one.becomes}" if one.becomes else ""
                    why = f": {one.why}" if one.why else ""
                    told = Text.assemble((f"  {verdict:8}", _STYLES[verdict]), plain(f"{one.path}{becomes}{why}"))
                    errors.print(told, soft_wrap=True)
