"""Named workflows: a request with parameters, so that callers need not send graphs. Pure."""

from copy import deepcopy
from itertools import pairwise
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from .decode import ContractError, convert, show
from .job import RuntimeName, Task

type ParameterType = Literal["string", "integer", "number", "boolean", "image"]

WorkflowName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=63)]
ParameterName = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]
_IMAGE = ("https://", "http://", "s3://", "data:image/")
_MAX_INDEX = 63  # of a list: a place such as `init_images.0`


class Parameter(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One thing that a caller may choose.

    `at` are the places that it goes to: `<node id>.<input>` of a ComfyUI workflow, else a dotted path into the request
    (`init_images.0`). `minimum` and `maximum` bound numbers, `max_length` strings. Who leaves it out gets `default`, or
    with `seed` a seed of the API's choice, or else what stands in the request.
    """

    type: ParameterType
    at: Annotated[tuple[str, ...], Meta(min_length=1)]
    default: Any = None
    minimum: int | float | None = None
    maximum: int | float | None = None
    max_length: Annotated[int, Meta(ge=1)] | None = None
    choices: tuple[Any, ...] = ()
    required: bool = False
    title: str | None = None
    help: str | None = None
    multiline: bool = False
    seed: bool = False


class Workflow(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A file `workflows/<name>.json` in the models bucket. `input` is the runtime's own request body."""

    name: WorkflowName
    runtime: RuntimeName
    task: Task
    input: dict[str, Any]
    parameters: dict[ParameterName, Parameter]
    title: str | None = None
    description: str | None = None


def decode_workflow(value: Any) -> Workflow:
    """Make a workflow of a plain value, checking that it can be filled.

    Raises:
        ContractError: the first mistake that was found.
    """
    _convert_parameters(value)
    workflow = convert(value, Workflow)
    for name, parameter in workflow.parameters.items():
        where = f"$.parameters.{name}"
        for index, place in enumerate(parameter.at):
            _set(deepcopy(workflow.input), workflow.task, place, None, f"{where}.at[{index}]")
        for index, choice in enumerate(parameter.choices):
            _check_type(parameter, choice, f"{where}.choices[{index}]")
        if parameter.default is not None:
            _check(parameter, parameter.default, f"{where}.default")
        if parameter.seed and parameter.type != "integer":
            raise ContractError(f"{where}.type", '"integer" for a seed', show(parameter.type))
        low, high = parameter.minimum, parameter.maximum
        if low is not None and high is not None and low > high:
            raise ContractError(f"{where}.minimum", f"a number ≤ maximum ({high:.10g})", show(low))
    return workflow


def _convert_parameters(value: Any) -> None:
    """Check each parameter by itself: of a mistake in a whole object msgspec does not tell which key it is at."""
    parameters = value.get("parameters") if isinstance(value, dict) else None
    for name, parameter in parameters.items() if isinstance(parameters, dict) else ():
        try:
            convert(parameter, Parameter)
        except ContractError as error:
            path = f"$.parameters.{name}{error.path.removeprefix('$')}"
            raise ContractError(path, error.expected, error.got) from error


def fill(workflow: Workflow, params: dict[str, Any]) -> dict[str, Any]:
    """The request body with the parameters in their places.

    Raises:
        ContractError: an unknown parameter, one that is missing, or a value that may not be; at `$.params.<name>`.
    """
    for name, value in params.items():
        if name not in workflow.parameters:
            known = ", ".join(workflow.parameters) or "none"
            raise ContractError(f"$.params.{name}", f"no such parameter (known: {known})", show(value))
    body = deepcopy(workflow.input)
    for name, parameter in workflow.parameters.items():
        value = params.get(name, parameter.default)
        if value is None:
            if parameter.required:
                raise ContractError(f"$.params.{name}", _describe(parameter), "nothing")
            continue
        _check(parameter, value, f"$.params.{name}")
        for place in parameter.at:
            _set(body, workflow.task, place, value, f"$.params.{name}")
    return body


def schema_of(workflow: Workflow) -> dict[str, Any]:
    """JSON Schema (2020-12) of `params`."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "additionalProperties": False,
        "properties": {name: _schema(parameter) for name, parameter in workflow.parameters.items()},
        "required": [name for name, one in workflow.parameters.items() if one.required and one.default is None],
    }


def _schema(parameter: Parameter) -> dict[str, Any]:
    kind = "string" if parameter.type == "image" else parameter.type
    facts = {
        "type": kind,
        "title": parameter.title,
        "description": parameter.help,
        "default": parameter.default,
        "minimum": parameter.minimum,
        "maximum": parameter.maximum,
        "maxLength": parameter.max_length,
        "enum": list(parameter.choices) or None,
        "format": "uri" if parameter.type == "image" else None,
    }
    return {name: value for name, value in facts.items() if value is not None}


def _check(parameter: Parameter, value: Any, path: str) -> None:
    _check_type(parameter, value, path)
    low, high = parameter.minimum, parameter.maximum
    if isinstance(value, int | float) and not isinstance(value, bool):
        if (low is not None and value < low) or (high is not None and value > high):
            raise ContractError(path, _describe(parameter), show(value))
    elif isinstance(value, str) and parameter.max_length is not None and len(value) > parameter.max_length:
        raise ContractError(path, _describe(parameter), f"{len(value)} characters")
    if parameter.choices and value not in parameter.choices:
        raise ContractError(path, _describe(parameter), show(value))


def _check_type(parameter: Parameter, value: Any, path: str) -> None:
    truth = isinstance(value, bool)
    fits = {
        "string": isinstance(value, str),
        "image": isinstance(value, str) and value.startswith(_IMAGE),
        "integer": isinstance(value, int) and not truth,
        "number": isinstance(value, int | float) and not truth,
        "boolean": truth,
    }
    if not fits[parameter.type]:
        raise ContractError(path, _describe(parameter), show(value))


def _describe(parameter: Parameter) -> str:
    if parameter.choices:
        return "one of " + ", ".join(show(choice) for choice in parameter.choices)
    if parameter.type == "image":
        return "an image's address (https://, s3://) or data:image/… URL"
    low, high = parameter.minimum, parameter.maximum
    kind = {"boolean": "true or false"}.get(parameter.type, parameter.type)
    if parameter.type == "string":
        return f"string of ≤ {parameter.max_length} characters" if parameter.max_length else kind
    if low is not None and high is not None:
        return f"{kind} {low:.10g} … {high:.10g}"
    return f"{kind} ≥ {low:.10g}" if low is not None else f"{kind} ≤ {high:.10g}" if high is not None else kind


def _set(body: dict[str, Any], task: Task, place: str, value: Any, path: str) -> None:
    """Put a value into its place; every step but the last must be there already, or be the end of a list."""
    node: Any = body
    steps = place.split(".")
    if task is Task.PIPELINE:
        graph = body["prompt"] if isinstance(body.get("prompt"), dict) and "class_type" not in body["prompt"] else body
        node, steps = graph, place.split(".", 1)
        if len(steps) != 2 or not isinstance(graph.get(steps[0]), dict):
            raise ContractError(path, "a place `<node id>.<input>` of a node in `input`", show(place))
        node, steps = graph[steps[0]].setdefault("inputs", {}), steps[1:]
    for step, following in pairwise(steps):
        _put(node, step, [] if following.isdigit() else {}, place, path, keep=True)
        node = node[int(step)] if isinstance(node, list) else node[step]
    _put(node, steps[-1], value, place, path)


def _put(node: Any, step: str, value: Any, place: str, path: str, *, keep: bool = False) -> None:
    if isinstance(node, list) and step.isdigit() and int(step) <= min(len(node), _MAX_INDEX):
        index = int(step)
        if index == len(node):
            node.append(value)
        elif not keep:
            node[index] = value
    elif isinstance(node, dict) and step:
        if keep:
            node.setdefault(step, value)
        else:
            node[step] = value
    else:
        raise ContractError(path, "a place in `input`", show(place))
