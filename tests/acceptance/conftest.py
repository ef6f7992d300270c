"""The browser of the page's tests, for the page against the real flow; and which AWS operations processes call."""

import pytest

from tests.operations import last, operations
from tests.page.conftest import browser, open_page

__all__ = ["browser", "open_page", "operations"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What was called is looked at last."""
    last(items)
