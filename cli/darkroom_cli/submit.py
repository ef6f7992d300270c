"""`darkroom submit`: requests from flags, files or a stream, with their images uploaded, sent and waited for."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from darkroom_contract.api import Accepted
from darkroom_contract.job import Format, Priority

from .client import Client
from .complete import runtime_names, workflow_names
from .failures import Refused
from .follow import many, sift, until_ended
from .request import (
    Ask,
    differs_by_type,
    pairs,
    prompt_request,
    read_json,
    read_lines,
    request_of,
    workflow_request,
)
from .terminal import AsJson, Endpoint, Key, tell, with_client
from .upload import uploaded

_WHAT, _IMAGE, _JOB, _THEN = (
    "What to run",
    "Generation (WebUI and OpenAI runtimes, named workflows)",
    "The job",
    "Afterwards",
)
_STDIN = Path("-")


def submit(
    file: Annotated[
        Path | None,
        typer.Argument(
            help="A request or a ComfyUI workflow in API format; `-` reads requests from stdin, one a line."
        ),
    ] = None,
    workflow: Annotated[
        str | None, typer.Option(help="A named workflow.", rich_help_panel=_WHAT, autocompletion=workflow_names)
    ] = None,
    param: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="A parameter of the workflow.", rich_help_panel=_WHAT),
    ] = None,
    runtime: Annotated[
        str | None, typer.Option(help="The runtime.", rich_help_panel=_WHAT, autocompletion=runtime_names)
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="PLACE=VALUE",
            help="Any field of the request (`hr_scale=2`), or a ComfyUI node's input (`6.text=…`).",
            rich_help_panel=_WHAT,
        ),
    ] = None,
    image: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            resolve_path=True,
            help="An input image, uploaded.",
            rich_help_panel=_WHAT,
        ),
    ] = None,
    prompt: Annotated[str | None, typer.Option(help="What to see.", rich_help_panel=_IMAGE)] = None,
    negative: Annotated[str | None, typer.Option(help="What not to see.", rich_help_panel=_IMAGE)] = None,
    steps: Annotated[int | None, typer.Option(help="Sampling steps.", rich_help_panel=_IMAGE)] = None,
    width: Annotated[int | None, typer.Option(help="Pixels.", rich_help_panel=_IMAGE)] = None,
    height: Annotated[int | None, typer.Option(help="Pixels.", rich_help_panel=_IMAGE)] = None,
    cfg: Annotated[float | None, typer.Option(help="How closely to follow the prompt.", rich_help_panel=_IMAGE)] = None,
    seed: Annotated[int | None, typer.Option(help="The same seed, the same image.", rich_help_panel=_IMAGE)] = None,
    sampler: Annotated[str | None, typer.Option(help="The sampler's name.", rich_help_panel=_IMAGE)] = None,
    count: Annotated[int | None, typer.Option(help="Images of one job.", rich_help_panel=_IMAGE)] = None,
    job_id: Annotated[
        str | None,
        typer.Option("--id", help="An id of your own: the same request runs once.", rich_help_panel=_JOB),
    ] = None,
    prefix: Annotated[str | None, typer.Option(help="Where its artifacts lie.", rich_help_panel=_JOB)] = None,
    priority: Annotated[Priority | None, typer.Option(help="Bulk waits for others.", rich_help_panel=_JOB)] = None,
    output: Annotated[Format | None, typer.Option("--format", help="Convert to it.", rich_help_panel=_JOB)] = None,
    timeout: Annotated[int | None, typer.Option(help="Seconds of one attempt.", rich_help_panel=_JOB)] = None,
    ttl: Annotated[int | None, typer.Option(help="Seconds after which it need not run.", rich_help_panel=_JOB)] = None,
    webhook: Annotated[str | None, typer.Option(help="Call this address at its end.", rich_help_panel=_JOB)] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until it has ended.", rich_help_panel=_THEN)] = False,
    save: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Wait, and save its artifacts.", rich_help_panel=_THEN),
    ] = None,
    as_json: AsJson = False,
    endpoint: Endpoint = None,
    api_key: Key = None,
) -> None:
    """Submit a job, or many; prints their ids.

    Local image files are uploaded wherever a request has images. Of many requests, those that can be sent are sent.

        # a named workflow, and its pictures into a folder
        darkroom submit --workflow portrait --prompt "an old sailor" --save out
        darkroom submit --workflow restyle --param strength=0.4 --image me.png

        # a WebUI's text to image, image to image, and a request of your own
        darkroom submit --runtime sd-webui --prompt "a lake" --steps 30 --wait
        darkroom submit --runtime sd-webui --prompt "in fog" --image lake.png
        darkroom submit request.json --seed 7

        # the same of a runtime that speaks the OpenAI images API
        darkroom submit --runtime sd-openai --prompt "a lake" --width 768 --height 512 --count 2

        # a ComfyUI workflow in API format
        darkroom submit graph.json --runtime sd-comfyui --set 6.text="a lake"

        # thousands, a request a line
        darkroom submit - --priority bulk < jobs.ndjson
    """
    fields = {
        "prompt": prompt,
        "negative_prompt": negative,
        "steps": steps,
        "width": width,
        "height": height,
        "cfg_scale": cfg,
        "seed": seed,
        "sampler_name": sampler,
        "batch_size": count,
    }
    job = {
        "id": job_id,
        "prefix": prefix,
        "priority": priority,
        "output": output and {"format": output},
        "timeout_seconds": timeout,
        "ttl_seconds": ttl,
        "webhook": webhook and {"url": webhook},
    }
    ask = Ask(
        workflow=workflow,
        runtime=runtime,
        params=pairs(param or [], "--param"),
        fields={name: value for name, value in fields.items() if value is not None},
        settings=pairs(settings or [], "--set"),
        job={name: value for name, value in job.items() if value is not None},
        images=tuple(image or ()),
    )
    values = _values(file, ask)
    with_client(lambda darkroom: _send(darkroom, values, ask, save, wait=wait, as_json=as_json), endpoint, api_key)


async def _send(
    darkroom: Client, values: Sequence[Any] | None, ask: Ask, folder: Path | None, *, wait: bool, as_json: bool
) -> int:
    """Send all requests, and wait for their jobs if that is wanted; the exit status."""
    waits = wait or folder is not None
    requests = await uploaded(darkroom, await _requests(darkroom, values, ask))

    def told(one: Accepted) -> None:
        if not waits:
            tell(one, Text(one.id), as_json=as_json)

    outcomes = await many(requests, darkroom.submit, "submitting", each=told)
    sent, status = sift(outcomes, _names(requests))
    if waits and sent:
        return max(status, await until_ended(darkroom, [one.id for one in sent], folder, as_json=as_json))
    return status


def _values(file: Path | None, ask: Ask) -> list[Any] | None:
    """What files or the stream hold; None where flags say all."""
    if file is None and ask.workflow is None and not (ask.fields or ask.images or ask.settings):
        raise typer.BadParameter("what to run? Give a file, --workflow, or --runtime with --prompt")
    if file is not None and ask.workflow is not None:
        raise typer.BadParameter("give a file or --workflow, not both")
    if ask.params and ask.workflow is None:
        raise typer.BadParameter("--param belongs to --workflow; other requests have --set")
    if file is None:
        return None
    values = read_lines(sys.stdin) if file == _STDIN else [read_json(file)]
    if "id" in ask.job and len(values) != 1:
        raise typer.BadParameter(f"--id is for one job; there are {len(values)}")
    return values


async def _requests(darkroom: Client, values: Sequence[Any] | None, ask: Ask) -> list[dict[str, Any]]:
    if ask.workflow is None:
        types = await _types(darkroom) if differs_by_type(ask) else {}
        if values is None:
            return [prompt_request(ask, types.get(ask.runtime or ""))]
        return [_numbered(number, value, ask, types) for number, value in enumerate(values, 1)]
    return [workflow_request(ask, (await darkroom.workflow(ask.workflow)).parameters)]


async def _types(darkroom: Client) -> dict[str, str]:
    """The API that each runtime speaks. Of one that is not there the jobs API will say so in its own words."""
    return {one.name: one.type for one in await darkroom.runtimes()}


def _numbered(number: int, value: Any, ask: Ask, types: Mapping[str, str]) -> dict[str, Any]:
    """A request of a stream: what is wrong with it is told by its number."""
    runtime = ask.runtime or (value.get("runtime") if isinstance(value, dict) else None)
    try:
        return request_of(value, ask, types.get(str(runtime)))
    except Refused as error:
        raise Refused(f"request {number}: {error}") from error


def _names(requests: Sequence[dict[str, Any]]) -> list[str]:
    """How each is called where something went wrong."""
    if len(requests) == 1:
        return ["darkroom"]
    return [f"request {number} ({one.get('id', 'no id')})" for number, one in enumerate(requests, 1)]
