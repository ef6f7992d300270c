"""`darkroom values`: values of charts/runtime, from what a predecessor was installed with."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
import yaml
from rich import box
from rich.table import Table
from rich.text import Text

from .failures import DarkroomError, Refused
from .predecessor import Dropped, convert
from .show import plain
from .terminal import AsJson, errors

_HEAD = "# Made by `darkroom values`. Give it to Helm after Terraform's values: --values sdxl.yaml --values this.yaml\n"


def values(
    from_predecessor: Annotated[
        Path, typer.Option(metavar="FILE", help="Values of its chart, or its `config.yaml`; `-` is standard input.")
    ],
    runtime: Annotated[str | None, typer.Option(help="Which runtime of a `config.yaml` with several.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make values of charts/runtime of those of the predecessor's chart.

    They go to standard output, and a table of what was not carried over, and why, to standard error. Queue, topic and
    buckets are never carried over: they are Terraform's `runtime_values`.

        darkroom values --from-predecessor config.yaml --runtime sdruntime > moved.yaml
        helm upgrade --install sdruntime charts/runtime --values sdruntime.yaml --values moved.yaml
    """
    converted = convert(_read(from_predecessor), runtime)
    if as_json:
        typer.echo(msgspec.json.encode(asdict(converted)))
        return
    typer.echo(_HEAD + yaml.safe_dump(converted.values, sort_keys=False, allow_unicode=True), nl=False)
    if converted.dropped:
        errors.print(_table(converted.dropped), highlight=False)


def _read(path: Path) -> Any:
    try:
        text = typer.get_text_stream("stdin").read() if str(path) == "-" else path.read_text()
        return yaml.safe_load(text)
    except (OSError, UnicodeDecodeError) as error:
        raise DarkroomError(f"{path}: {error.strerror if isinstance(error, OSError) else 'this is no text'}") from error
    except yaml.YAMLError as error:
        raise Refused(f"{path}: this is no YAML: {' '.join(str(error).split())}") from error


def _table(dropped: tuple[Dropped, ...]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, title="not carried over", title_justify="left", header_style="bright_black")
    table.add_column("value", no_wrap=True)
    table.add_column("why", overflow="fold")
    for one in dropped:
        table.add_row(Text(plain(one.path)), Text(one.why))
    return table
