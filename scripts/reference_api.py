"""The page of the HTTP API, from api/openapi.yaml."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

OPENAPI = Path(__file__).resolve().parent.parent / "api" / "openapi.yaml"
_LONGEST = 100  # characters of a line of JSON
_METHODS = ("get", "post", "put", "delete")


def api(generated: str) -> str:
    """The page; `generated` is the line that says how it was made."""
    contract = yaml.safe_load(OPENAPI.read_text())
    lines = ["# The jobs API", "", generated, "", contract["info"]["description"], ""]
    lines += [
        "[How to use it](../how-to/use-the-api.md). The same as OpenAPI 3.1: [openapi.yaml](../../api/openapi.yaml),",
        "served at `/v1/openapi.json`. Behind API Gateway every call but that one and the page's needs a tenant's key",
        "in `x-api-key`.",
        "",
    ]
    for tag in contract["tags"]:
        lines += [f"## {tag['name'].capitalize()}", "", f"{tag['description']}.", ""]
        for path, item in contract["paths"].items():
            for method in _METHODS:
                if tag["name"] in item.get(method, {}).get("tags", ()):
                    lines += _operation(f"{method.upper()} {path}", item, item[method], contract)
    lines += ["## Objects", ""]
    for name, schema in contract["components"]["schemas"].items():
        if rows := list(_fields(schema, contract)):
            described = [schema["description"], ""] if "description" in schema else []
            lines += [f"### {name}", "", *described, "| field | type | meaning |", "|---|---|---|", *rows, ""]
    return "\n".join(lines).rstrip() + "\n"


def _operation(title: str, item: Mapping[str, Any], operation: Mapping[str, Any], contract: Any) -> Iterator[str]:
    yield from (f"### {title}", "", f"{operation['summary']}.", "")
    if "description" in operation:
        yield from (operation["description"], "")
    if parameters := [*item.get("parameters", ()), *operation.get("parameters", ())]:
        yield from ("| parameter | in | type | meaning |", "|---|---|---|---|")
        for one in parameters:
            meaning = _cell(one.get("description", ""), one["schema"])
            yield f"| `{one['name']}` | {one['in']} | {_type(one['schema'], contract)} | {meaning} |"
        yield ""
    for kind, media in operation.get("requestBody", {}).get("content", {}).items():
        yield from (f"Body, `{kind}`: {_type(media['schema'], contract)}.", "")
        examples = media.get("examples", {"": {"value": media.get("example")}})
        for example in examples.values():
            if "summary" in example:
                yield from (f"{example['summary']}:", "")
            yield from _json(example["value"])
    yield from _answers(operation, contract)


def _answers(operation: Mapping[str, Any], contract: Any) -> Iterator[str]:
    yield from ("| status | body | meaning |", "|---|---|---|")
    answers = {status: _resolved(one, contract) for status, one in operation["responses"].items()}
    for status, answer in answers.items():
        bodies = {_type(media.get("schema", {}), contract) for media in answer.get("content", {}).values()}
        yield f"| {status} | {', '.join(sorted(bodies))} | {answer['description']} |"
    yield ""
    for answer in answers.values():
        for media in answer.get("content", {}).values():
            if "example" in media and media["schema"].get("$ref") != "#/components/schemas/Problem":
                yield from _json(media["example"])


def _fields(schema: Mapping[str, Any], contract: Any, prefix: str = "") -> Iterator[str]:
    """A row for each property; those of an object inside have its name before theirs."""
    for part in schema.get("allOf", ()):
        yield from _fields(_resolved(part, contract), contract, prefix)
    for name, one in schema.get("properties", {}).items():
        needed = " (required)" if name in schema.get("required", ()) else ""
        named = _resolved(one, contract)
        meaning = "" if "properties" in named else _cell(named.get("description", ""), named)
        yield f"| `{prefix}{name}`{needed} | {_type(one, contract)} | {meaning} |"
        yield from _fields(one, contract, f"{prefix}{name}.")
        yield from _fields(one.get("items", {}), contract, f"{prefix}{name}[].")


def _type(schema: Mapping[str, Any], contract: Any) -> str:
    """What a value is, in words; an object of its own is a link to it."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        named = _resolved(schema, contract)
        return f"[{name}](#{name.lower()})" if "properties" in named or "allOf" in named else _type(named, contract)
    if "enum" in schema:
        return " \\| ".join(f"`{json.dumps(one)}`" for one in schema["enum"])
    kind = schema.get("type", "any JSON")
    if kind == "array":
        return f"array of {_type(schema.get('items', {}), contract)}"
    words = " or ".join(kind) if isinstance(kind, list) else kind
    return f"{words} ({schema['format']})" if "format" in schema else words


def _cell(description: str, schema: Mapping[str, Any]) -> str:
    """The meaning, with default, bounds and pattern."""
    said = [description.replace("|", "\\|").removesuffix(".")] if description else []
    said += [f"default `{json.dumps(schema['default'])}`"] if "default" in schema else []
    for names, word in (("minimum minLength", "at least"), ("maximum maxLength", "at most")):
        for name in names.split():
            if name in schema:
                said.append(f"{word} {schema[name]}{' characters' if 'Length' in name else ''}")
    said += [f"`{schema['pattern'].replace('|', '\\|')}`"] if "pattern" in schema else []
    return "; ".join(said)


def _json(value: Any) -> list[str]:
    return ["```json", _indented(value, ""), "```", ""]


def _indented(value: Any, indent: str) -> str:
    """JSON in lines that are as long as may be."""
    line = json.dumps(value, ensure_ascii=False)
    if len(indent) + len(line) <= _LONGEST or not isinstance(value, dict | list) or not value:
        return line
    inner = indent + "  "
    if isinstance(value, list):
        return "[\n" + ",\n".join(inner + _indented(one, inner) for one in value) + f"\n{indent}]"
    entries = (f"{inner}{json.dumps(name)}: {_indented(one, inner)}" for name, one in value.items())
    return "{\n" + ",\n".join(entries) + f"\n{indent}}}"


def _resolved(value: Any, contract: Any) -> Any:
    if "$ref" not in value:
        return value
    for step in value["$ref"].removeprefix("#/").split("/"):
        contract = contract[step]
    return contract
