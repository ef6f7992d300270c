"""`darkroom models`: put model files into the models bucket, list them, remove them.

AWS credentials are the usual ones: `AWS_PROFILE`, environment, SSO, instance role.
"""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import httpx
import typer
from rich import box
from rich.filesize import decimal
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.table import Table

from .aws import aws_call, s3_client
from .config import read_models_config
from .failures import NotFound, Refused
from .model_formats import HEAD_BYTES, check_model
from .model_sources import FileSource, Source, file_source, sha256_of, url_source
from .model_store import CONNECTIONS, WORKFLOWS, Model, Unfinished, find_model, models, unfinished
from .model_upload import Check, Sent, Target, send
from .terminal import AsJson, errors, tell

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

app = typer.Typer(help="Models in the models bucket.", no_args_is_help=True, rich_markup_mode="markdown")

Bucket = Annotated[str | None, typer.Option("--bucket", help="The models bucket (DARKROOM_MODELS_BUCKET).")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
_DIGEST = re.compile(r"(?:sha256:)?([0-9a-f]{64})", re.IGNORECASE)
_KEY = re.compile(r"[\w][\w .()+,=@-]*(?:/[\w][\w .()+,=@-]*)*", re.ASCII)


@app.command()
def add(
    source: Annotated[str, typer.Argument(help="A file, or an https:// address.")],
    key: Annotated[str, typer.Option("--as", help="Where to: `checkpoints/sdxl.safetensors`, or `loras/`.")],
    sha256: Annotated[str | None, typer.Option(help="The digest that it must have; else nothing is stored.")] = None,
    allow_pickle: Annotated[bool, typer.Option("--allow-pickle", help="Accept files that are programs.")] = False,
    token_env: Annotated[
        str | None, typer.Option(metavar="NAME", help="Environment variable with a bearer token for the address.")
    ] = None,
    yes: Yes = False,
    bucket: Bucket = None,
    as_json: AsJson = False,
) -> None:
    """Put a model into the bucket, with its SHA-256.

    An interrupted upload goes on where it was when the same command is given again, on any machine.

    - `darkroom models add sdxl.safetensors --as checkpoints/`
    - `darkroom models add https://models.example.com/vae.safetensors --as vae/ --sha256 63aeecb9…`
    """
    config = read_models_config(bucket)
    with httpx.Client(headers=_token(token_env), follow_redirects=True, timeout=60) as web:
        expected = _digest(sha256)
        found = _source(source, expected, web)
        target = Target(s3_client(config.region), config.bucket, _key(key, found.name))
        check = partial(check_model, target.key, allow_pickle=allow_pickle)
        if isinstance(found, FileSource):
            check(next(found.chunks(), b"")[:HEAD_BYTES])
            expected = _read(found, expected)
        if (there := _there(target, expected, yes=yes)) is not None:
            errors.print(f"{target.key} is there already", highlight=False)
            tell(there, f"sha256 {there.sha256}", as_json=as_json)
            return
        sent = _send(target, found, expected, lambda head: check(head[:HEAD_BYTES]))
    again = f", {sent.kept} of {sent.parts} parts were there already" if sent.kept else ""
    errors.print(f"stored s3://{target.bucket}/{target.key} ({decimal(sent.bytes)}{again})", soft_wrap=True)
    tell({"key": target.key, "bytes": sent.bytes, "sha256": sent.sha256}, f"sha256 {sent.sha256}", as_json=as_json)


@app.command("list")
def list_models(
    prefix: Annotated[str, typer.Argument(help="Only keys that begin so.")] = "",
    bucket: Bucket = None,
    as_json: AsJson = False,
) -> None:
    """List the models: size, date, SHA-256."""
    s3, name = _bucket(bucket)
    with aws_call(f"s3://{name}"):
        found, left = models(s3, name, prefix), unfinished(s3, name, prefix)
    tell(found, _model_table(found), as_json=as_json)
    if left:
        errors.print(f"{len(left)} unfinished uploads; `darkroom models abort` removes them", highlight=False)


@app.command()
def remove(
    keys: Annotated[list[str], typer.Argument(metavar="KEY...", help="Keys, as `list` shows them.")],
    yes: Yes = False,
    bucket: Bucket = None,
) -> None:
    """Remove models from the bucket. Runtimes that have loaded one keep it until they restart."""
    s3, name = _bucket(bucket)
    with aws_call(f"s3://{name}"):
        found = {key: find_model(s3, name, key) for key in keys}
    if wrong := [key for key in keys if key.startswith(WORKFLOWS)]:
        raise Refused(f"{wrong[0]} is a named workflow: `darkroom workflow remove` removes it")
    if missing := [key for key, model in found.items() if model is None]:
        raise NotFound(f"not in s3://{name}: {', '.join(missing)}; nothing was removed")
    there = tuple(model for model in found.values() if model is not None)
    if not yes:
        errors.print(_model_table(there))
        typer.confirm(f"Remove {'it' if len(there) == 1 else 'them'}?", abort=True, err=True)
    for model in there:
        with aws_call(f"s3://{name}/{model.key}"):
            s3.delete_object(Bucket=name, Key=model.key)
    errors.print(f"removed {len(there)}", highlight=False)


@app.command()
def abort(
    prefix: Annotated[str, typer.Argument(help="Only keys that begin so.")] = "",
    yes: Yes = False,
    bucket: Bucket = None,
) -> None:
    """Remove what unfinished uploads left behind: it is paid for, and seen nowhere else."""
    s3, name = _bucket(bucket)
    with aws_call(f"s3://{name}"):
        found = unfinished(s3, name, prefix)
    if not found:
        errors.print("no unfinished uploads", highlight=False)
        return
    if not yes:
        errors.print(_unfinished_table(found))
        typer.confirm("Abort them? One that is under way elsewhere fails then.", abort=True, err=True)
    for one in found:
        with aws_call(f"s3://{name}/{one.key}"):
            s3.abort_multipart_upload(Bucket=name, Key=one.key, UploadId=one.upload_id)
    errors.print(f"aborted {len(found)}, {decimal(sum(one.bytes for one in found))} are free", highlight=False)


def _bucket(name: str | None) -> "tuple[S3Client, str]":
    config = read_models_config(name)
    return s3_client(config.region, CONNECTIONS), config.bucket


def _source(text: str, expected: str | None, web: httpx.Client) -> Source:
    if not text.startswith(("https://", "http://")):
        return file_source(Path(text))
    if text.startswith("http://") and expected is None:
        raise Refused("over http:// anybody on the way can change a model: give its --sha256, or take https://")
    return url_source(text, web)


def _read(source: Source, expected: str | None) -> str:
    """A file's digest, before anything is sent."""
    with _bar(f"reading {source.name}", source.size) as report:
        got = sha256_of(source, report)
    if expected is not None and got != expected:
        raise Refused(f"{source.name}: its SHA-256 is {got}, not {expected}; nothing was stored")
    return got


def _there(target: Target, expected: str | None, *, yes: bool) -> Model | None:
    """The model, if it is in the bucket with this content; with another, ask."""
    with aws_call(f"s3://{target.bucket}/{target.key}"):
        there = find_model(target.s3, target.bucket, target.key)
    if there is None or (expected is not None and there.sha256 == expected):
        return there
    if not yes:
        what = f"{target.key} is there already ({decimal(there.bytes)}, sha256 {there.sha256 or 'unknown'})"
        typer.confirm(f"{what}. Replace it?", abort=True, err=True)
    return None


def _send(target: Target, source: Source, expected: str | None, check: Check) -> Sent:
    try:
        with _bar(f"sending {source.name}", source.size) as report, aws_call(f"s3://{target.bucket}/{target.key}"):
            return send(target, source, expected, check, report)
    except KeyboardInterrupt:
        errors.print("stopped: the same command goes on where it was, `darkroom models abort` gives up")
        raise typer.Exit(130) from None


@contextmanager
def _bar(what: str, size: int | None) -> Iterator[Callable[[int], None]]:
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, TimeRemainingColumn(), console=errors, transient=True) as progress:
        yield partial(progress.advance, progress.add_task(what, total=size))


