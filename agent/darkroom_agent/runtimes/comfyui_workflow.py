"""A ComfyUI workflow in API format: where its images are, and the request that runs it. Pure."""

import re
import uuid
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import msgspec

from darkroom_agent.errors import InvalidRequest
from darkroom_agent.ports import FieldPath

_LOADERS = frozenset({"LoadImage", "LoadImageMask"})
"""Nodes whose `image` names a file of the runtime's input folder."""
_OURS = frozenset({"prompt", "prompt_id", "client_id", "number", "front"})
"""Fields of `POST /prompt` that are the adapter's business: the graph, the names, and the place in the queue."""
_SOURCE = re.compile(r"(?:https?://|s3://|data:)", re.IGNORECASE)
_BASE64 = re.compile(r"[A-Za-z0-9+/\s]++=*+\s*+")
_LONG = 200  # characters: the smallest image has more, and no name of a file has as many without a dot
_LOOKED_AT = 1024  # characters of what may be base64; whoever decodes it looks at the rest

type Workflow = dict[str, Any]


def workflow_of(request: dict[str, Any]) -> tuple[Workflow, FieldPath]:
    """The graph of a job's input (the bare graph, or a whole request with `prompt`), and where it stands.

    What passes is well formed for ComfyUI, which would answer malformed graphs with a 500 (recorded:
    err_prompt_is_list, err_prompt_is_string).

    Raises:
        InvalidRequest: it is no graph in API format.
    """
    whole = "prompt" in request and not (isinstance(request["prompt"], dict) and "class_type" in request["prompt"])
    graph, path = (request["prompt"], "$.input.prompt") if whole else (request, "$.input")
    if not isinstance(graph, dict):
        raise InvalidRequest(f"{path}: expected a workflow, node by node")
    if whole and not isinstance(request.get("extra_data", {}), dict):
        raise InvalidRequest("$.input.extra_data: expected an object")
    if isinstance(graph.get("nodes"), list):
        raise InvalidRequest(f"{path}: this is the editor's own format; export the workflow with Export (API)")
    if not graph:
        raise InvalidRequest(f"{path}: a workflow without nodes")
    for node_id, node in graph.items():
        if not isinstance(node, dict) or not isinstance(node.get("class_type"), str):
            raise InvalidRequest(f"{path}.{node_id}: expected a node with class_type and inputs")
        if not isinstance(node.get("inputs", {}), dict):
            raise InvalidRequest(f"{path}.{node_id}.inputs: expected an object")
    return graph, ("prompt",) if whole else ()


def classes_of(graph: Workflow) -> dict[str, str]:
    """What each node is."""
    return {node_id: node["class_type"] for node_id, node in graph.items()}


def image_fields(request: dict[str, Any]) -> list[tuple[FieldPath, str]]:
    """What stands in the image loaders and is no file name: URLs, `s3://` and base64."""
    graph, at = workflow_of(request)
    found: list[tuple[FieldPath, str]] = []
    for node_id, node in graph.items():
        value = node.get("inputs", {}).get("image") if node["class_type"] in _LOADERS else None
        if isinstance(value, str) and _is_source(value):
            found.append(((*at, node_id, "inputs", "image"), value))
    return found


def _is_source(value: str) -> bool:
    if _SOURCE.match(value):
        return True
    return len(value) >= _LONG and _BASE64.fullmatch(value[:_LOOKED_AT]) is not None


def new_handle() -> str:
    """A prompt_id: canonical lower-case UUID, and never used again, for ComfyUI runs a used one twice."""
    return str(uuid.uuid4())


def encode_request(request: dict[str, Any], files: Mapping[FieldPath, str], handle: str, client_id: str) -> bytes:
    """The body for `POST /prompt`, with uploaded files in their places.

    Of a whole request everything else goes along (`extra_data`, `partial_execution_targets` …). Every
    `filename_prefix` gets this attempt's mark: an identical workflow would be answered from the cache, with the name of
    a file that may be gone (recorded: run_cached_output_removed).
    """
    graph, at = workflow_of(request)
    graph = deepcopy(graph)
    for path, name in files.items():
        node_id = path[len(at)]
        graph[str(node_id)]["inputs"]["image"] = name
    for node in graph.values():
        prefix = node.get("inputs", {}).get("filename_prefix")
        if isinstance(prefix, str):
            node["inputs"]["filename_prefix"] = f"{prefix}-{handle[:8]}"
    more = {name: value for name, value in request.items() if name not in _OURS} if at else {}
    return msgspec.json.encode({**more, "prompt": graph, "client_id": client_id, "prompt_id": handle})
