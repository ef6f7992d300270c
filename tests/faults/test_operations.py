"""What the agents called of AWS while faults were tried."""

from pathlib import Path

from tests.operations import noted, written


def test_trouble_makes_nobody_call_what_is_not_written(operations: Path) -> None:
    """Every call of theirs is in tests/operations.json, to which policies are held."""
    assert noted(operations) - written() == set()
