"""`darkroom`: submit jobs, watch them, save their images, from a terminal or a script.

Exit status: 0 all is well, 1 a job did not complete, 2 the request is wrong, 3 no API there or the key was not
accepted, 4 no such job.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.markup import escape

from darkroom_contract.api import JobView
from darkroom_contract.job import State

from . import models, workflows
from .client import Client
from .failures import DarkroomError
from .follow import many, until_ended
from .request import pairs, read_json, read_lines, request_of, with_settings
from .show import job_table, runtime_table, whole_job
from .terminal import AsJson, Endpoint, Key, console, errors, tell, with_client

app = typer.Typer(help=__doc__, no_args_is_help=True, rich_markup_mode="markdown", pretty_exceptions_enable=False)
app.add_typer(workflows.app, name="workflow")
app.add_typer(models.app, name="models")
Ids = Annotated[list[str], typer.Argument(metavar="JOB...", help="Ids of jobs.")]


def main() -> None:
    """Run the command; what went wrong is said in one line, and in the exit status."""
    try:
        app()
    except DarkroomError as error:
        errors.print(f"[red]darkroom:[/] {escape(str(error))}", highlight=False, soft_wrap=True)
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
        accepted = await many(requests, darkroom.submit, "submitting")
        ids = [one.id for one in accepted]
        if wait or save:
            return await until_ended(darkroom, ids, save, as_json=as_json)
        for one in accepted:
            console.print(
                msgspec.json.encode(one).decode() if as_json else one.id, markup=False, highlight=False, soft_wrap=True
            )
        return 0

    with_client(act, endpoint, api_key)


@app.command()
def watch(ids: Ids, as_json: AsJson = False, endpoint: Endpoint = None, api_key: Key = None) -> None:
    """Show jobs' progress until they have ended."""
    with_client(lambda darkroom: until_ended(darkroom, ids, None, as_json=as_json), endpoint, api_key)


@app.command()
def save(
    ids: Ids,
    out: Annotated[Path, typer.Option("--out", help="The folder.")] = Path("out"),
    as_json: AsJson = False,
    endpoint: Endpoint = None,
    api_key: Key = None,
) -> None:
    """Save jobs' artifacts, each checked by its SHA-256. What is there already is not fetched again."""
    with_client(lambda darkroom: until_ended(darkroom, ids, out, as_json=as_json), endpoint, api_key)


@app.command()
def get(job_id: str, as_json: AsJson = False, endpoint: Endpoint = None, api_key: Key = None) -> None:
    """Show a job, with a waterfall of its stages."""

    async def act(darkroom: Client) -> int:
        job = await darkroom.get(job_id)
        tell(job, whole_job(job), as_json=as_json)
        return 0

    with_client(act, endpoint, api_key)


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
        tell(jobs, job_table(jobs), as_json=as_json)
        return 0

    with_client(act, endpoint, api_key)


@app.command()
def cancel(ids: Ids, as_json: AsJson = False, endpoint: Endpoint = None, api_key: Key = None) -> None:
    """Cancel jobs, queued or running."""

    async def act(darkroom: Client) -> int:
        jobs = await many(ids, darkroom.cancel, "cancelling")
        tell(jobs, job_table(jobs), as_json=as_json)
        return 0

    with_client(act, endpoint, api_key)


@app.command()
def runtimes(as_json: AsJson = False, endpoint: Endpoint = None, api_key: Key = None) -> None:
    """Show the installed runtimes and how full their queues are."""

    async def act(darkroom: Client) -> int:
        found = await darkroom.runtimes()
        tell(found, runtime_table(found), as_json=as_json)
        return 0

    with_client(act, endpoint, api_key)


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


if __name__ == "__main__":
    main()
