"""The pages of the API and of messages leave nothing of the contract out."""

import msgspec
import pytest
import yaml
from scripts.reference_api import OPENAPI, api
from scripts.reference_messages import messages

from darkroom_contract.document import JobDocument
from darkroom_contract.job import Job, JobRef
from darkroom_contract.notification import Notification
from darkroom_contract.webhook import WebhookEvent

CONTRACT = yaml.safe_load(OPENAPI.read_text())


def test_every_operation_has_its_place() -> None:
    """Once each, with every status that it answers."""
    page = api("made")
    for path, item in CONTRACT["paths"].items():
        for method in item.keys() - {"parameters"}:
            heading = f"### {method.upper()} {path}\n"
            assert page.count(heading) == 1
            part = page.partition(heading)[2].partition("\n### ")[0]
            assert [status for status in item[method]["responses"] if f"| {status} |" not in part] == []


def test_every_field_has_its_row() -> None:
    """Of every object, those of objects inside included; what is needed is marked."""
    page = api("made")
    for name, schema in CONTRACT["components"]["schemas"].items():
        part = page.partition(f"### {name}\n")[2].partition("\n### ")[0]
        for field in schema.get("properties", {}):
            assert f"| `{field}`{' (required)' if field in schema.get('required', ()) else ''} |" in part
    assert "| `output.format` |" in page
    assert "| `runtimes[].name` (required) |" in page


def test_bars_end_no_cell() -> None:
    """Choices and patterns have them."""
    rows = [line for line in api("made").splitlines() if line.startswith("| `status")]
    assert all("\\|" in row or row.count("|") == 4 for row in rows)
    assert '`"png"` \\| `"jpeg"`' in api("made")


@pytest.mark.parametrize(
    ("title", "model"),
    [
        ("Job message", Job),
        ("Job message by reference", JobRef),
        ("Job document", JobDocument),
        ("Notification", Notification),
        ("Webhook", WebhookEvent),
    ],
)
def test_every_field_of_a_message_has_its_row(title: str, model: type[msgspec.Struct]) -> None:
    """Its default is the model's; those of what lies inside follow."""
    part = messages("made").partition(f"## {title}\n")[2].partition("\n## ")[0]
    for field in msgspec.structs.fields(model):
        (row,) = [line for line in part.splitlines() if line.startswith(f"| `{field.encode_name}` |")]
        assert ("**required**" in row) is field.required
    if title in {"Job document", "Notification"}:
        assert "| `artifacts[].sha256` | string | **required** | SHA-256" in part
