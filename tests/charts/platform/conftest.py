"""The chart with its dependencies, put together once, and rendered once for each set of values."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from scripts.go_tools import ToolUnavailable

from tests.charts.conftest import unavailable

from .chart import LEAST, Rendered, assemble, render

type Render = Callable[..., Rendered]


@pytest.fixture(scope="session")
def chart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the chart, as `helm dependency build` would leave it."""
    try:
        return assemble(tmp_path_factory.mktemp("chart"))
    except ToolUnavailable as reason:
        unavailable(reason)


@pytest.fixture(scope="session")
def rendered(helm: Path, chart: Path) -> Render:
    """Render the chart with the least that an installation says, and then with these values."""
    known: dict[str, Rendered] = {}

    def of(values: Mapping[str, Any] = {}) -> Rendered:
        key = json.dumps(values, sort_keys=True)
        if key not in known:
            known[key] = render(helm, chart, LEAST, values)
        return known[key]

    return of
