"""Helm, and charts/platform with its dependencies put together once."""

import os
from pathlib import Path
from typing import NoReturn

import pytest
from scripts.go_tools import ToolUnavailable, program

from .platform.chart import assemble


def unavailable(reason: Exception) -> NoReturn:
    """Skip, as a part is not to be had here; in CI fail, for there nobody reads what was skipped."""
    (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(str(reason))
    raise AssertionError  # both leave by an exception


@pytest.fixture(scope="session")
def helm() -> Path:
    """Path of Helm."""
    try:
        return program("helm")
    except ToolUnavailable as reason:
        unavailable(reason)


@pytest.fixture(scope="session")
def chart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of charts/platform, as `helm dependency build` would leave it."""
    try:
        return assemble(tmp_path_factory.mktemp("chart"))
    except ToolUnavailable as reason:
        unavailable(reason)
