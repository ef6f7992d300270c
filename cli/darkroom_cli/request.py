"""From what stands on the command line to a request: JSON files, ComfyUI workflows with settings, named workflows."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from .failures import Refused

_PIPELINE = "pipeline"


def read_json(path: Path) -> Any:
    """A JSON file.

    Raises:
        Refused: it is not there, or no JSON.
    """
    try:
        return json.loads(path.read_text())
    except OSError as error:
        raise Refused(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise Refused(f"{path} is no JSON: {error}") from error


def read_lines(lines: Iterable[str]) -> list[Any]:
    """NDJSON: a value a line.

    Raises:
        Refused: with the number of the line that is no JSON; nothing is submitted then.
    """
    values = []
    for number, line in enumerate(lines, 1):
        try:
            values += [json.loads(line)] if line.strip() else []
        except ValueError as error:
            raise Refused(f"line {number} is no JSON: {error}") from error
    return values


def pairs(texts: Sequence[str], flag: str) -> dict[str, Any]:
    """`name=value` texts; a value that is JSON (a number, true, a list) is taken as such, else as text."""
    found: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise Refused(f"{flag} {text}: write it as name=value")
        try:
            found[name] = json.loads(value)
        except ValueError:
            found[name] = value
    return found


def request_of(value: Any, runtime: str | None) -> dict[str, Any]:
    """A file's content as a request: a whole one, or a bare ComfyUI workflow for `runtime`."""
    if not isinstance(value, dict):
        raise Refused("a request is a JSON object")
    if "input" in value or "workflow" in value:
        return {**value, **({"runtime": runtime} if runtime else {})}
    if runtime is None:
        raise Refused("this looks like a ComfyUI workflow: name its runtime with --runtime")
    return {"runtime": runtime, "task": _PIPELINE, "input": value}


def with_settings(request: dict[str, Any], settings: dict[str, Any]) -> dict[str, Any]:
    """The request with `--set`: `<node id>.<input>` of a ComfyUI workflow, else a field of `input`."""
    body = request.get("input")
    for place, value in settings.items():
        if not isinstance(body, dict):
            raise Refused(f"--set {place}: this request has no input to set it in")
        node, dot, name = place.partition(".")
        if request.get("task") != _PIPELINE:
            body[place] = value
            continue
        graph = body["prompt"] if isinstance(body.get("prompt"), dict) and "class_type" not in body["prompt"] else body
        if not dot or not isinstance(graph.get(node), dict):
            known = ", ".join(sorted(graph)[:20])
            raise Refused(f"--set {place}: write it as <node id>.<input>=value; the nodes are {known}")
        graph[node].setdefault("inputs", {})[name] = value
    return request
