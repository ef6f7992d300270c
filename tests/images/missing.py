"""What a test does where a part cannot be had: it skips; with CI=true it fails, for nobody reads there what skips."""

import os
from typing import NoReturn

import pytest


def missing(reason: str) -> NoReturn:
    """Skip or fail, with the reason."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
