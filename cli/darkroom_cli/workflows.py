"""`darkroom workflow`: put named workflows up, list and show them, run them, remove them."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import httpx
import msgspec
import typer

from darkroom_contract.job import Task
from darkroom_contract.workflow import Parameter, ParameterName

from .aws import s3_client
from .client import Client
from .complete import runtime_names, workflow_names
from .config import read_models_config
from .derive import derive
from .failures import NotFound, NotReachable, Refused
from .follow import until_ended
from .node_definitions import Definitions, read_definitions
from .request import read_json
from .show import parameter_table, workflow_table
from .terminal import AsJson, Endpoint, Key, errors, tell, with_client
from .workflow_file import (
    check_definitions,
    check_format,
    encode_workflow,
    is_named,
    name_of,
    named_workflow,
    request_in,
)
from .workflow_store import WorkflowStore

app = typer.Typer(help="Named workflows.", no_args_is_help=True, rich_markup_mode="markdown")

Name = Annotated[str, typer.Argument(help="The workflow's name.", autocompletion=workflow_names)]
Bucket = Annotated[str | None, typer.Option("--bucket", help="The models bucket (DARKROOM_MODELS_BUCKET).")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask: take what is proposed, replace what is there.")]
_LEAVE_OUT = "-"


@app.command()
def add(
    file: Annotated[Path, typer.Argument(help="A named workflow, a ComfyUI workflow (API format), or A1111 fields.")],
    name: Annotated[str | None, typer.Option(help="Its name; else the file's.")] = None,
    runtime: Annotated[str | None, typer.Option(help="The runtime that runs it.", autocompletion=runtime_names)] = None,
    title: Annotated[str | None, typer.Option(help="What people read in a list.")] = None,
    description: Annotated[str | None, typer.Option(help="A sentence about it.")] = None,
    derive_again: Annotated[
        bool, typer.Option("--derive", help="Derive parameters, though the file has some.")
    ] = False,
    object_info: Annotated[
        str | None, typer.Option(metavar="FILE|URL", help="ComfyUI's node definitions (/object_info) to check against.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write the named workflow to this file, too.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check and print it; put nothing up.")] = False,
    yes: Yes = False,
    bucket: Bucket = None,
) -> None:
    """Check a workflow and put it up for callers to run by its name.

    Of a bare request the parameters are derived: prompts, seeds, sizes, steps, input images. Enter takes each as it is
    proposed, another name renames it, `-` leaves it out.

    - `darkroom workflow add portrait.json`
    - `darkroom workflow add graph.json --runtime sd-comfyui --object-info http://127.0.0.1:8188`
    """
    definitions = _definitions(object_info) if object_info else None
    value = read_json(file)
    if derive_again or not is_named(value):
        value = _derived(value, name or name_of(file.stem), runtime, definitions, yes=yes or dry_run)
    workflow = named_workflow(value, name=name, runtime=runtime, title=title, description=description)
    if definitions is not None and workflow.task is Task.PIPELINE:
        check_definitions(workflow.input, workflow.parameters, definitions)
    data = encode_workflow(workflow)
    if out is not None:
        _write(out, data)
    if dry_run:
        typer.echo(data.decode(), nl=False)
        return
    _put_up(_store(bucket), workflow.name, data, yes=yes)
    required = "".join(f" {key}=…" for key, one in workflow.parameters.items() if one.required)
    errors.print(f"{workflow.name} is up: darkroom workflow run {workflow.name}{required}", soft_wrap=True)


@app.command("list")
def list_workflows(as_json: AsJson = False, endpoint: Endpoint = None, api_key: Key = None) -> None:
    """List the named workflows."""

    async def act(darkroom: Client) -> int:
        found = await darkroom.workflows()
        tell(found, workflow_table(found), as_json=as_json)
        return 0

    with_client(act, endpoint, api_key)


@app.command()
def show(name: Name, as_json: AsJson = False, endpoint: Endpoint = None, api_key: Key = None) -> None:
    """Show a workflow and its parameters."""

    async def act(darkroom: Client) -> int:
        found = await darkroom.workflow(name)
        tell(found, parameter_table(found, _parameters(found.parameters)), as_json=as_json)
        return 0

    with_client(act, endpoint, api_key)


@app.command()
def run(
    name: Name,
    params: Annotated[list[str] | None, typer.Argument(metavar="[NAME=VALUE]...", help="Parameters.")] = None,
    param: Annotated[list[str] | None, typer.Option(help="The same, as a flag.")] = None,
    job_id: Annotated[str | None, typer.Option("--id", help="An id of your own: the same request runs once.")] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until it has ended.")] = False,
    save: Annotated[Path | None, typer.Option(help="Wait, and save its artifacts in this folder.")] = None,
    as_json: AsJson = False,
    endpoint: Endpoint = None,
    api_key: Key = None,
) -> None:
    """Run a workflow. Where a parameter is an image, a file of yours is uploaded.

    - `darkroom workflow run portrait prompt="an old sailor" steps=30 --save out`
    - `darkroom workflow run restyle image=me.png prompt="in oil" --wait`
    """

    async def act(darkroom: Client) -> int:
        given = _given([*(params or []), *(param or [])], _parameters((await darkroom.workflow(name)).parameters))
        for key, value in given.items():
            if isinstance(value, Path):
                given[key] = await darkroom.upload(value)
        accepted = await darkroom.submit({"workflow": name, "params": given, **({"id": job_id} if job_id else {})})
        if wait or save:
            return await until_ended(darkroom, [accepted.id], save, as_json=as_json)
        tell(accepted, accepted.id, as_json=as_json)
        return 0

    with_client(act, endpoint, api_key)


@app.command()
def remove(name: Name, yes: Yes = False, bucket: Bucket = None) -> None:
    """Remove a named workflow. Jobs that were accepted run all the same."""
    store = _store(bucket)
    if store.read(name) is None:
        raise NotFound(f"there is no workflow {name} in s3://{store.bucket}")
    if not yes:
        typer.confirm(f"Remove {name}?", abort=True, err=True)
    store.remove(name)


def _store(bucket: str | None) -> WorkflowStore:
    config = read_models_config(bucket)
    return WorkflowStore(s3_client(config.region), config.bucket)


def _put_up(store: WorkflowStore, name: str, data: bytes, *, yes: bool) -> None:
    """Write the file, unless it is there as it is; over another only if that is wanted."""
    there = store.read(name)
    if there is not None and there.data == data:
        return
    if there is not None and not yes:
        typer.confirm(f"{name} is up already, and differs. Replace it?", abort=True, err=True)
    store.write(name, data, there)


def _write(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except OSError as error:
        raise Refused(f"{path}: {error.strerror}") from error


def _derived(
    value: Any, name: str, runtime: str | None, definitions: Definitions | None, *, yes: bool
) -> dict[str, Any]:
    """A named workflow of a bare request, its parameters as proposed or as the user wants them."""
    task, body = request_in(value)
    if task is Task.PIPELINE:
        check_format(body)
        if definitions is not None:  # first, for choices are derived from them
            check_definitions(body, {}, definitions)
    told = {} if body is value else {key: value[key] for key in ("title", "description", "runtime") if key in value}
    runtime = runtime or told.get("runtime")
    if runtime is None and yes:
        raise Refused("which runtime runs it? Give --runtime")
    proposed = derive(task, body, definitions)
    return {
        **told,
        "name": name,
        "runtime": runtime or typer.prompt("Runtime", err=True),
        "task": task,
        "input": body,
        "parameters": msgspec.to_builtins(proposed if yes else _ask(proposed)),
    }


def _ask(proposed: dict[str, Parameter]) -> dict[str, Parameter]:
    """What callers may choose, one question each."""
    chosen: dict[str, Parameter] = {}
    errors.print("What may callers choose? Enter takes it, another name renames it, - leaves it out.", highlight=False)
    for name, parameter in proposed.items():
        about = f"{parameter.title} ({parameter.type} at {', '.join(parameter.at)})"
        answer = typer.prompt(about, default=name, err=True).strip()
        while answer != _LEAVE_OUT and (mistake := _name_mistake(answer, chosen)):
            answer = typer.prompt(f"{mistake}; another", default=name, err=True).strip()
        if answer != _LEAVE_OUT:
            chosen[answer] = parameter
    return chosen


def _name_mistake(answer: str, taken: dict[str, Parameter]) -> str | None:
    try:
        msgspec.convert(answer, ParameterName)
    except msgspec.ValidationError:
        return "a name has small letters, digits and _, and begins with a letter"
    return f"{answer} is taken" if answer in taken else None


def _definitions(where: str) -> Definitions:
    """Node definitions from a file, or from a ComfyUI that runs."""
    if not where.startswith(("http://", "https://")):
        return read_definitions(read_json(Path(where)))
    url = where if where.rstrip("/").endswith("/object_info") else f"{where.rstrip('/')}/object_info"
    try:
        answer = httpx.get(url, timeout=60, follow_redirects=True)
        answer.raise_for_status()
        return read_definitions(answer.json())
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise NotReachable(f"{url}: {error}") from error
    except ValueError as error:
        raise Refused(f"{url} answers no JSON: is it a ComfyUI?") from error


def _parameters(view: dict[str, Any]) -> dict[str, Parameter]:
    return msgspec.convert(view, dict[str, Parameter])


def _given(texts: list[str], known: dict[str, Parameter]) -> dict[str, Any]:
    """`name=value` as the parameter's type takes it, a path where it is an image of yours. The API checks the rest."""
    found: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or name not in known:
            raise Refused(f"{text}: write it as name=value; the parameters are {', '.join(known) or 'none'}")
        found[name] = _value(known[name], value)
    return found


def _value(parameter: Parameter, text: str) -> Any:
    if parameter.type == "image":
        return text if text.startswith(("https://", "http://", "s3://", "data:")) else Path(text)
    if parameter.type != "string":
        with suppress(ValueError):
            return json.loads(text)
    return text
