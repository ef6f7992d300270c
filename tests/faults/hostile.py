"""Values from outside that are nearly right, and those that are not at all.

Arbitrary values find little in parsers that look for certain keys first: `broken` starts from a recorded value and
breaks it in one to three places.
"""

import json
from typing import Any

from hypothesis import strategies as st

from tests.contract.recordings import FOLDER, exchanges, recording

NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from([0, -1, 10**300, 1e-308])
SCALARS = st.none() | st.booleans() | NUMBERS | st.text(max_size=20)
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
)
OBJECTS = st.dictionaries(st.text(max_size=8), JSON, max_size=5)


def _places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths to everything inside a value."""
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path for key, inner in steps for path in ((*at, key), *_places(inner, (*at, key)))]


@st.composite
def broken(draw: st.DrawFn, values: list[Any]) -> Any:
    """One of these, of which up to three parts are missing or something else."""
    value = json.loads(json.dumps(draw(st.sampled_from(values))))
    for _ in range(draw(st.integers(1, 3))):
        if not (places := _places(value)):
            return draw(JSON)
        *path, last = draw(st.sampled_from(places))
        inner = value
        for step in path:
            inner = inner[step]
        if draw(st.booleans()):
            del inner[last]
        else:
            inner[last] = draw(JSON)
    return value


def _bodies(runtime: str) -> list[Any]:
    found = [recording(runtime, name).get("body") for name in exchanges(runtime)]
    return [body for body in found if isinstance(body, dict | list) and len(str(body)) < 20_000]


def _runs() -> list[Any]:
    return [recording("comfyui", file.stem) for file in sorted((FOLDER / "comfyui").glob("run_*.json"))]


def _events(run: Any) -> list[Any]:
    return [{**event, "data": {**event["data"], "prompt_id": "a"}} for event in run["ws_events"] if "type" in event]


WEBUI = _bodies("a1111") + _bodies("sdcpp")
COMFY = _bodies("comfyui")
RUNS = [run for run in _runs() if isinstance(run, dict) and "history" in run]
ENTRIES = [entry for run in RUNS for entry in run["history"]["body"].values()]
EVENTS = [event for run in RUNS for event in _events(run)]
GRAPHS = [run["prompt_response"]["request"]["json"] for run in RUNS]
