"""Validate a prompt as ComfyUI 0.33.0 does, with its error types and words (recorded). Pure."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .comfyui_graph import Graph, is_link
from .comfyui_nodes import NODES, Node

_UUID = re.compile(r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")


class Malformed(Exception):
    """The server's own mistake: answered as 500 text/plain."""


@dataclass
class Validation:
    """Which outputs are good, what is wrong with the others, and why nothing may run (`error`)."""

    error: dict[str, Any] | None = None
    node_errors: dict[str, Any] = field(default_factory=dict)
    outputs: list[str] = field(default_factory=list)


def error(kind: str, message: str, details: str = "", extra: dict[str, Any] | None = None) -> dict[str, Any]:
    """An error as the server words it."""
    return {"type": kind, "message": message, "details": details, "extra_info": extra or {}}


def check_prompt_id(prompt_id: Any) -> dict[str, Any] | None:
    """A client's prompt_id must be a canonical lower-case UUID (since about 0.24)."""
    if isinstance(prompt_id, str) and _UUID.match(prompt_id):
        return None
    details = "prompt_id must be a UUID string in canonical lowercase hyphenated form; "
    return error(
        "invalid_prompt_id", "prompt_id must be a valid UUID", f"{details}omit it to let the server generate one"
    )


def validate(graph: Any, targets: list[str] | None, has_file: Callable[[str], bool], models: list[str]) -> Validation:
    """Validate a whole prompt.

    Raises:
        Malformed: it is no object of nodes.
    """
    if not isinstance(graph, dict):
        raise Malformed
    for node_id, node in graph.items():
        if (wrong := _check_class(node_id, node)) is not None:
            return Validation(error=wrong)
    outputs = [i for i, node in graph.items() if NODES[node["class_type"]].output and (targets is None or i in targets)]
    if not outputs:
        return Validation(error=error("prompt_no_outputs", "Prompt has no outputs"))
    result = Validation()
    checker = _Checker(graph, has_file, models)
    for output in outputs:
        wrong_nodes = checker.check_tree(output)
        for node_id, errors in wrong_nodes.items():
            entry = result.node_errors.setdefault(
                node_id, {"errors": errors, "dependent_outputs": [], "class_type": graph[node_id]["class_type"]}
            )
            entry["dependent_outputs"].append(output)
        if not wrong_nodes:
            result.outputs.append(output)
    if not result.outputs:
        result.error = error(
            "prompt_outputs_failed_validation", "Prompt outputs failed validation", _details(result, outputs)
        )
    return result


def _details(result: Validation, outputs: list[str]) -> str:
    """The errors of output nodes themselves; of nodes behind them the server says nothing here."""
    said = [
        f"{one['message']}: {one['details']}" if one["details"] else one["message"]
        for output in outputs
        for one in result.node_errors.get(output, {}).get("errors", ())
    ]
    return "\n".join(said)


def _check_class(node_id: str, node: Any) -> dict[str, Any] | None:
    if not isinstance(node, dict):
        raise Malformed
    name = node.get("class_type")
    extra = {"node_id": node_id, "class_type": name, "node_title": (node.get("_meta") or {}).get("title", name)}
    details = f"Node ID '#{node_id}'"
    if name is None:
        said = f"Node 'ID #{node_id}' has no class_type. The workflow may be corrupted or a custom node is missing."
        return error("missing_node_type", said, details, extra)
    if name not in NODES:
        return error(
            "missing_node_type", f"Node '{name}' not found. The custom node may not be installed.", details, extra
        )
    return None


