"""A release, built once, with stand-ins for what the platform chart depends on."""

import os
from pathlib import Path
from typing import NoReturn

import pytest
from scripts.go_tools import ToolUnavailable, program
from scripts.release import build

from darkroom_local.emulator_environment import EmulatorUnavailable
from tests.charts.platform.chart import assemble


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
def platform(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The platform chart with its dependencies."""
    try:
        return assemble(tmp_path_factory.mktemp("platform"))
    except ToolUnavailable as reason:
        unavailable(reason)


@pytest.fixture(scope="session")
def release(tmp_path_factory: pytest.TempPathFactory, platform: Path) -> Path:
    """The folder of a release."""
    out = tmp_path_factory.mktemp("release") / "darkroom"
    try:
        build(out, platform)
    except EmulatorUnavailable as reason:
        unavailable(reason)
    return out
