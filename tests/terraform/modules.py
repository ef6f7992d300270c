"""Which folders under terraform/ there are, and Terraform run in them."""

import os
from pathlib import Path
from typing import NoReturn

import pytest
from scripts import terraform

ROOT = Path(__file__).parents[2] / "terraform"
MODULES = sorted(path.parent for path in ROOT.glob("modules/*/versions.tf"))
EXAMPLES = sorted(path.parent for path in ROOT.glob("examples/*/main.tf"))
FOLDERS = [ROOT, *MODULES, *EXAMPLES]


def name(folder: Path) -> str:
    """What tests call a folder: `network`, `root`, `examples/minimal`."""
    return "root" if folder == ROOT else str(folder.relative_to(ROOT)).removeprefix("modules/")


def initialised(folder: Path, *commands: tuple[str, ...]) -> tuple[int, str]:
    """Status and output of commands of Terraform in a folder, up to the first that fails.

    Raises:
        TerraformUnavailable: Terraform or its provider cannot be had here.
    """
    terraform.init(folder)
    said = ""
    for command in commands:
        done = terraform.run(folder, *command)
        said += done.stdout + done.stderr
        if done.returncode:
            return done.returncode, said
    return 0, said


def unavailable(reason: Exception) -> NoReturn:
    """Skip, as a part is not to be had here; in CI fail, for there nobody reads what was skipped."""
    (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(str(reason))
    raise AssertionError  # both leave by an exception
