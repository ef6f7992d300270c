"""`darkroom`: submit jobs, watch them, save their images, from a terminal or a script.

Exit status: 0 all is well, 1 a job did not complete, 2 the request is wrong, 3 no API there or the key was not
accepted, 4 no such job.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from darkroom_contract.api import JobView
from darkroom_contract.job import State

from .client import Client
from .config import read_config
from .failures import DarkroomError
from .request import pairs, read_json, read_lines, request_of, with_settings
from .show import COLOURS, job_table, runtime_table, whole_job

app = typer.Typer(help=__doc__, no_args_is_help=True, rich_markup_mode="markdown", pretty_exceptions_enable=False)
console = Console()
errors = Console(stderr=True)

Endpoint = Annotated[str | None, typer.Option("--endpoint", help="The API's address (DARKROOM_ENDPOINT).")]
Key = Annotated[str | None, typer.Option("--api-key", help="The tenant's key (DARKROOM_API_KEY).")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")]
Ids = Annotated[list[str], typer.Argument(metavar="JOB...", help="Ids of jobs.")]
_AT_ONCE = 16


def main() -> None:
    """Run the command; what went wrong is said in one line, and in the exit status."""
    try:
        app()
    except DarkroomError as error:
        errors.print(f"[red]darkroom:[/] {error}", highlight=False, soft_wrap=True)
        sys.exit(error.exit_status)


@app.command()
def submit(
    file: Annotated[
        Path | None, typer.Argument(help="A request or a ComfyUI workflow in API format; - for NDJSON.")
    ] = None,
    workflow: Annotated[str | None, typer.Option(help="A named workflow.")] = None,
    param: Annotated[list[str] | None, typer.Option(help="A parameter of the workflow, name=value.")] = None,
    runtime: Annotated[str | None, typer.Option(help="The runtime, for a prompt or a bare ComfyUI workflow.")] = None,
    prompt: Annotated[str | None, typer.Option(help="Text to image on a WebUI runtime.")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="steps=30, or 6.text=… of a ComfyUI node.")
    ] = None,
    image: Annotated[list[Path] | None, typer.Option(help="Input images, uploaded for you.")] = None,
    job_id: Annotated[str | None, typer.Option("--id", help="An id of your own: the same request runs once.")] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until it has ended.")] = False,
    save: Annotated[Path | None, typer.Option(help="Wait, and save its artifacts in this folder.")] = None,
    as_json: AsJson = False,
    endpoint: Endpoint = None,
    api_key: Key = None,
) -> None:
    """Submit a job, or many.

    - `darkroom submit --workflow portrait --param prompt="an old sailor" --save out`
    - `darkroom submit --runtime sd-webui --prompt "a lake" --set steps=30`
    - `darkroom submit graph.json --runtime sd-comfyui --set 6.text="a lighthouse"`
    - `darkroom submit - < jobs.ndjson` (a request a line, thousands at once)
    """
    requests = _requests(file, workflow, param or [], runtime, prompt, settings or [])
    if job_id is not None and len(requests) == 1:
        requests[0]["id"] = job_id

    async def act(darkroom: Client) -> int:
        for path in image or []:
            _place_image(requests, await darkroom.upload(path))
        accepted = await _many(requests, darkroom.submit, "submitting")
        ids = [one.id for one in accepted]
        if wait or save:
            return await _until_ended(darkroom, ids, save, as_json=as_json)
        for one in accepted:
            console.print(msgspec.json.encode(one).decode() if as_json else one.id, highlight=False, soft_wrap=True)
        return 0

    _run(act, endpoint, api_key)


@app.command()
def watch(ids: Ids, as_json: AsJson = False, endpoint: Endpoint = None, api_key: Key = None) -> None:
    """Show jobs' progress until they have ended."""
    _run(lambda darkroom: _until_ended(darkroom, ids, None, as_json=as_json), endpoint, api_key)


@app.command()
def save(
    ids: Ids,
    out: Annotated[Path, typer.Option("--out", help="The folder.")] = Path("out"),
    as_json: AsJson = False,
    endpoint: Endpoint = None,
    api_key: Key = None,
) -> None:
    """Save jobs' artifacts, each checked by its SHA-256. What is there already is not fetched again."""
    _run(lambda darkroom: _until_ended(darkroom, ids, out, as_json=as_json), endpoint, api_key)


@app.command()
def get(job_id: str, as_json: AsJson = False, endpoint: Endpoint = None, api_key: Key = None) -> None:
    """Show a job, with a waterfall of its stages."""

    async def act(darkroom: Client) -> int:
        job = await darkroom.get(job_id)
        _print(job, whole_job(job), as_json=as_json)
        return 0

    _run(act, endpoint, api_key)


