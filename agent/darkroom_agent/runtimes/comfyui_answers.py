"""What ComfyUI's answers mean: those of `/prompt`, `/queue`, `/history` and `/upload/image`. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any

from darkroom_agent.errors import (
    Failure,
    OutOfMemory,
    RuntimeBroken,
    RuntimeBusy,
    RuntimeFailed,
    RuntimeGone,
    RuntimeRefused,
)

from .http import Reply

_RAISED: tuple[tuple[re.Pattern[str], type[Failure]], ...] = (
    (re.compile(r"^(OutOfMemoryError|MemoryError): |out of memory|can't allocate memory", re.IGNORECASE), OutOfMemory),
    (re.compile(r"CUDA error|CUBLAS|CUDNN_STATUS|device-side assert", re.IGNORECASE), RuntimeBroken),
    # What the same workflow would raise again.
    (re.compile(r"^(UnidentifiedImageError|ExecutionBlocked): "), RuntimeRefused),
    (re.compile(r"^(Value|Type|Key|Index|Attribute|Assertion|ZeroDivision|FileNotFound)Error: "), RuntimeRefused),
    (re.compile(r""), RuntimeFailed),
)
"""What a node raised, as `Class: message`, and what that means: the first row that fits."""
_ANSWERED: dict[int, type[Failure]] = {
    400: RuntimeRefused,
    413: RuntimeRefused,
    429: RuntimeBusy,
    502: RuntimeGone,
    503: RuntimeBusy,
    504: RuntimeGone,
}
"""What a status means. 500 is none of the request's: malformed ones, which get it too, are never sent."""
_TRACEBACK_LINES = 5
_MESSAGE = 500  # characters
_NODES_TOLD = 5


class Place(Enum):
    """Where a job is in the runtime's queue."""

    RUNNING = "queue_running"
    PENDING = "queue_pending"
    NOWHERE = ""


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file that a node wrote, as `/view` knows it."""

    filename: str
    subfolder: str
    type: str

    def query(self) -> dict[str, str]:
        """Parameters for `/view`."""
        return {"filename": self.filename, "subfolder": self.subfolder, "type": self.type}


def failure_of_reply(reply: Reply, what: str) -> Failure:
    """The failure that an answer other than 200 means; `what` was asked."""
    kind = _ANSWERED.get(reply.status, RuntimeFailed)
    return kind(f"the runtime answered {reply.status} to {what}: {reply.text()}"[:_MESSAGE])


def place_of(queue: Any, prompt_id: str) -> Place:
    """Where a job stands in an answer of `/queue`: lists of `[number, prompt_id, graph, …]`."""
    parts = queue if isinstance(queue, dict) else {}
    for place in (Place.RUNNING, Place.PENDING):
        items = parts.get(place.value)
        for item in items if isinstance(items, list) else ():
            if isinstance(item, list) and len(item) > 1 and item[1] == prompt_id:
                return place
    return Place.NOWHERE


def entry_of(history: Any, prompt_id: str) -> dict[str, Any] | None:
    """A job's entry in an answer of `/history/{prompt_id}`: None until it has ended (recorded: `{}`)."""
    entry = history.get(prompt_id) if isinstance(history, dict) else None
    return entry if isinstance(entry, dict) else None


def uploaded_name(answer: Any) -> str:
    """The name under which a loader finds an upload, with its subfolder: the server may have chosen another.

    Raises:
        RuntimeFailed: the answer names none.
    """
    name = answer.get("name") if isinstance(answer, dict) else None
    if not isinstance(name, str) or not name:
        raise RuntimeFailed("the runtime took an upload and did not name it")
    subfolder = answer.get("subfolder")
    return f"{subfolder}/{name}" if subfolder else name


def refusal(answer: Any) -> RuntimeRefused:
    """The failure of a `/prompt` that was refused, or of which outputs were dropped: with node, field and reason."""
    body = answer if isinstance(answer, dict) else {}
    error, node_errors = body.get("error"), body.get("node_errors")
    parts = list(_node_errors(node_errors))
    if isinstance(error, dict):
        head = str(error.get("message") or error.get("type") or "refused")
        if not parts and error.get("details"):
            parts = [str(error["details"])]
    else:
        head = str(error or "the workflow's outputs are not valid")
    if len(parts) > _NODES_TOLD:
        parts = [*parts[:_NODES_TOLD], f"and {len(parts) - _NODES_TOLD} more"]
    message = ": ".join([head, "; ".join(parts)] if parts else [head])
    return RuntimeRefused(message[:_MESSAGE], response={"error": error, "node_errors": _brief(node_errors)})


