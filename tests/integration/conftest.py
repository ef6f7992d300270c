"""Notes which AWS operations the processes of these tests call."""

import pytest

from tests.operations import last, operations

__all__ = ["operations"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What was called is looked at last."""
    last(items)
