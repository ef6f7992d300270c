"""From what stands on the command line to requests: JSON files, ComfyUI workflows with settings, named workflows.

Pure but for reading files.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from .failures import Refused
from .openai import is_openai, openai_input

_PIPELINE = "pipeline"
_TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


@dataclass(frozen=True, slots=True)
class Ask:
    """What the flags of `submit` say.

    `fields` are those of a generation, by the WebUI's names (`prompt`, `steps`); `settings` come from `--set`, `params`
    from `--param`, as texts; `job` are fields of the job itself (`priority`, `prefix`); `images` are local files.
    """

    workflow: str | None = None
    runtime: str | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    job: Mapping[str, Any] = field(default_factory=dict)
    images: tuple[Path, ...] = ()


def read_json(path: Path) -> Any:
    """A JSON file.

    Raises:
        Refused: it is not there, or no JSON.
    """
    try:
        return json.loads(path.read_text())
    except OSError as error:
        raise Refused(f"{path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise Refused(f"{path} is no JSON: {error}") from error


def read_lines(lines: Iterable[str]) -> list[Any]:
    """NDJSON: a value a line.

    Raises:
        Refused: with the number of the line that is no JSON; nothing is submitted then.
    """
    values = []
    for number, line in enumerate(lines, 1):
        try:
            values += [json.loads(line)] if line.strip() else []
        except (ValueError, RecursionError) as error:
            raise Refused(f"line {number} is no JSON: {error}") from error
    return values


def pairs(texts: Sequence[str], flag: str) -> dict[str, str]:
    """`name=value` texts.

    Raises:
        Refused: one is not written so.
    """
    found: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise Refused(f"{flag} {text}: write it as name=value")
        found[name] = value
    return found


def request_of(value: Any, ask: Ask, runtime_type: str | None = None) -> dict[str, Any]:
    """A file's content as a request: a whole one, or a bare ComfyUI workflow for the runtime; with what flags say.

    `runtime_type` decides what flags are called in it; where it is not known, the request's own fields tell.

    Raises:
        Refused: it is no request, or does not go with the flags.
    """
    if not isinstance(value, dict):
        raise Refused("a request is a JSON object")
    if "input" in value or "workflow" in value:
        request = {**value, **({"runtime": ask.runtime} if ask.runtime else {}), **ask.job}
    elif ask.runtime is None:
        raise Refused("this looks like a ComfyUI workflow: name its runtime with --runtime")
    else:
        request = {"runtime": ask.runtime, "task": _PIPELINE, "input": value, **ask.job}
    body = request.get("input")
    speaks_openai = runtime_type == "openai" or (runtime_type is None and isinstance(body, dict) and is_openai(body))
    if speaks_openai and request.get("task") != _PIPELINE:
        ask = replace(ask, fields=openai_input(ask.fields, ()))
    return _with_images(_with_settings(request, ask), ask.images, "image" if speaks_openai else "init_images")


def differs_by_type(ask: Ask) -> bool:
    """Whether the runtime's type must be known to write the request: its prompt and seed are called the same by all."""
    return bool(ask.images or ask.fields.keys() - {"prompt", "negative_prompt", "seed"})


def prompt_request(ask: Ask, runtime_type: str | None = None) -> dict[str, Any]:
    """A request of flags alone, the WebUI's unless the type is openai: text to image, or image to image with images.

    Raises:
        Refused: no runtime is named, or a flag that it has no field for.
    """
    if ask.runtime is None:
        raise Refused("which runtime? Give --runtime (`darkroom runtimes` lists them), or --workflow")
    task = "image-to-image" if ask.images else "text-to-image"
    if runtime_type == "openai":
        body = openai_input(ask.fields, ask.images)
        return request_of({"task": task, "input": body}, replace(ask, fields={}, images=()), runtime_type)
    return request_of({"task": task, "input": dict(ask.fields)}, ask)