def _node_errors(errors: Any) -> Iterator[str]:
    for node_id, node in errors.items() if isinstance(errors, dict) else ():
        for one in _errors_of(node):
            details = f" ({one['details']})" if one.get("details") else ""
            yield f"node {node_id} {node.get('class_type', '')}: {one.get('message', '')}{details}"


def _errors_of(node: Any) -> list[dict[str, Any]]:
    errors = node.get("errors") if isinstance(node, dict) else None
    return [one for one in errors if isinstance(one, dict)] if isinstance(errors, list) else []


def _brief(errors: Any) -> dict[str, Any]:
    """Node errors without `extra_info`: it has tracebacks, and every model's name where one was not in the list."""
    return {
        node_id: {
            "class_type": node.get("class_type"),
            "errors": [{name: one.get(name) for name in ("type", "message", "details")} for one in _errors_of(node)],
        }
        for node_id, node in (errors.items() if isinstance(errors, dict) else ())
        if isinstance(node, dict)
    }


def failure_of(entry: dict[str, Any]) -> Failure | None:
    """The failure that a history entry tells, or None where it tells success."""
    status = _status_of(entry)
    if status.get("status_str") == "success":
        return None
    events = dict(event for event in _messages_of(status) if _is_event(event))
    response = response_of(entry)
    if "execution_interrupted" in events:
        return RuntimeFailed("somebody else interrupted the workflow", response=response)
    error = events.get("execution_error") or {}
    raised = said(error)
    kind = next(kind for pattern, kind in _RAISED if pattern.search(raised))
    return kind(f"{where(error)}: {raised}"[:_MESSAGE], response=response)


def where(error: dict[str, Any]) -> str:
    """The node that an `execution_error` names."""
    return f"node {error.get('node_id', '?')} {error.get('node_type', '')}".rstrip()


def said(error: dict[str, Any]) -> str:
    """What an `execution_error` says, as `Class: message`."""
    kind = str(error.get("exception_type") or "error").rpartition(".")[2]
    return f"{kind}: {str(error.get('exception_message') or 'no reason').strip()}"


def files_of(entry: dict[str, Any], order: list[str]) -> list[RemoteFile]:
    """All files of an entry, of every kind (images, gifs, video, audio …), by node in the workflow's order.

    Previews (type `temp`) count only where nothing was saved; what a node merely shows of the input folder never does.
    """
    outputs = _outputs_of(entry)
    place = {node_id: index for index, node_id in enumerate(order)}
    files: list[RemoteFile] = []
    for node_id in sorted(outputs, key=lambda node_id: place.get(node_id, len(place))):
        kinds = outputs[node_id]
        for items in kinds.values() if isinstance(kinds, dict) else ():
            files += [file for item in items if (file := _file(item))] if isinstance(items, list) else []
    wanted = "output" if any(file.type == "output" for file in files) else "temp"
    return list(dict.fromkeys(file for file in files if file.type == wanted))


def _file(item: Any) -> RemoteFile | None:
    if not isinstance(item, dict) or not isinstance(item.get("filename"), str):
        return None
    return RemoteFile(item["filename"], str(item.get("subfolder") or ""), str(item.get("type") or "output"))


def response_of(entry: dict[str, Any]) -> dict[str, Any]:
    """An entry without its graph and without tensors: outputs and status, tracebacks cut short."""
    status = _status_of(entry)
    return {
        "outputs": _outputs_of(entry),
        "status": {**status, "messages": [_short(event) for event in _messages_of(status)]},
    }


def _outputs_of(entry: dict[str, Any]) -> dict[str, Any]:
    outputs = entry.get("outputs")
    return outputs if isinstance(outputs, dict) else {}


def _status_of(entry: dict[str, Any]) -> dict[str, Any]:
    status = entry.get("status")
    return status if isinstance(status, dict) else {}


def _messages_of(status: dict[str, Any]) -> list[Any]:
    messages = status.get("messages")
    return messages if isinstance(messages, list) else []


def _is_event(event: Any) -> bool:
    """Whether it is `[kind, data]`."""
    return isinstance(event, list) and len(event) == 2 and isinstance(event[0], str) and isinstance(event[1], dict)


def _short(event: Any) -> Any:
    if not _is_event(event):
        return event
    told = {name: value for name, value in event[1].items() if name not in ("current_inputs", "current_outputs")}
    if isinstance(told.get("traceback"), list):
        told["traceback"] = told["traceback"][-_TRACEBACK_LINES:]
    return [event[0], told]
