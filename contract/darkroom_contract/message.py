"""Read a queue message: SNS envelope or raw, in Darkroom's format or one of the predecessor's.

The predecessor's formats, as its Lambdas published them and its agent read them:

* v1alpha2: `{"metadata": {id, runtime, tasktype, prefix, context}, "content": {…}}`
* v1alpha1: the runtime's request with the routing fields `task, id_task, sd_model_checkpoint, save_dir, uid,
  image_link, override_settings` inside `alwayson_scripts`
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .decode import ContractError, convert, parse, show
from .job import Job, JobRef, decode_job

LEGACY_RUNTIME = "legacy"
"""The runtime that v1alpha1 names: such messages are routed by checkpoint, so whoever receives one is meant."""

_ROUTING = ("task", "id_task", "uid", "sd_model_checkpoint", "image_link", "save_dir", "sd_vae", "override_settings")
_TASKS = {"extra-batch-image": "extra-batch-images"}  # the predecessor's agent knew it by this name

_V1ALPHA2_PATHS = {
    "$.id": "$.metadata.id",
    "$.runtime": "$.metadata.runtime",
    "$.task": "$.metadata.tasktype",
    "$.prefix": "$.metadata.prefix",
    "$.context": "$.metadata.context",
    "$.input": "$.content",
}
_V1ALPHA1_PATHS = {
    "$.id": "$.alwayson_scripts.id_task",
    "$.task": "$.alwayson_scripts.task",
    "$.prefix": "$.alwayson_scripts.save_dir",
}


def read_message(body: str | bytes) -> Job | JobRef:
    """Make a job (or the reference to one) of a message's body.

    Raises:
        ContractError: the first mistake that was found.
    """
    value = unwrap(body)
    if isinstance(value, dict) and "job_ref" in value:
        return convert(value, JobRef)
    return read_job(value)


def read_job(value: Any) -> Job:
    """Make a job of a plain value in any of the accepted formats.

    Raises:
        ContractError: the first mistake that was found.
    """
    if isinstance(value, dict) and "metadata" in value and "content" in value:
        with _naming(_V1ALPHA2_PATHS):
            return decode_job(_from_v1alpha2(value))
    if isinstance(value, dict) and "id_task" in _scripts(value):
        with _naming(_V1ALPHA1_PATHS):
            return decode_job(_from_v1alpha1(value))
    return decode_job(value)


def job_id_of(body: str | bytes) -> str | None:
    """The id of a message that could not be read otherwise, if it has a valid one."""
    try:
        value = unwrap(body)
        for part, name in ((value, "id"), (_child(value, "metadata"), "id"), (_scripts(value), "id_task")):
            if isinstance(part, dict) and name in part:
                probe = {"id": str(part[name]), "runtime": "x", "task": "pipeline", "input": {}}
                return decode_job(probe).id
    except ContractError:
        return None
    return None


@contextmanager
def _naming(paths: dict[str, str]) -> Iterator[None]:
    """Tell mistakes by the places where the sender wrote them."""
    try:
        yield
    except ContractError as error:
        raise ContractError(paths.get(error.path, error.path), error.expected, error.got) from error


def unwrap(body: str | bytes) -> Any:
    """Parse a body; of an SNS envelope, what is inside (AWS: "Parsing Amazon SNS message formats").

    Raises:
        ContractError: it is no JSON, or an envelope without a message.
    """
    value = parse(body)
    if isinstance(value, dict) and (value.get("Type") == "Notification" or "TopicArn" in value):
        inner = value.get("Message")
        if not isinstance(inner, str):
            raise ContractError("$.Message", "string", show(inner) if "Message" in value else "nothing")
        return parse(inner)
    return value


def _child(value: Any, name: str) -> dict[str, Any]:
    inner = value.get(name) if isinstance(value, dict) else None
    return inner if isinstance(inner, dict) else {}


def _scripts(value: Any) -> dict[str, Any]:
    return _child(value, "alwayson_scripts")


def _id(value: Any) -> str:
    """An id as the predecessor's clients send it: text or a number."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ContractError("$.id", "string", show(value))
    return str(value)


def _from_v1alpha2(value: dict[str, Any]) -> dict[str, Any]:
    metadata = convert(value["metadata"], dict[str, Any])
    for name in ("id", "runtime", "tasktype"):
        if name not in metadata:
            raise ContractError(f"$.metadata.{name}", "string", "nothing")
    content = value["content"]
    if not isinstance(content, dict):
        raise ContractError("$.content", "object", show(content))
    job: dict[str, Any] = {
        "id": _id(metadata["id"]),
        "runtime": metadata["runtime"],
        "task": _TASKS.get(str(metadata["tasktype"]), metadata["tasktype"]),
        "input": _without_routing(content),
        "context": metadata.get("context", {}),
    }
    if metadata.get("prefix"):
        job["prefix"] = metadata["prefix"]
    return job


def _from_v1alpha1(value: dict[str, Any]) -> dict[str, Any]:
    scripts = _scripts(value)
    if "task" not in scripts:
        raise ContractError("$.alwayson_scripts.task", "string", "nothing")
    job: dict[str, Any] = {
        "id": _id(scripts["id_task"]),
        "runtime": LEGACY_RUNTIME,
        "task": _TASKS.get(str(scripts["task"]), scripts["task"]),
        "input": _without_routing(value),
        "context": {},
    }
    if scripts.get("save_dir"):
        job["prefix"] = scripts["save_dir"]
    return job


def _without_routing(content: dict[str, Any]) -> dict[str, Any]:
    """Move what v1alpha1 hid in `alwayson_scripts` to where the runtime looks for it, and drop the rest."""
    scripts = _scripts(content)
    if not any(name in scripts for name in _ROUTING):
        return content
    # Its Lambda adds where the images will lie, which the runtime does not know.
    moved = {name: value for name, value in content.items() if name != "s3_output_path"}
    moved["alwayson_scripts"] = {name: value for name, value in scripts.items() if name not in _ROUTING}
    settings = {**_child(content, "override_settings"), **_child(scripts, "override_settings")}
    if scripts.get("sd_model_checkpoint"):
        settings["sd_model_checkpoint"] = scripts["sd_model_checkpoint"]
    if settings:
        moved["override_settings"] = settings
    if scripts.get("image_link"):
        moved["init_images"] = [scripts["image_link"]]
    return moved
