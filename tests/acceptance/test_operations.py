"""What the jobs API called of AWS while the tests of this folder ran."""

from pathlib import Path

import pytest

from tests.operations import noted, whole, written

ROLES = {"jobs"}


def test_they_call_what_is_written_and_nothing_else(operations: Path, request: pytest.FixtureRequest) -> None:
    """Policies follow tests/operations.json: nothing that is called is missing there, no action is there without need.

    On which of its resources a role acts depends on time, too: a sweep or a cancel may not come about in a run.
    """
    called = noted(operations)
    assert called - written() == set(), "write it into tests/operations.json, and allow it to the role"
    if called and whole(request.session, Path(__file__).parent):
        needed = {call[:2] for call in written() if call[0] in ROLES}
        unused = needed - {call[:2] for call in called}
        assert unused == set(), "nothing calls it any more: take it out of tests/operations.json and of the policies"
