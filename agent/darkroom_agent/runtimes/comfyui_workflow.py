"""A ComfyUI workflow in API format: where its images are, and the request that runs it. Pure."""

import re
import uuid
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import msgspec

from darkroom_agent.errors import InvalidRequest
from darkroom_agent.ports import FieldPath

# Nodes whose `image` names a file of the runtime's input folder.
_LOADERS = frozenset({"LoadImage", "LoadImageMask"})
_SOURCE = re.compile(r"^(?:https?://|s3://|data:)", re.IGNORECASE)
_BASE64 = re.compile(r"^[A-Za-z0-9+/\s]{200,}={0,2}\s*$")

type Workflow = dict[str, Any]


def workflow_of(request: dict[str, Any]) -> tuple[Workflow, FieldPath]:
    """The graph of a job's input (the bare graph, or a whole request with `prompt`), and where it stands.

    Raises:
        InvalidRequest: it is no graph in API format.
    """
    whole = isinstance(request.get("prompt"), dict) and "class_type" not in request["prompt"]
    graph, path = (request["prompt"], "$.input.prompt") if whole else (request, "$.input")
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


def image_fields(request: dict[str, Any]) -> list[tuple[FieldPath, str]]:
    """What stands in the image loaders and is no file name: URLs, `s3://` and base64."""
    graph, at = workflow_of(request)
    found: list[tuple[FieldPath, str]] = []
    for node_id, node in graph.items():
        value = node.get("inputs", {}).get("image") if node["class_type"] in _LOADERS else None
        if isinstance(value, str) and (_SOURCE.match(value) or _BASE64.match(value)):
            found.append(((*at, node_id, "inputs", "image"), value))
    return found


def new_handle() -> str:
    """A prompt_id: canonical lower-case UUID, and never used again, for ComfyUI runs a used one twice."""
    return str(uuid.uuid4())


def encode_request(request: dict[str, Any], files: Mapping[FieldPath, str], handle: str, client_id: str) -> bytes:
    """The body for `POST /prompt`, with uploaded files in their places.

    Every `filename_prefix` gets this attempt's mark: an identical workflow would be answered from the cache, with the
    name of a file that may be gone (recorded: run_cached_output_removed).
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
    body: dict[str, Any] = {"prompt": graph, "client_id": client_id, "prompt_id": handle}
    if at and isinstance(request.get("extra_data"), dict):
        body["extra_data"] = request["extra_data"]
    return msgspec.json.encode(body)
