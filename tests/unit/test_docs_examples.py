"""What the docs show to be copied is valid: values of charts, Terraform's variables, requests and other JSON."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from scripts.reference_terraform import TERRAFORM
from scripts.reference_terraform import blocks as terraform_blocks

from darkroom_contract.decode import convert
from darkroom_contract.notification import Notification
from darkroom_contract.workflow import Workflow
from tests.docs_commands import PAGES, ROOT, blocks

CONTRACT = yaml.safe_load((ROOT / "api/openapi.yaml").read_text())
CHARTS = [json.loads((ROOT / f"charts/{name}/values.schema.json").read_text()) for name in ("runtime", "platform")]
# Those of the reference are made from the code, and held to it elsewhere.
WRITTEN = [(page, language, text) for language in ("yaml", "hcl", "json") for page, text in blocks(language)]
EXAMPLES = [(page, language, text) for page, language, text in WRITTEN if not page.startswith("docs/reference/")]


def of(language: str) -> list[Any]:
    return [pytest.param(text, id=f"{page}: {text[:40]!r}") for page, one, text in EXAMPLES if one == language]


@pytest.mark.parametrize("text", of("yaml"))
def test_values_are_what_a_chart_takes(text: str) -> None:
    """Of charts/runtime or charts/platform, by its schema; an object of Kubernetes names its kind."""
    value = yaml.safe_load(text)
    if "kind" in value:
        return
    # What must be there may be Terraform's to give.
    faults = [
        [error.message for error in Draft202012Validator(schema).iter_errors(value) if error.validator != "required"]
        for schema in CHARTS
    ]
    assert [] in faults, faults


@pytest.mark.parametrize("text", of("hcl"))
def test_variables_are_terraforms(text: str) -> None:
    """Each name at the top is a variable of the root module, and each below it one of its type's, or a key of a map."""
    types = _types()
    for found in re.finditer(r"^(\w+) *= *(.*?)(?=^\w+ *=|\Z)", text, re.MULTILINE | re.DOTALL):
        name, inside = found.groups()
        assert name in types
        scalars = re.findall(r"\b(\w+) *= *+(?!\{)", re.sub(r'"[^"]*"|#.*', '""', inside))
        assert [one for one in scalars if not re.search(rf"\b{one}\b", types[name])] == [], name


def test_settings_in_the_text_exist() -> None:
    """A path that begins as a value of a chart or a variable of Terraform is one of theirs."""
    values = [yaml.safe_load((ROOT / f"charts/{name}/values.yaml").read_text()) for name in ("runtime", "platform")]
    types = _types()
    of_a_job = {
        f"queue.{name}" for name in CONTRACT["components"]["schemas"]["Job"]["properties"]["queue"]["properties"]
    }
    logged = "\n".join(path.read_text() for path in (ROOT / "agent/darkroom_agent").glob("*.py"))
    wrong = []
    for page in sorted(page for page in PAGES if page.parent.name != "reference"):
        for path in re.findall(r"`((?:\w+\.)+\w+)[:=` ]", page.read_text()):
            first, *rest = path.split(".")
            known = first in types or any(first in one for one in values)
            if f'"{path}"' in logged:
                continue
            if not known or path in of_a_job or rest[-1] in {"json", "py", "txt"}:
                continue
            in_values = any(_has(one, path.split(".")) for one in values)
            in_types = all(re.search(rf"\b{one}\b", types.get(first, "")) for one in rest)
            if not in_values and not in_types:
                wrong.append(f"{page.relative_to(ROOT)}: {path}")
    assert not wrong, "\n".join(wrong)


def _has(value: Any, path: list[str]) -> bool:
    """Whether there is such a value; what is an empty table or list may hold anything."""
    for name in path:
        if value in ({}, [], ""):
            return True
        if not isinstance(value, dict) or name not in value:
            return False
        value = value[name]
    return True


def _types() -> dict[str, str]:
    """Variable of Terraform's root module → its type as it stands there."""
    return {
        block.name: block.attributes["type"]
        for path in TERRAFORM.glob("*.tf")
        for block in terraform_blocks(path.read_text())
        if block.kind == "variable"
    }


@pytest.mark.parametrize("text", of("json"))
def test_json_is_what_it_seems(text: str) -> None:
    """A request that the API takes, a named workflow, a notification or a problem document."""
    value = json.loads(text)
    if "parameters" in value:
        convert(value, Workflow)
        return
    if "output_url" in value:
        convert(value, Notification)
        return
    kind = "Problem" if "title" in value else "JobRequest"
    schema = {"$ref": f"#/components/schemas/{kind}", "components": CONTRACT["components"]}
    assert [error.message for error in Draft202012Validator(schema).iter_errors(value)] == []


def test_languages_are_named() -> None:
    """A block without one is shown without colours, and held to nothing."""
    unnamed = [str(page.relative_to(ROOT)) for page in PAGES if any(mark == "```" for mark in _openings(page))]
    assert unnamed == []


def _openings(page: Path) -> list[str]:
    return [line.strip() for line in page.read_text().splitlines() if line.lstrip().startswith("```")][::2]


def test_the_table_of_prices_is_the_charts() -> None:
    """An hour of each family's smallest size, and what follows for 1,000 images of 3 s at 80 %."""
    prices = yaml.safe_load((ROOT / "charts/runtime/values.yaml").read_text())["cost"]["prices"]["us-east-1"]
    page = (ROOT / "docs/how-to/gpus-and-price.md").read_text()
    rows = re.findall(r"^\| (\w+) \| [^|]+ \| [^|]+ \| \$([\d.]+) \| \$([\d.]+) \|$", page, re.MULTILINE)
    assert rows
    for family, hour, images in rows:
        price = prices[f"{family}.xlarge"]["on-demand"]
        assert f"{price:.3f}" == hour
        assert f"{price * 3 / 3.6 / 0.8:.2f}" == images
