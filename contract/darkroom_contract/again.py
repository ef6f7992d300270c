"""Ids of jobs that are sent again: a final document never changes, so each further try has an id of its own. Pure."""

import re

_AGAIN = re.compile(r"(?P<first>.+)\.r(?P<times>[1-9]\d{0,5})", re.ASCII)


def next_id(job_id: str) -> str:
    """The id of a job's next try: `a` → `a.r1` → `a.r2`. One id has one successor, so sending may be repeated."""
    again = _AGAIN.fullmatch(job_id)
    return f"{again['first']}.r{int(again['times']) + 1}" if again else f"{job_id}.r1"


def original_id(job_id: str) -> str:
    """The id of the first try."""
    again = _AGAIN.fullmatch(job_id)
    return again["first"] if again else job_id