def _digest(text: str | None) -> str | None:
    if text is None:
        return None
    found = _DIGEST.fullmatch(text.strip())
    if found is None:
        raise Refused("--sha256: a SHA-256 has 64 hex digits")
    return found[1].lower()


def _key(text: str, name: str) -> str:
    key = f"{text}{name}" if text.endswith("/") else text
    if not _KEY.fullmatch(key):
        raise Refused(f"--as {key}: write it as folder/name, such as checkpoints/sdxl.safetensors")
    if key.startswith(WORKFLOWS):
        raise Refused(f"--as {key}: {WORKFLOWS} is for named workflows (`darkroom workflow add`)")
    return key


def _token(variable: str | None) -> dict[str, str]:
    if variable is None:
        return {}
    token = os.environ.get(variable)
    if not token:
        raise Refused(f"--token-env: the environment has no {variable}")
    return {"Authorization": f"Bearer {token}"}


def _model_table(found: tuple[Model, ...]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("model", overflow="fold")
    table.add_column("size", justify="right")
    table.add_column("stored")
    table.add_column("sha256", overflow="fold")
    for model in found:
        when = model.modified.strftime("%Y-%m-%d %H:%M")
        table.add_row(escape(model.key), decimal(model.bytes), when, model.sha256 or "[dim]not known[/]")
    return table


def _unfinished_table(found: tuple[Unfinished, ...]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("unfinished upload", overflow="fold")
    table.add_column("begun")
    table.add_column("sent", justify="right")
    for one in found:
        table.add_row(escape(one.key), one.begun.strftime("%Y-%m-%d %H:%M"), decimal(one.bytes))
    return table
