"""What the docs call terraform with is what it takes."""

import subprocess

import pytest
from scripts.terraform import TerraformUnavailable, program

from tests.docs_programs import KNOWN

from .modules import unavailable


@pytest.mark.parametrize("subcommand", KNOWN["terraform"])
def test_subcommands_and_flags_are_there(subcommand: str) -> None:
    """By its own help; `destroy` takes what `apply` takes, and that what `plan` takes."""
    try:
        terraform = program()
    except TerraformUnavailable as reason:
        unavailable(reason)
    helped = {"apply": ["apply", "plan"], "destroy": ["destroy", "apply", "plan"]}.get(subcommand, [subcommand])
    shown = "".join(
        subprocess.run([terraform, one, "-help"], capture_output=True, text=True, check=False).stdout for one in helped
    )
    assert f"terraform [global options] {subcommand}" in shown
    assert [flag for flag in KNOWN["terraform"][subcommand].split() if flag not in shown] == []
