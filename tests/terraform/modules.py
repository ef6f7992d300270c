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


def outcome(folder: Path, provider: dict[str, str]) -> tuple[int, str]:
    """Status and output of `terraform test` in a folder, which also validates it.

    Raises:
        TerraformUnavailable: Terraform or a module cannot be had here.
    """
    terraform.init(folder, provider)
    done = terraform.run(folder, "test", "-no-color", environ=provider)
    return done.returncode, done.stdout + done.stderr


def unavailable(reason: Exception) -> NoReturn:
    """Skip, as a part is not to be had here; in CI fail, for there nobody reads what was skipped."""
    (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(str(reason))
    raise AssertionError  # both leave by an exception
