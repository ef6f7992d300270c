"""What the last jobs tell of an installation: how they ended, and where their time went."""

from collections import Counter
from collections.abc import Sequence
from statistics import median

import httpx
import msgspec

from darkroom_contract.api import JobList, JobView

from .finding import Finding, fine, skipped, warning, wrong
from .texts import duration
from .waterfall import stages_of

_NUMBER = 50
_NAME = "recent jobs"
_LONG_SECONDS = 60.0


async def check_jobs(http: httpx.AsyncClient) -> Finding:
    """Look at the last jobs; `http` has the API's address and its key."""
    try:
        answer = await http.get("v1/jobs", params={"limit": _NUMBER})
        jobs = msgspec.json.decode(answer.content, type=JobList).jobs
    except (httpx.HTTPError, msgspec.DecodeError, UnicodeError):
        return skipped(_NAME, "the API did not list them", "the jobs Lambda's log in CloudWatch says why")
    return judge(jobs)


def judge(jobs: Sequence[JobView]) -> Finding:
    """The newest first. A failure that callers caused is theirs; of ours, a tenth is a warning and a half is wrong."""
    ended = [job for job in jobs if job.state.final]
    if not ended:
        return fine(_NAME, "none has ended yet")
    seen = ", ".join(f"{number} {state}" for state, number in Counter(job.state.value for job in ended).most_common())
    ours = [job for job in ended if job.error is not None and job.error.retryable]
    if len(ours) > len(ended) / 10:
        code, number = Counter(job.error.code for job in ours if job.error).most_common(1)[0]
        newest = next(job.id for job in ours if job.error and job.error.code == code)
        why = f"{len(ours)} could have been done, {number} of them ended as {code}"
        todo = f"`darkroom get {newest}` says what happened and names its trace; docs: When things go wrong"
        return (wrong if len(ours) >= len(ended) / 2 else warning)(_NAME, seen, why, todo)
    typical = _typical(ended)
    if not typical:
        return fine(_NAME, seen)
    seen += "; typically " + ", ".join(f"{duration(seconds)} {name}" for name, seconds in typical.items())
    waited = typical.get("queued", 0.0)
    if waited > max(_LONG_SECONDS, typical.get("runtime", 0.0)):
        why = "they wait longer than they run: for a node's start, or for pods that are busy"
        return warning(_NAME, seen, why, "docs: Cut the cold start; or raise scaling.maxReplicas of the release")
    return fine(_NAME, seen)


def _typical(jobs: Sequence[JobView]) -> dict[str, float]:
    """The median of each stage that takes the tenth of a second at least."""
    stages = [found for job in jobs if (found := stages_of(job))]
    names = dict.fromkeys(name for one in stages for name in one)
    medians = {name: median(one.get(name, 0.0) for one in stages) for name in names}
    return {name: seconds for name, seconds in medians.items() if seconds >= 0.1}
