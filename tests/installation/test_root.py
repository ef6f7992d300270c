"""The root module's own tests: each input, each refusal, what the charts get."""

from pathlib import Path

import pytest

from tests.terraform.modules import ROOT, name
from tests.terraform.suites import Suites, passed, suites

__all__ = ["suites"]


@pytest.mark.parametrize("folder", [ROOT], ids=name)
def test_it_is_valid_and_does_what_its_tests_say(suites: Suites, folder: Path) -> None:
    """All of terraform/tests."""
    passed(suites, folder)