@app.command("list")
def list_jobs(
    since: Annotated[str | None, typer.Option(help="RFC 3339 date and time.")] = None,
    runtime: Annotated[str | None, typer.Option(help="Only jobs of this runtime.")] = None,
    state: Annotated[State | None, typer.Option(help="Only jobs in this state.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 20,
    as_json: AsJson = False,
    endpoint: Endpoint = None,
    api_key: Key = None,
) -> None:
    """List jobs, the newest first."""
    filters = {"since": since, "runtime": runtime, "state": state and state.value}

    async def act(darkroom: Client) -> int:
        jobs: list[JobView] = []
        given = {name: value for name, value in filters.items() if value}
        async for job in darkroom.list(**given, limit=min(limit, 100)):
            jobs.append(job)
            if len(jobs) == limit:
                break
        _print(jobs, job_table(jobs), as_json=as_json)
        return 0

    _run(act, endpoint, api_key)


@app.command()
def cancel(ids: Ids, as_json: AsJson = False, endpoint: Endpoint = None, api_key: Key = None) -> None:
    """Cancel jobs, queued or running."""

    async def act(darkroom: Client) -> int:
        jobs = await _many(ids, darkroom.cancel, "cancelling")
        _print(jobs, job_table(jobs), as_json=as_json)
        return 0

    _run(act, endpoint, api_key)


@app.command()
def runtimes(as_json: AsJson = False, endpoint: Endpoint = None, api_key: Key = None) -> None:
    """Show the installed runtimes and how full their queues are."""

    async def act(darkroom: Client) -> int:
        found = await darkroom.runtimes()
        _print(found, runtime_table(found), as_json=as_json)
        return 0

    _run(act, endpoint, api_key)


def _run(act: Callable[[Client], Awaitable[int]], endpoint: str | None, api_key: str | None) -> None:
    config = read_config(endpoint, api_key)

    async def whole() -> int:
        async with Client(config.endpoint, config.api_key) as darkroom:
            return await act(darkroom)

    status = asyncio.run(whole())
    if status:
        raise typer.Exit(status)


def _print(value: Any, shown: Any, *, as_json: bool) -> None:
    console.print(msgspec.json.encode(value).decode() if as_json else shown, highlight=False, soft_wrap=as_json)


def _requests(
    file: Path | None,
    workflow: str | None,
    params: Sequence[str],
    runtime: str | None,
    prompt: str | None,
    settings: Sequence[str],
) -> list[dict[str, Any]]:
    """What was asked for, in whichever of the four ways."""
    if sum(one is not None for one in (file, workflow, prompt)) != 1:
        raise typer.BadParameter("give one of a file, --workflow or --prompt")
    if workflow is not None:
        return [{"workflow": workflow, "params": pairs(params, "--param")}]
    given = pairs(settings, "--set")
    if prompt is not None:
        if runtime is None:
            raise typer.BadParameter("--prompt needs --runtime")
        return [{"runtime": runtime, "task": "text-to-image", "input": {"prompt": prompt, **given}}]
    assert file is not None
    values = read_lines(sys.stdin) if str(file) == "-" else [read_json(file)]
    return [with_settings(request_of(value, runtime), given) for value in values]


def _place_image(requests: Sequence[dict[str, Any]], url: str) -> None:
    """Put an uploaded image where the request wants one: a workflow's `image`, or img2img's `init_images`."""
    for request in requests:
        if "workflow" in request:
            request["params"] = {**request.get("params", {}), "image": url}
        else:
            request["input"].setdefault("init_images", []).append(url)
            request["task"] = "image-to-image"


async def _many[V, R](values: Sequence[V], act: Callable[[V], Awaitable[R]], what: str) -> list[R]:
    """Do something for all, sixteen at a time, with a bar where there are many."""
    slots = asyncio.Semaphore(_AT_ONCE)
    with Progress(console=errors, transient=True, disable=len(values) < _AT_ONCE) as progress:
        bar = progress.add_task(what, total=len(values))

        async def one(value: V) -> R:
            async with slots:
                result = await act(value)
            progress.advance(bar)
            return result

        return await asyncio.gather(*(one(value) for value in values))


async def _until_ended(darkroom: Client, ids: Sequence[str], folder: Path | None, *, as_json: bool) -> int:
    """Watch jobs to their end, save what they made, and tell; 1 if one did not complete."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(20), TextColumn("{task.fields[state]}"))
    with Progress(*columns, TimeElapsedColumn(), console=errors, transient=True) as progress:

        async def one(job_id: str) -> JobView:
            bar = progress.add_task(job_id, total=1.0, state="queued")
            async for job in darkroom.watch(job_id):
                done = 1.0 if job.state.final else job.progress or 0.0
                shown = f"[{COLOURS.get(job.state.value, 'dim')}]{job.state.value}"
                progress.update(bar, completed=done, state=shown)
            if folder is not None:
                await darkroom.save(job, folder)
            progress.update(bar, visible=False)
            return job

        jobs = await _many(ids, one, "waiting")
    _print(
        jobs if len(jobs) > 1 else jobs[0], job_table(jobs) if len(jobs) > 1 else whole_job(jobs[0]), as_json=as_json
    )
    if folder is not None:
        errors.print(f"saved in {folder}", highlight=False)
    return 0 if all(job.state is State.COMPLETED for job in jobs) else 1


if __name__ == "__main__":
    main()
