"""How the Terraform code is written: format, linters, and that it belongs to no region, account or partition."""

import re
import subprocess
from pathlib import Path

import pytest
from scripts import terraform
from scripts.go_tools import ToolUnavailable, program

from .modules import FOLDERS, MODULES, ROOT, name, unavailable

SOURCES = [path for folder in [ROOT, *MODULES] for path in sorted(folder.glob("*.tf"))]

# What ties a module to one place. Service names such as eks.amazonaws.com are the same in all partitions.
_TIES = {
    "a region or a zone": re.compile(r"\b(?:us|eu|ap|sa|ca|me|af|il|mx|cn)-(?:gov-)?[a-z]+-\d[a-z]?\b"),
    "a partition": re.compile(r"arn:aws(?:-cn)?:"),
    "an account": re.compile(r"\b\d{12}\b"),
}


def code_of(path: Path) -> str:
    """A source without comments, and without what it tells people: descriptions and messages give examples."""
    text = re.sub(r"<<-EOT\n.*?\n\s*EOT\n", "", path.read_text(), flags=re.DOTALL)
    told = re.compile(r"\s*(#|description |error_message )")
    return "\n".join(line for line in text.splitlines() if not told.match(line))


def test_it_is_formatted() -> None:
    """As `terraform fmt` would have it, tests and mocks included."""
    try:
        done = terraform.run(ROOT, "fmt", "-check", "-recursive", "-diff", "-no-color")
    except terraform.TerraformUnavailable as reason:
        unavailable(reason)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("folder", FOLDERS, ids=name)
def test_tflint_finds_nothing(folder: Path) -> None:
    """Every variable and output is typed, described and used."""
    try:
        tflint = program("tflint")
    except ToolUnavailable as reason:
        unavailable(reason)
    command = [str(tflint), f"--chdir={folder}", f"--config={ROOT / '.tflint.hcl'}", "--no-color"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_it_belongs_to_no_place(path: Path) -> None:
    """No region, zone, partition or account stands in a module."""
    code = code_of(path)
    assert {what: found for what, tie in _TIES.items() if (found := tie.findall(code))} == {}


@pytest.mark.parametrize("folder", MODULES, ids=name)
def test_every_exception_says_why(folder: Path) -> None:
    """A rule that is skipped has its reason beside it."""
    for path in folder.glob("*.tf"):
        for line in re.findall(r"#checkov:skip=.*", path.read_text()):
            assert re.fullmatch(r"#checkov:skip=CKV2?_AWS_\d+:\S.{15,}", line), f"{path.name}: {line}"
