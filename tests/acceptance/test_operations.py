"""What the jobs API called of AWS while the tests of this folder ran."""

from pathlib import Path

import pytest

from tests.operations import noted, uncalled, unwritten, whole

ROLES = {"jobs"}


def test_they_call_what_is_written_and_nothing_else(operations: Path, request: pytest.FixtureRequest) -> None:
    """Policies follow tests/operations.json: nothing that is called is missing there, nothing is there without need."""
    assert unwritten(operations) == set(), "write it into tests/operations.json, and allow it to the role"
    if noted(operations) and whole(request.session, Path(__file__).parent):
        assert uncalled(operations, ROLES) == set(), "take it out of tests/operations.json and of the policies"