class _Checker:
    def __init__(self, graph: Graph, has_file: Callable[[str], bool], models: list[str]) -> None:
        self._graph = graph
        self._has_file = has_file
        self._models = models

    def check_tree(self, output: str) -> dict[str, list[dict[str, Any]]]:
        """Errors by node, of an output and of everything behind it."""
        found: dict[str, list[dict[str, Any]]] = {}
        self._walk(output, [], found, set())
        return found

    def _walk(self, node_id: str, path: list[str], found: dict[str, list[dict[str, Any]]], seen: set[str]) -> None:
        if node_id in path:
            self._cycle(path[path.index(node_id) :], found)
            return
        if node_id in seen:
            return
        seen.add(node_id)
        node = self._graph[node_id]
        if "inputs" not in node:
            self._raised(node_id, "'inputs'", found)
            return
        for name, config in NODES[node["class_type"]].required.items():
            self._check_input(node_id, name, config, found)
        if node_id in found:
            return
        for value in node["inputs"].values():
            if is_link(value):
                self._walk(value[0], [*path, node_id], found, seen)

    def _check_input(self, node_id: str, name: str, config: list[Any], found: dict[str, list[dict[str, Any]]]) -> None:
        node = self._graph[node_id]
        inputs = node["inputs"]
        if node["class_type"] == "CheckpointLoaderSimple" and name == "ckpt_name":
            config = [self._models, config[1]]
        wrong: dict[str, Any] | None = None
        if name not in inputs:
            wrong = error("required_input_missing", "Required input is missing", name, {"input_name": name})
        elif isinstance(inputs[name], list):
            wrong = self._check_link(node_id, name, config, inputs[name], found)
        elif node["class_type"] in ("LoadImage", "LoadImageMask") and name == "image":
            if not self._has_file(str(inputs[name])):
                details = f"image - Invalid image file: {inputs[name]}"
                extra = {"input_name": "image"}
                wrong = error("custom_validation_failed", "Custom validation failed for node", details, extra)
        else:
            wrong = _check_value(name, config, inputs)
        if wrong is not None:
            found.setdefault(node_id, []).append(wrong)

    def _check_link(
        self, node_id: str, name: str, config: list[Any], value: list[Any], found: dict[str, list[dict[str, Any]]]
    ) -> dict[str, Any] | None:
        extra = {"input_name": name, "input_config": config}
        if len(value) != 2:
            said = "Bad linked input, must be a length-2 list of [node_id, slot_index]"
            return error("bad_linked_input", said, name, {**extra, "received_value": value})
        if value[0] not in self._graph:
            self._raised(node_id, f"'{value[0]}'", found)
            return None
        source: Node = NODES[self._graph[value[0]]["class_type"]]
        given = source.returns[value[1]] if value[1] < len(source.returns) else "*"
        if given != config[0]:
            details = f"{name}, received_type({given}) mismatch input_type({config[0]})"
            extra = {**extra, "received_type": given, "linked_node": value}
            return error("return_type_mismatch", "Return type mismatch between linked nodes", details, extra)
        return None

    def _raised(self, node_id: str, said: str, found: dict[str, list[dict[str, Any]]]) -> None:
        extra = {"exception_type": "KeyError", "traceback": ['  File "execution.py", in validate_inputs\n']}
        wrong = error("exception_during_validation", "Exception when validating node", said, extra)
        found.setdefault(node_id, []).append(wrong)

    def _cycle(self, nodes: list[str], found: dict[str, list[dict[str, Any]]]) -> None:
        shown = " -> ".join(f"{i} ({self._graph[i]['class_type']})" for i in [*nodes, nodes[0]])
        for node_id in nodes:
            extra = {"node_id": node_id, "cycle_nodes": nodes}
            found.setdefault(node_id, []).append(error("dependency_cycle", "Dependency cycle detected", shown, extra))


def _check_value(name: str, config: list[Any], inputs: dict[str, Any]) -> dict[str, Any] | None:
    """Convert a plain value as its type wants, and check its bounds."""
    kind, bounds, value = config[0], config[1], inputs[name]
    extra = {"input_name": name, "input_config": config, "received_value": value}
    if isinstance(kind, list):
        if value in kind:
            return None
        return error("value_not_in_list", "Value not in list", f"{name}: '{value}' not in {kind}", extra)
    convert = {"INT": int, "FLOAT": float, "STRING": str, "BOOLEAN": bool}.get(kind)
    if convert is None:
        return None
    try:
        number = inputs[name] = convert(value)
    except (ValueError, TypeError) as wrong:
        details = f"{name}, {value}, {wrong}"
        extra["exception_message"] = str(wrong)
        return error("invalid_input_type", f"Failed to convert an input value to a {kind} value", details, extra)
    return _check_bounds(name, bounds, number, extra) if kind in ("INT", "FLOAT") else None


def _check_bounds(name: str, bounds: dict[str, Any], number: float, extra: dict[str, Any]) -> dict[str, Any] | None:
    if "min" in bounds and number < bounds["min"]:
        return error("value_smaller_than_min", f"Value {number} smaller than min of {bounds['min']}", name, extra)
    if "max" in bounds and number > bounds["max"]:
        return error("value_bigger_than_max", f"Value {number} bigger than max of {bounds['max']}", name, extra)
    return None
