"""The page of Terraform's root module: variables and outputs, read from its files as `terraform fmt` leaves them."""

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

TERRAFORM = Path(__file__).resolve().parent.parent / "terraform"

_BLOCK = re.compile(r'^(?P<kind>variable|output) "(?P<name>\w+)" \{\n(?P<body>.*?)^\}$', re.MULTILINE | re.DOTALL)
# An attribute ends where the next one, a nested block, a blank line or a comment begins.
_ATTRIBUTE = re.compile(r"^  (?P<name>\w+) += (?P<value>.*?)(?=^  \w+ *[={]|^$|^  #|\Z)", re.MULTILINE | re.DOTALL)
_HEREDOC = re.compile(r"<<-EOT\n(?P<text>.*)^ *EOT\s*\Z", re.MULTILINE | re.DOTALL)
_MODULE = re.compile(r"modules/(\w+)")
_PAGE = re.compile(r"docs/reference/(\w+\.md)")


@dataclass(frozen=True, slots=True)
class Block:
    """A variable or an output; the attributes' values are as they stand there."""

    kind: str
    name: str
    attributes: dict[str, str]

    @property
    def description(self) -> str:
        """Its description, as Markdown whose links lead from docs/reference."""
        written = self.attributes["description"]
        heredoc = _HEREDOC.search(written)
        text = inspect.cleandoc(heredoc["text"]) if heredoc else written.strip('"').replace('\\"', '"')
        return _PAGE.sub(r"[\1](\1)", _MODULE.sub(r"[modules/\1](../../terraform/modules/\1)", text))


def blocks(text: str) -> Iterator[Block]:
    """The variables and outputs of a file."""
    for found in _BLOCK.finditer(text):
        values = {one["name"]: one["value"].rstrip() for one in _ATTRIBUTE.finditer(found["body"])}
        yield Block(found["kind"], found["name"], values)


def terraform(generated: str) -> str:
    """The page; `generated` is the line that says how it was made."""
    files = sorted(TERRAFORM.glob("*.tf"), key=lambda path: path.stem)
    found = [block for file in files for block in blocks(file.read_text())]
    lines = ["# Terraform", "", generated, ""]
    lines += [
        "The variables and outputs of the root module, `terraform/`: [how to use it](../how-to/deploy-terraform.md),",
        "[examples](../../terraform/examples).",
        "",
        "## Variables",
        "",
    ]
    for block in found:
        if block.kind == "variable":
            lines += _variable(block)
    lines += ["## Outputs", "", "| output | what it is |", "|---|---|"]
    lines += [f"| `{one.name}` | {one.description.replace('|', '\\|')} |" for one in found if one.kind == "output"]
    return "\n".join(lines) + "\n"


def _variable(block: Block) -> list[str]:
    needed = "" if "default" in block.attributes else " (required)"
    code = [
        f"{name} = {_outdented(block.attributes[name])}" for name in ("type", "default") if name in block.attributes
    ]
    return [f"### {block.name}{needed}", "", block.description, "", "```hcl", *code, "```", ""]


def _outdented(value: str) -> str:
    return value.replace("\n  ", "\n")
