"""ComfyUI's node definitions (`GET /object_info`), and what a workflow breaks of them. Pure.

Read as ComfyUI's server does in its own validation: an input is `[type, config]`, where type is a name, a list of
choices, or `COMBO` with `options`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from darkroom_contract.decode import show
from darkroom_contract.workflow import Parameter

from .failures import Refused

_NUMBERS = ("INT", "FLOAT")
_LINKED = frozenset({"MODEL", "CLIP", "VAE", "CONDITIONING", "LATENT", "IMAGE", "MASK", "CONTROL_NET", "CLIP_VISION"})
_FILES = ("image_upload", "audio_upload", "video_upload", "remote")  # choices that are files of one machine


@dataclass(frozen=True, slots=True)
class Input:
    """One input. `choices` is None where there are none to choose from, or where they are one machine's own files."""

    kind: str
    choices: tuple[Any, ...] | None = None
    minimum: int | float | None = None
    maximum: int | float | None = None


@dataclass(frozen=True, slots=True)
class Definition:
    """A class of nodes: inputs by name, those that must be there, and the types of its outputs."""

    inputs: Mapping[str, Input]
    required: frozenset[str]
    outputs: tuple[str, ...]


type Definitions = Mapping[str, Definition]


def read_definitions(value: Any) -> Definitions:
    """Make definitions of what `/object_info` answers.

    Raises:
        Refused: it is something else.
    """
    if not isinstance(value, dict) or not all(isinstance(one, dict) and "input" in one for one in value.values()):
        raise Refused("--object-info: these are no node definitions; take what GET /object_info of ComfyUI answers")
    return {name: _definition(one) for name, one in value.items()}


def _definition(value: dict[str, Any]) -> Definition:
    groups = value["input"] if isinstance(value["input"], dict) else {}
    required, optional = (_inputs(groups.get(name)) for name in ("required", "optional"))
    given = value.get("output")
    outputs = tuple(one if isinstance(one, str) else "COMBO" for one in given) if isinstance(given, list) else ()
    # Inputs of ComfyUI's newer kinds (COMFY_AUTOGROW_V3 …) grow into others and are not in the workflow themselves.
    must = frozenset(name for name, one in required.items() if not one.kind.startswith("COMFY_"))
    return Definition({**required, **optional}, must, outputs)


def _inputs(group: Any) -> dict[str, Input]:
    return {name: _input(one) for name, one in group.items()} if isinstance(group, dict) else {}


def _input(value: Any) -> Input:
    kind, config = (*value, {})[:2] if isinstance(value, list) and value else ("*", {})
    config = config if isinstance(config, dict) else {}
    choices = kind if isinstance(kind, list) else config.get("options")
    if isinstance(choices, list):
        return Input("COMBO", None if any(config.get(name) for name in _FILES) else tuple(choices))
    return Input(str(kind), None, _bound(config.get("min")), _bound(config.get("max")))


def _bound(value: Any) -> int | float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def findings(graph: Mapping[str, Any], definitions: Definitions) -> Iterator[str]:
    """All that the runtime would refuse in a well-formed graph, a line each."""
    for node_id, node in graph.items():
        where, inputs = f"node {node_id} ({node['class_type']})", node.get("inputs", {})
        definition = definitions.get(node["class_type"])
        if definition is None:
            yield f"{where}: the runtime has no such node; is its extension installed?"
            continue
        for name in sorted(definition.required - inputs.keys()):
            yield f"{where}: its input {name} is missing"
        for name, value in inputs.items():
            if (known := definition.inputs.get(name)) is not None:
                wrong = _link_mistake(known, value, graph, definitions) if _is_link(value) else _mistake(known, value)
                if wrong:
                    yield f"{where}, {name}: {wrong}"


def parameter_findings(
    parameters: Mapping[str, Parameter], graph: Mapping[str, Any], definitions: Definitions
) -> Iterator[str]:
    """All choices and bounds of parameters that the runtime would refuse."""
    for name, parameter in parameters.items():
        for place in parameter.at:
            known = input_at(graph, place, definitions)
            if known is None or parameter.type == "image":
                continue
            for value in (*parameter.choices, parameter.default, parameter.minimum, parameter.maximum):
                if value is not None and (wrong := _mistake(known, value)):
                    yield f"parameter {name} at {place}: {wrong}"


def input_at(graph: Mapping[str, Any], place: str, definitions: Definitions) -> Input | None:
    """The definition of a place `<node id>.<input>`."""
    node_id, _, name = place.partition(".")
    definition = definitions.get(graph[node_id]["class_type"])
    return definition.inputs.get(name) if definition else None


def _is_link(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and isinstance(value[0], str) and isinstance(value[1], int)


def _mistake(known: Input, value: Any) -> str | None:
    if known.choices is not None:
        near = ", ".join(show(choice) for choice in known.choices[:8])
        more = f" and {len(known.choices) - 8} more" if len(known.choices) > 8 else ""
        return None if value in known.choices else f"{show(value)} is not there (there are {near or 'none'}{more})"
    if known.kind not in _NUMBERS:
        # Other types may be widgets of an extension, which alone knows what they take.
        return f"expected a link to {known.kind}, got {show(value)}" if known.kind in _LINKED else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return f"expected a number, got {show(value)}"
    if known.minimum is not None and value < known.minimum:
        return f"expected ≥ {known.minimum}, got {show(value)}"
    if known.maximum is not None and value > known.maximum:
        return f"expected ≤ {known.maximum}, got {show(value)}"
    return None


def _link_mistake(known: Input, link: list[Any], graph: Mapping[str, Any], definitions: Definitions) -> str | None:
    source = definitions.get(graph[link[0]]["class_type"])
    if source is None:
        return None
    if not 0 <= link[1] < len(source.outputs):
        return f"node {link[0]} has no output {link[1]}"
    got, wanted = source.outputs[link[1]], known.kind
    # A type may be a set of names, `IMAGE,MASK`; * is any.
    if "*" in (got, wanted) or wanted.startswith("COMFY_") or set(got.split(",")) & set(wanted.split(",")):
        return None
    return f"expected {wanted}, but output {link[1]} of node {link[0]} is {got}"
