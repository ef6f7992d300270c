"""Wrong and contradictory values of charts/runtime: refused, with the path and the fix."""

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from .runtime_chart import CHART, Refused, render, run_helm, valued

TABLE = yaml.safe_load((Path(__file__).parent / "runtime_refusals.yaml").read_text())


@pytest.mark.parametrize("rule", TABLE["rules"], ids=lambda rule: ",".join(f"{k}={v}" for k, v in rule["set"].items()))
def test_contradictions_are_refused_with_their_fix(rule: Mapping[str, Any]) -> None:
    """Each names the value's path, and what to write."""
    with pytest.raises(Refused, match=f"  - {rule['says']}"):
        render(valued(rule["set"]))


@functools.cache
def shapes() -> tuple[dict[str, Any], ...]:
    """The shapes in as few sets as can be, none below another: Helm tells all that the schema refuses in a set."""
    sets: list[dict[str, Any]] = []
    for shape in TABLE["shapes"]:
        ((path, value),) = shape.items()
        for one in sets:
            if not any(f"{path}.".startswith(f"{other}.") or f"{other}.".startswith(f"{path}.") for other in one):
                one[path] = value
                break
        else:
            sets.append({path: value})
    return tuple(sets)


@functools.cache
def complaint(number: int) -> str:
    """What Helm says to a set of wrong shapes."""
    with pytest.raises(Refused, match="values don't meet the specifications of the schema") as refused:
        render(valued(shapes()[number]))
    return str(refused.value)


@pytest.mark.parametrize("shape", TABLE["shapes"], ids=lambda shape: ",".join(f"{k}={v}" for k, v in shape.items()))
def test_wrong_shapes_are_refused_where_they_stand(shape: Mapping[str, Any]) -> None:
    """By the schema, which names the place; of an unknown name, the place where it is not known."""
    ((path, value),) = shape.items()
    number = next(at for at, one in enumerate(shapes()) if path in one and one[path] == value)
    above, _, name = path.rpartition(".")
    here, folder = (f"/{part.replace('.', '/')}" if part else "" for part in (path, above))
    places = (f"at '{here}'", f"at '{here}/", f"at '{folder}': additional properties '{name}'")
    assert any(place in complaint(number) for place in places), complaint(number)


def test_all_mistakes_are_told_at_once() -> None:
    """Whoever installs by hand mends them in one go."""
    status, said = run_helm("template", "sdxl", str(CHART), values={})
    assert status != 0
    assert said.count("\n  - ") == 8
