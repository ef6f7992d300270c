"""From a file to a named workflow, checked as the API will check its jobs. Pure."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from darkroom_contract import openai, sdwebui
from darkroom_contract.comfyui import check_graph
from darkroom_contract.decode import ContractError
from darkroom_contract.job import Task
from darkroom_contract.workflow import Parameter, Workflow, decode_workflow, fill

from .derive import graph_of
from .failures import Refused
from .node_definitions import Definitions, findings, parameter_findings
from .openai import is_openai

_ORDER = ("name", "title", "description", "runtime", "task", "parameters", "input")
_IMAGE = "s3://bucket/key.png"  # stands for an input image while a workflow is checked


def is_named(value: Any) -> bool:
    """Whether a file holds a named workflow already, not a bare request."""
    return isinstance(value, dict) and isinstance(value.get("input"), dict) and "parameters" in value


def request_in(value: Any) -> tuple[Task, dict[str, Any]]:
    """Task and body of a bare request: a ComfyUI workflow, A1111 or OpenAI fields, or a whole job's `task` and `input`.

    Raises:
        Refused: it is none of them.
    """
    if not isinstance(value, dict) or not value:
        raise Refused("a workflow is a JSON object")
    body = value["input"] if isinstance(value.get("input"), dict) else value
    if isinstance(value.get("task"), str) and body is not value:
        try:
            return Task(value["task"]), body
        except ValueError:
            raise Refused(f"task: expected one of {', '.join(Task)}") from None
    graph = graph_of(body)
    if "nodes" in graph or any(isinstance(node, dict) and "class_type" in node for node in graph.values()):
        return Task.PIPELINE, body
    if "init_images" in body or ("image" in body and is_openai(body)):
        return Task.IMAGE_TO_IMAGE, body
    if "imageList" in body or "image" in body:
        return Task.EXTRA_BATCH_IMAGES if "imageList" in body else Task.EXTRA_SINGLE_IMAGE, body
    return Task.TEXT_TO_IMAGE, body


def check_format(body: Mapping[str, Any]) -> None:
    """Check that a graph is in API format, whole, and linked to its own nodes.

    Raises:
        Refused: with the place of the first mistake.
    """
    try:
        check_graph(dict(body))
    except ContractError as error:
        raise Refused(str(error)) from error


def named_workflow(value: Mapping[str, Any], **said: str | None) -> Workflow:
    """A named workflow of a file's content; what is `said` beside it (name, runtime …) comes first.

    Raises:
        Refused: it breaks the contract, or could not be run with all that is required and nothing else.
    """
    try:
        workflow = decode_workflow({**value, **{name: text for name, text in said.items() if text is not None}})
        filled = fill(workflow, {n: _sample(p) for n, p in workflow.parameters.items() if p.required})
        if workflow.task is not Task.PIPELINE:
            check = openai.check_request if is_openai(filled) else sdwebui.check_request
            check(workflow.task, filled)
    except ContractError as error:
        raise Refused(str(error)) from error
    if workflow.task is Task.PIPELINE:
        check_format(filled)
        _check_places(workflow)
    return workflow


def check_definitions(
    request: Mapping[str, Any], parameters: Mapping[str, Parameter], definitions: Definitions
) -> None:
    """Check a graph and its parameters against a runtime's node definitions.

    Raises:
        Refused: with all that the runtime would refuse, a line each.
    """
    graph = graph_of(request)
    wrong = [*findings(graph, definitions), *parameter_findings(parameters, graph, definitions)]
    if wrong:
        raise Refused("the runtime would refuse it:\n" + "\n".join(f"  {line}" for line in wrong))


def name_of(stem: str) -> str:
    """A workflow's name from a file's: `My Graph (v2)` is `my-graph-v2`."""
    return re.sub(r"[^a-z0-9._]+", "-", stem.lower()).strip("-._")[:63] or "workflow"


def encode_workflow(workflow: Workflow) -> bytes:
    """The file: for people to read and for version control to compare."""
    plain = msgspec.to_builtins(workflow)
    ordered = {name: plain[name] for name in _ORDER if name in plain}
    return msgspec.json.format(msgspec.json.encode(ordered), indent=2) + b"\n"


def _sample(parameter: Parameter) -> Any:
    """Something that the parameter takes."""
    if parameter.default is not None:
        return parameter.default
    if parameter.choices:
        return parameter.choices[0]
    number = next((one for one in (parameter.minimum, parameter.maximum) if one is not None), 1)
    samples = {"string": "a", "image": _IMAGE, "boolean": True, "number": number, "integer": int(number)}
    return samples[parameter.type]


def _check_places(workflow: Workflow) -> None:
    """An input that the node does not have would be ignored, and nobody would notice."""
    graph = graph_of(workflow.input)
    for name, parameter in workflow.parameters.items():
        for place in parameter.at:
            node_id, _, wanted = place.partition(".")
            if wanted not in (inputs := graph[node_id].get("inputs", {})):
                known = ", ".join(inputs) or "none"
                raise Refused(f"$.parameters.{name}.at: node {node_id} has no input {wanted} (known: {known})")