def workflow_request(ask: Ask, parameters: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """A call of a named workflow; texts become what its parameters are.

    Raises:
        Refused: a text that is no number, an image that nothing takes, settings of another kind of request.
    """
    if ask.settings:
        raise Refused("--set goes into a request of your own; of a workflow, --param sets its parameters")
    types = {name: str(one.get("type")) for name, one in parameters.items()}
    params = dict(ask.fields) | {name: _typed(name, text, types.get(name)) for name, text in ask.params.items()}
    takers = [name for name, kind in types.items() if kind == "image" and name not in params]
    if len(ask.images) > len(takers):
        known = f"takes {len(takers)} images" if takers else "takes no image"
        raise Refused(f"{len(ask.images)} images are given; the workflow {ask.workflow} {known}")
    params |= dict(zip(takers, map(str, ask.images), strict=False))
    return {"workflow": ask.workflow, "params": params, **ask.job}


def _typed(name: str, text: str, kind: str | None) -> Any:
    """A parameter's text as what it is; of an unknown one the API says what is known."""
    try:
        match kind:
            case "integer":
                return int(text)
            case "number":
                return float(text)
            case "boolean":
                return _TRUTH[text.lower()]
    except (ValueError, KeyError) as error:
        raise Refused(f"--param {name}={text}: {name} is {kind}") from error
    return text


def _guessed(text: str) -> Any:
    """JSON where it is JSON (a number, true, a list), else the text itself."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _with_settings(request: dict[str, Any], ask: Ask) -> dict[str, Any]:
    """The request with fields and `--set`: `<node id>.<input>` of a ComfyUI workflow, else a field of `input`."""
    if not ask.settings and not ask.fields:
        return request
    body = deepcopy(request.get("input"))
    if not isinstance(body, dict):
        raise Refused("this request has no input to set anything in")
    if request.get("task") != _PIPELINE:
        settings = {name: _guessed(text) for name, text in ask.settings.items()}
        return {**request, "input": {**body, **ask.fields, **settings}}
    if ask.fields:
        raise Refused(
            "--prompt and its like are for the WebUI; in a ComfyUI workflow use --set <node id>.<input>=value"
        )
    graph = _graph(body)
    for place, text in ask.settings.items():
        node, dot, name = place.partition(".")
        if not dot or not isinstance(graph.get(node), dict):
            known = ", ".join(sorted(graph)[:20])
            raise Refused(f"--set {place}: write it as <node id>.<input>=value; the nodes are {known}")
        inputs = graph[node].setdefault("inputs", {})
        # What is a text in the workflow stays one: a prompt may be `42`.
        inputs[name] = text if isinstance(inputs.get(name), str) else _guessed(text)
    return {**request, "input": body}


def _with_images(request: dict[str, Any], images: Sequence[Path], field: str) -> dict[str, Any]:
    """The request with local images where it wants them: in this field, or in a workflow's loaders."""
    if not images:
        return request
    if "workflow" in request:
        raise Refused("--image and a file with a named workflow do not go together: put the image into its params")
    body = deepcopy(request.get("input"))
    if not isinstance(body, dict):
        raise Refused("this request has no input to put an image in")
    if (task := request.get("task")) != _PIPELINE:
        if task != "image-to-image":
            raise Refused(f"--image is for image-to-image; this request's task is {task or 'not named'}")
        given = body.get(field)
        before = given if isinstance(given, list) else []
        return {**request, "input": {**body, field: [*before, *map(str, images)]}}
    loaders = [
        node
        for node in _graph(body).values()
        if isinstance(node, dict)
        and str(node.get("class_type", "")).startswith("LoadImage")
        and isinstance(node.get("inputs"), dict)
    ]
    if len(loaders) != len(images):
        raise Refused(
            f"the workflow loads {len(loaders)} images, --image gives {len(images)}: use --set <node>.image=…"
        )
    for loader, image in zip(loaders, images, strict=True):
        loader["inputs"]["image"] = str(image)
    return {**request, "input": body}


def _graph(body: dict[str, Any]) -> dict[str, Any]:
    """The nodes of a job's input, which is the bare graph or a whole request with `prompt`."""
    inner = body.get("prompt")
    return inner if isinstance(inner, dict) and "class_type" not in inner else body
