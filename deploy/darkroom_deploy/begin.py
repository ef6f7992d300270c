"""Begin an installation: a folder from an example, with what account and network already answer."""

import os
import re
import shutil
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from .aws import Aws
from .failures import DeployError, Refused
from .installation import ROOT, Installation

_TEMPLATE = ROOT / "deploy" / "template"
_EXAMPLES = ROOT / "terraform" / "examples"
_CHECK_IP = "https://checkip.amazonaws.com"


def begin(at: Installation, example: str, region: str | None) -> Mapping[str, str]:
    """Make the folder; the variables that were filled in.

    Raises:
        Refused: there is an installation already, or no such example.
    """
    source = _EXAMPLES / example
    if not (source / "main.tf").exists():
        known = ", ".join(sorted(path.parent.name for path in _EXAMPLES.glob("*/main.tf")))
        raise Refused(f"there is no example {example!r}; there are {known}")
    if (at.folder / "main.tf").exists():
        raise Refused(f"{at.folder} holds an installation already")
    at.folder.mkdir(parents=True, exist_ok=True)
    for path in [*sorted(source.glob("*.tf")), *sorted(_TEMPLATE.iterdir())]:
        shutil.copyfile(path, at.folder / path.name.replace("gitignore", ".gitignore"))
    main = at.folder / "main.tf"
    main.write_text(with_source(main.read_text(), at.folder))
    answers = _answers(region)
    variables = (at.folder / "variables.tf").read_text()
    (at.folder / "terraform.tfvars").write_text(variables_file(variables, answers))
    return {name: value for name, value in answers.items() if f'variable "{name}"' in variables}


def with_source(main: str, folder: Path) -> str:
    """An example's main.tf, with the root module where it is seen from another folder."""
    # Terraform takes a path for a module of this machine only if it begins with a dot.
    path = os.path.relpath(ROOT / "terraform", folder.resolve())
    return re.sub(r'source = "\.\./\.\."', f'source = "{path}"', main)


def variables_file(variables: str, answers: Mapping[str, str]) -> str:
    """A terraform.tfvars: each variable without a default, with its description, and its answer if there is one."""
    lines = []
    for name, body in re.findall(r'^variable "(\w+)" \{\n(.*?)^\}', variables, re.MULTILINE | re.DOTALL):
        if re.search(r"^\s*default\s*=", body, re.MULTILINE):
            continue
        described = re.search(r'description\s*=\s*"((?:[^"\\]|\\.)*)"', body)
        lines += [f"# {described.group(1)}" if described else "", f"{name} = {answers.get(name, '"FILL IN"')}", ""]
    return "\n".join(lines)


def _answers(region: str | None) -> dict[str, str]:
    """What can be known: HCL by variable. What cannot is left to the owner."""
    answers = {}
    try:
        aws = Aws(region)
        answers["region"] = f'"{aws.region}"'
        answers["admin_arns"] = f'["{aws.caller().arn}"]'
    except DeployError:
        pass  # the check says what is the matter
    try:
        with urllib.request.urlopen(_CHECK_IP, timeout=10) as answer:
            address = answer.read(64).decode().strip()
    except (OSError, UnicodeDecodeError):
        return answers
    if re.fullmatch(r"\d{1,3}(\.\d{1,3}){3}", address):
        answers["your_network"] = f'"{address}/32"'
    return answers
