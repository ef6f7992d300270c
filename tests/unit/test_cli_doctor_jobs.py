"""What the last jobs tell of an installation."""

import httpx
import pytest

from darkroom_cli.doctor_jobs import check_jobs, judge
from darkroom_cli.finding import Verdict
from darkroom_contract.api import JobView, Links
from darkroom_contract.document import Error, Timings
from darkroom_contract.job import State

OURS = Error(code="runtime_gone", message="m", retryable=True)
THEIRS = Error(code="runtime_refused", message="m", retryable=False)


def _jobs(number: int, state: State = State.COMPLETED, **fields: object) -> list[JobView]:
    given = {"runtime": "sdxl", "state": state, "links": Links(itself="/", page="/"), **fields}
    return [JobView(id=f"{state}-{index}", **given) for index in range(number)]  # type: ignore[arg-type]


def test_all_is_well() -> None:
    """How they ended, and where their time went; callers' own mistakes are no matter of ours."""
    quick = Timings(queued=0.4, prepare=0.02, runtime=3.0, store=0.2)
    found = judge([*_jobs(7, timings=quick), *_jobs(3, State.FAILED, error=THEIRS), *_jobs(1, State.RUNNING)])
    assert found.verdict is Verdict.FINE
    assert found.seen == "7 completed, 3 failed; typically 0.40 s queued, 3.00 s runtime, 0.20 s store"


@pytest.mark.parametrize(("failed", "verdict"), [(1, Verdict.FINE), (2, Verdict.WARNING), (5, Verdict.WRONG)])
def test_failures_of_ours_are_told_by_how_many(failed: int, verdict: Verdict) -> None:
    """With the code that is most frequent, and the newest job to look at."""
    found = judge([*_jobs(10 - failed), *_jobs(failed, State.FAILED, error=OURS)])
    assert found.verdict is verdict
    if verdict is not Verdict.FINE:
        assert "runtime_gone" in (found.why or "")
        assert "darkroom get failed-0" in (found.todo or "")


def test_waiting_longer_than_running_is_told() -> None:
    """A cold start of minutes for a job of seconds."""
    found = judge(_jobs(5, timings=Timings(queued=240, runtime=5)))
    assert (found.verdict, found.seen) == (Verdict.WARNING, "5 completed; typically 4 min queued, 5.00 s runtime")


@pytest.mark.parametrize("jobs", [[], _jobs(2, State.QUEUED)], ids=["none", "none has ended"])
def test_where_there_is_nothing_to_judge(jobs: list[JobView]) -> None:
    """It is said so."""
    assert (judge(jobs).verdict, judge(jobs).seen) == (Verdict.FINE, "none has ended yet")


@pytest.mark.parametrize("status", [200, 500])
async def test_an_api_that_does_not_list_them(status: int) -> None:
    """An answer that is none is not judged."""
    answer = httpx.MockTransport(lambda _: httpx.Response(status, content=b"<html>"))
    async with httpx.AsyncClient(base_url="http://api/", transport=answer) as http:
        assert (await check_jobs(http)).verdict is Verdict.SKIPPED
