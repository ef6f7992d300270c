"""What each value of charts/runtime does: one entry a value in runtime_values/, and none left out."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from scripts.reference_charts import described

from .runtime_chart import CHART, Refused, Values, look, render, render_all, valued

TABLES = sorted((Path(__file__).parent / "runtime_values").glob("*.yaml"))
CASES: list[dict[str, Any]] = [case for table in TABLES for case in yaml.safe_load(table.read_text())]
DEFAULTS: Values = yaml.safe_load((CHART / "values.yaml").read_text())

# Maps and lists whose content is the user's, or Kubernetes': a value as a whole.
WHOLE = {"scaling.behavior", "pod.strategy", "runtime.resources", "agent.resources", "cost.prices"}


def values(case: Mapping[str, Any]) -> Values:
    """A case's values."""
    return valued({**case.get("given", {}), **case["set"]})


def title(case: Mapping[str, Any]) -> str:
    """What a case says."""
    return f"{'+'.join(case['set'])} should {case['should']}"


@pytest.fixture(scope="module", autouse=True)
def _rendered(request: pytest.FixtureRequest) -> None:
    """Render at once what is asked for."""
    chosen = [item for item in request.session.items if isinstance(item, pytest.Function)]
    cases: list[Any] = [item.callspec.params["case"] for item in chosen if item.originalname == "test_each_value"]
    render_all(values(case) for case in cases)


@pytest.mark.parametrize("case", CASES, ids=title)
def test_each_value(case: dict[str, Any]) -> None:
    """It does what its entry says; without it something else is there."""
    made = render(values(case))
    assert {path: look(made, path) for path in case["see"]} == case["see"]
    with suppress(Refused):  # it must be given
        before = render(values({**case, "set": {}}))
        assert {path: look(before, path) for path in case["see"]} != case["see"]


def leaves(there: Values, path: str = "") -> Iterator[str]:
    """Paths of all values."""
    for name, value in there.items():
        here = f"{path}.{name}".lstrip(".")
        if isinstance(value, Mapping) and value and here not in WHOLE:
            yield from leaves(value, here)
        else:
            yield here


def test_no_value_is_without_an_entry() -> None:
    """A value that does nothing, or whose effect nobody looks at, is a promise that nobody keeps."""
    tried = {path for case in CASES for path in case["set"]}
    elsewhere = {"runtime.files"}  # test_runtime_pod.py
    assert {path for path in leaves(DEFAULTS) if path not in tried | elsewhere} == set()


def test_no_value_is_without_a_word() -> None:
    """Each has a `# --` comment, itself or where it stands as a whole; README.md shows them."""
    told = {".".join(path) for path, _ in described((CHART / "values.yaml").read_text())}
    assert [path for path in leaves(DEFAULTS) if path not in told] == []
