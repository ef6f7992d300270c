"""The recordings, and how an answer is compared with one."""

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "recorded"


def recordings(runtime: str) -> list[str]:
    """Names of all recordings."""
    return sorted(file.stem for file in (FOLDER / runtime).glob("*.json"))


def recording(runtime: str, name: str) -> Any:
    """One recording as it lies there."""
    return json.loads((FOLDER / runtime / f"{name}.json").read_text())


def exchanges(runtime: str) -> list[str]:
    """Names of all recordings that are one request and its answer."""
    loaded = {name: recording(runtime, name) for name in recordings(runtime)}
    return [name for name, told in loaded.items() if isinstance(told, dict) and "status" in told]


def differences(recorded: Any, got: Any, path: str = "$") -> list[str]:
    """Where the shape of an answer (keys and types, all the way down) is not the recorded one's."""
    if recorded is None or got is None:
        return []  # what may be null was seen in one of its forms
    if isinstance(recorded, dict) and isinstance(got, dict):
        odd = [
            f"{path}: {'missing' if key in recorded else 'unknown'} key {key}" for key in recorded.keys() ^ got.keys()
        ]
        both = recorded.keys() & got.keys()
        return odd + [d for key in sorted(both) for d in differences(recorded[key], got[key], f"{path}.{key}")]
    if isinstance(recorded, list) and isinstance(got, list):
        return differences(recorded[0], got[0], f"{path}[0]") if recorded and got else []
    kinds = (_kind(recorded), _kind(got))
    return [] if kinds[0] == kinds[1] else [f"{path}: recorded {kinds[0]}, got {kinds[1]}"]


def _kind(value: Any) -> str:
    return "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__
