"""Checks of a ComfyUI request before any GPU wakes: API format, whole nodes, links that lead somewhere. Pure.

What the server itself refuses is in its recordings (400 with `node_errors`); node types and choices it alone knows.
"""

from typing import Any

from .decode import ContractError, show

MAX_NODES = 2000


def check_graph(request: dict[str, Any]) -> None:
    """Check a job's input: the bare graph, or a whole request with `prompt`.

    Raises:
        ContractError: with the node and the field in its path: `$.input["6"].inputs.clip`.
    """
    whole = "prompt" in request and not (isinstance(request["prompt"], dict) and "class_type" in request["prompt"])
    graph, path = (request["prompt"], "$.input.prompt") if whole else (request, "$.input")
    if not isinstance(graph, dict):
        raise ContractError(path, "a workflow in API format, an object of nodes", show(graph))
    if isinstance(graph.get("nodes"), list):
        raise ContractError(
            f"{path}.nodes", "a workflow in API format (in ComfyUI: Workflow > Export (API))", "the editor's own format"
        )
    if not graph:
        raise ContractError(path, "a workflow with nodes", "an empty one")
    if len(graph) > MAX_NODES:
        raise ContractError(path, f"a workflow of at most {MAX_NODES} nodes", f"{len(graph)}")
    for node_id, node in graph.items():
        _check_node(graph, node, f"{path}[{_quoted(node_id)}]")


def _check_node(graph: dict[str, Any], node: Any, path: str) -> None:
    if not isinstance(node, dict):
        raise ContractError(path, "a node: an object with class_type and inputs", show(node))
    kind = node.get("class_type")
    if not isinstance(kind, str) or not kind:
        raise ContractError(f"{path}.class_type", "string", show(kind) if "class_type" in node else "nothing")
    inputs = node.get("inputs", {})
    if not isinstance(inputs, dict):
        raise ContractError(f"{path}.inputs", "object", show(inputs))
    for name, value in inputs.items():
        # A list of two whose second is a number is a link: node id and output ("API format" of ComfyUI).
        if isinstance(value, list) and len(value) == 2 and isinstance(value[1], int) and isinstance(value[0], str):
            if value[0] not in graph:
                raise ContractError(f"{path}.inputs[{_quoted(name)}]", "a link to a node of this workflow", show(value))
            if value[1] < 0 or isinstance(value[1], bool):
                raise ContractError(f"{path}.inputs[{_quoted(name)}]", "a link to an output ≥ 0", show(value))


def _quoted(name: str) -> str:
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
