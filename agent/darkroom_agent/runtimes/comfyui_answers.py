"""What ComfyUI's answers mean: refusals of `/prompt`, entries of `/history`. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from darkroom_agent.errors import Failure, OutOfMemory, RuntimeBroken, RuntimeFailed, RuntimeRefused

# Exceptions that the same workflow would raise again, by the last part of their type.
_PERMANENT = frozenset(
    {
        "UnidentifiedImageError",
        "ValueError",
        "TypeError",
        "KeyError",
        "IndexError",
        "AttributeError",
        "AssertionError",
        "ZeroDivisionError",
        "FileNotFoundError",
        "ExecutionBlocked",
    }
)
_MEMORY = frozenset({"OutOfMemoryError", "MemoryError"})
_MEMORY_WORDS = ("out of memory", "can't allocate memory")
_BROKEN_WORDS = ("cuda error", "cublas", "cudnn_status", "device-side assert")
_TRACEBACK_LINES = 5
_MESSAGE = 500  # characters


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file that a node wrote, as `/view` knows it."""

    filename: str
    subfolder: str
    type: str

    def query(self) -> dict[str, str]:
        """Parameters for `/view`."""
        return {"filename": self.filename, "subfolder": self.subfolder, "type": self.type}


def refusal(answer: Any) -> RuntimeRefused:
    """The failure of a `/prompt` that was refused, or of which outputs were dropped: with node, field and reason."""
    body = answer if isinstance(answer, dict) else {}
    error = body.get("error")
    parts = list(_node_errors(body.get("node_errors")))
    if isinstance(error, dict):
        head = str(error.get("message") or error.get("type") or "refused")
        if not parts and error.get("details"):
            parts = [str(error["details"])]
    else:
        head = str(error or "the workflow's outputs are not valid")
    message = ": ".join([head, "; ".join(parts[:5])] if parts else [head])
    return RuntimeRefused(message[:_MESSAGE], response={"error": error, "node_errors": body.get("node_errors")})


def _node_errors(errors: Any) -> Iterator[str]:
    for node_id, node in errors.items() if isinstance(errors, dict) else ():
        if not isinstance(node, dict):
            continue
        for one in node.get("errors", ()):
            details = f" ({one['details']})" if one.get("details") else ""
            yield f"node {node_id} {node.get('class_type', '')}: {one.get('message', '')}{details}"


def failure_of(entry: dict[str, Any]) -> Failure | None:
    """The failure that a history entry tells, or None where it tells success."""
    status = entry.get("status") or {}
    if status.get("status_str") == "success":
        return None
    pairs = [event for event in status.get("messages", ()) if isinstance(event, list) and len(event) == 2]
    events: dict[str, Any] = dict(pairs)
    response = response_of(entry)
    if "execution_interrupted" in events:
        return RuntimeFailed("somebody else interrupted the workflow", response=response)
    return _raised(events.get("execution_error") or {}, response)


def _raised(error: dict[str, Any], response: dict[str, Any]) -> Failure:
    kind = str(error.get("exception_type", "")).rpartition(".")[2]
    said = str(error.get("exception_message", "no reason")).strip()
    where = f"node {error.get('node_id', '?')} {error.get('node_type', '')}"
    message = f"{where}: {kind}: {said}"[:_MESSAGE]
    lower = said.lower()
    if kind in _MEMORY or any(word in lower for word in _MEMORY_WORDS):
        return OutOfMemory(message, response=response)
    if any(word in lower for word in _BROKEN_WORDS):
        return RuntimeBroken(message, response=response)
    return (RuntimeRefused if kind in _PERMANENT else RuntimeFailed)(message, response=response)


def files_of(entry: dict[str, Any], order: list[str]) -> list[RemoteFile]:
    """All files of an entry, of every kind (images, gifs, video, audio …), by node in the workflow's order.

    Previews (type `temp`) count only where nothing was saved.
    """
    outputs = entry.get("outputs") or {}
    place = {node_id: index for index, node_id in enumerate(order)}
    files: list[RemoteFile] = []
    for node_id in sorted(outputs, key=lambda node_id: place.get(node_id, len(place))):
        for items in (outputs[node_id] or {}).values():
            files += [file for item in items if (file := _file(item))] if isinstance(items, list) else []
    saved = [file for file in files if file.type == "output"]
    return list(dict.fromkeys(saved or files))


def _file(item: Any) -> RemoteFile | None:
    if not isinstance(item, dict) or not isinstance(item.get("filename"), str):
        return None
    return RemoteFile(item["filename"], str(item.get("subfolder") or ""), str(item.get("type") or "output"))


def response_of(entry: dict[str, Any]) -> dict[str, Any]:
    """An entry without its graph and without tensors: outputs and status, tracebacks cut short."""
    status = dict(entry.get("status") or {})
    status["messages"] = [_short(event) for event in status.get("messages", ())]
    return {"outputs": entry.get("outputs") or {}, "status": status}


def _short(event: Any) -> Any:
    if not (isinstance(event, list) and len(event) == 2 and isinstance(event[1], dict)):
        return event
    told = {name: value for name, value in event[1].items() if name not in ("current_inputs", "current_outputs")}
    if isinstance(told.get("traceback"), list):
        told["traceback"] = told["traceback"][-_TRACEBACK_LINES:]
    return [event[0], told]
