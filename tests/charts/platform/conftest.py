"""The chart with its dependencies, rendered once for each set of values."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from .chart import LEAST, Rendered, render

type Render = Callable[..., Rendered]


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
