"""The commands of jobs that are there: watch, save, get, list, cancel; and the runtimes that run them."""

from pathlib import Path
from typing import Annotated

import typer

from darkroom_contract.api import JobView
from darkroom_contract.job import State, now

from .client import Client
from .complete import runtime_names
from .follow import many, sift, until_ended
from .moments import moment
from .show import job_table, runtime_table, whole_job
from .terminal import AsJson, Endpoint, Id, Ids, Key, tell, with_client

_MOST_A_PAGE = 100


def watch(ids: Ids, as_json: AsJson = False, endpoint: Endpoint = None, api_key: Key = None) -> None:
    """Show jobs' progress until they have ended.

    The exit status is 1 if one did not complete.

        darkroom watch 0195b4c6-7a10-7cc3-9f0e-3b8e6a1d2f40
        darkroom list --state running --json | jq -r .id | xargs darkroom watch
    """
    with_client(lambda darkroom: until_ended(darkroom, ids, None, as_json=as_json), endpoint, api_key)


def save(
    ids: Ids,
    out: Annotated[Path, typer.Option("--out", metavar="FOLDER", help="Where to.")] = Path("out"),
    as_json: AsJson = False,
    endpoint: Endpoint = None,
    api_key: Key = None,
) -> None:
    """Save jobs' artifacts, waiting for those that have not ended.

    They become FOLDER/JOB/NAME, each checked by its SHA-256. What is there already is not fetched again; what was cut
    off goes on where it was.

        darkroom save 0195b4c6-7a10-7cc3-9f0e-3b8e6a1d2f40 --out pictures
    """
    with_client(lambda darkroom: until_ended(darkroom, ids, out, as_json=as_json), endpoint, api_key)


def get(
    job_id: Id,
    as_json: AsJson = False,
    endpoint: Endpoint = None,
    api_key: Key = None,
) -> None:
    """Show a job, with a waterfall of its stages.

    With --json it is the whole job document, the runtime's response included.

        darkroom get 0195b4c6-7a10-7cc3-9f0e-3b8e6a1d2f40
        darkroom get 0195b4c6-7a10-7cc3-9f0e-3b8e6a1d2f40 --json | jq .response
    """

    async def act(darkroom: Client) -> int:
        job = await darkroom.get(job_id)
        tell(job, whole_job(job), as_json=as_json)
        return 0

    with_client(act, endpoint, api_key)


def list_jobs(
    since: Annotated[
        str | None, typer.Option(help="A time ago (`90m`, `2h`, `7d`), or an RFC 3339 date and time. Default: 90 days.")
    ] = None,
    runtime: Annotated[
        str | None, typer.Option(help="Only jobs of this runtime.", autocompletion=runtime_names)
    ] = None,
    state: Annotated[State | None, typer.Option(help="Only jobs in this state.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 20,
    as_json: AsJson = False,
    endpoint: Endpoint = None,
    api_key: Key = None,
) -> None:
    """List jobs, the newest first.

    They are found by the time in the ids that the API makes; ids of your own are not listed.

        darkroom list --state failed --since 2h
        darkroom list --limit 1000 --json | jq -r .error.code | sort | uniq -c
    """
    at = now()
    begin = moment(since, at) if since else None

    async def act(darkroom: Client) -> int:
        jobs: list[JobView] = []
        asked = darkroom.list(since=begin, runtime=runtime, state=state, limit=min(limit, _MOST_A_PAGE))
        async for job in asked:
            jobs.append(job)
            if len(jobs) == limit:
                break
        tell(jobs, job_table(jobs, at), as_json=as_json)
        return 0

    with_client(act, endpoint, api_key)


def cancel(ids: Ids, as_json: AsJson = False, endpoint: Endpoint = None, api_key: Key = None) -> None:
    """Cancel jobs, queued or running.

    One that runs ends as soon as its agent hears of it.

        darkroom cancel 0195b4c6-7a10-7cc3-9f0e-3b8e6a1d2f40
        darkroom list --state queued --json | jq -r .id | xargs darkroom cancel
    """

    async def act(darkroom: Client) -> int:
        jobs, status = sift(await many(ids, darkroom.cancel, "cancelling"), ids)
        if jobs:
            tell(jobs, job_table(jobs, now()), as_json=as_json)
        return status

    with_client(act, endpoint, api_key)


def runtimes(as_json: AsJson = False, endpoint: Endpoint = None, api_key: Key = None) -> None:
    """Show the installed runtimes and how full their queues are."""

    async def act(darkroom: Client) -> int:
        found = await darkroom.runtimes()
        tell(found, runtime_table(found), as_json=as_json)
        return 0

    with_client(act, endpoint, api_key)
