"""Every module's own tests, run by `terraform test` with a provider that asks nobody."""

from pathlib import Path

import pytest

from .modules import FOLDERS, ROOT, name
from .suites import Suites, passed, suites

__all__ = ["suites"]


@pytest.mark.parametrize("folder", [folder for folder in FOLDERS if folder != ROOT], ids=name)
def test_it_is_valid_and_does_what_its_tests_say(suites: Suites, folder: Path) -> None:
    """Each variable does what it says, each mistake is refused at plan, names fit, China's ARNs are China's."""
    passed(suites, folder)
