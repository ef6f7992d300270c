"""The page of what travels and what is kept: job message, job document, notification, webhook, from their models."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import yaml

from darkroom_contract.document import JobDocument
from darkroom_contract.job import Job, JobRef
from darkroom_contract.notification import Notification
from darkroom_contract.webhook import WebhookEvent

OPENAPI = Path(__file__).resolve().parent.parent / "api" / "openapi.yaml"

# Title, model, its JSON Schema's file, the object of the API whose descriptions hold here, too.
_KINDS: tuple[tuple[str, Any, str, str], ...] = (
    ("Job message", Job, "job-message", "JobRequest"),
    ("Job message by reference", JobRef, "job-ref", "JobRequest"),
    ("Job document", JobDocument, "job-document", "Job"),
    ("Notification", Notification, "notification", "Job"),
    ("Webhook", WebhookEvent, "webhook", "Job"),
)


def messages(generated: str) -> str:
    """The page; `generated` is the line that says how it was made."""
    said = _resolved(yaml.safe_load(OPENAPI.read_text())["components"]["schemas"])
    lines = ["# Messages and documents", "", generated, ""]
    lines += [
        "What goes over topics and queues, and what lies in the output bucket.",
        "",
        "- SNS and SQS carry the **job message** with the attributes `runtime` and `priority`, by which queues",
        "  subscribe, and `tenant`. The message's group is the tenant. Bodies wrapped by SNS and raw ones are read.",
        "- The **job document** is `jobs/<h>/<id>.json`; `<h>` is the first hex digit of SHA-256 of the id.",
        "- The results topic carries the **notification** with the attributes `runtime`, `status`, `tenant`, and",
        "  `webhook` where the job names one: subscribers filter by them.",
        "- v1alpha1 and v1alpha2, the predecessor's messages, are accepted as they are, at the API and on the topic.",
        "",
    ]
    for title, model, file, described in _KINDS:
        schema = msgspec.json.schema(model)
        kinds = schema["$defs"]
        kind = kinds[schema["$ref"].rpartition("/")[2]]
        lines += [f"## {title}", "", kind["description"], "", f"JSON Schema: [{file}]({file}.schema.json).", ""]
        lines += ["| field | type | default | meaning |", "|---|---|---|---|"]
        lines += [*_rows(kind, kinds, said[described], ""), ""]
    return "\n".join(lines).rstrip() + "\n"


def _rows(kind: Mapping[str, Any], kinds: Mapping[str, Any], said: Mapping[str, Any], prefix: str) -> Iterator[str]:
    """A row a field; those of an object inside follow it."""
    for name, field in kind.get("properties", {}).items():
        told = said.get("properties", {}).get(name, {})
        default = "**required**" if name in kind.get("required", ()) else _default(field)
        meaning = told.get("description", "").replace("|", "\\|").removesuffix(".")
        yield f"| `{prefix}{name}` | {_type(field, kinds)} | {default} | {meaning} |"
        inside = next((one for one in _choices(field) if _named(one, kinds).get("properties")), None)
        if inside:
            below = told if "properties" in told else told.get("items", {})
            yield from _rows(_named(inside, kinds), kinds, below, f"{prefix}{name}{'[]' * ('items' in field)}.")


def _resolved(said: dict[str, Any]) -> dict[str, Any]:
    """The API's objects with what they refer to in its place."""

    def follow(value: Any) -> Any:
        if isinstance(value, list):
            return [follow(one) for one in value]
        if not isinstance(value, dict):
            return value
        if isinstance(value.get("$ref"), str):
            return follow(said[value["$ref"].rpartition("/")[2]])
        return {name: follow(one) for name, one in value.items()}

    return {name: follow(one) for name, one in said.items()}


def _choices(field: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What a field may be, null left out; of an array, what it holds."""
    return [one for one in field.get("anyOf", [field.get("items", field)]) if one.get("type") != "null"]


def _named(field: Mapping[str, Any], kinds: Mapping[str, Any]) -> Mapping[str, Any]:
    named: Mapping[str, Any] = kinds[field["$ref"].rpartition("/")[2]] if "$ref" in field else field
    return named


def _type(field: Mapping[str, Any], kinds: Mapping[str, Any]) -> str:
    if "anyOf" in field:
        return " or ".join(_type(one, kinds) for one in field["anyOf"])
    if "items" in field:
        return f"array of {_type(field['items'], kinds)}"
    named = _named(field, kinds)
    if "enum" in named:
        return " \\| ".join(f"`{json.dumps(one)}`" for one in named["enum"])
    kind = str(named.get("type", "any JSON"))
    return f"{kind} ({named['format']})" if "format" in named else kind


def _default(field: Mapping[str, Any]) -> str:
    default = field.get("default")
    return f"`{json.dumps(default)}`" if default not in (None, [], {}) else "–"
