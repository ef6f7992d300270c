"""Jobs by time, the newest first, out of keys that S3 lists the oldest first.

Ids made by the API are UUIDv7: their first hex digits are the time. Where everything since the moment asked for fits
one page of each of the sixteen ranges, that is all there is to it. Else a prefix of a key is a window of time, and the
windows are walked backwards, short ones first. Jobs whose ids the caller made have no place in time, and are left out.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from datetime import datetime, timedelta

from .ids import first_id, hex_of, time_of

DEFAULT_SPAN = timedelta(days=90)
"""How far back a list goes that names no `since`."""
_RANGES = "0123456789abcdef"
_THIS_AGE = "0"  # the first digit of every UUIDv7 until the year 2527
# Hex digits of a window's prefix, of the twelve that a millisecond has: 7 are 17 minutes, 6 4.7 hours, 5 three days.
_DIGITS = (7, 6, 5)

type ListPage = Callable[[str, str], tuple[list[str], bool]]
"""Prefix, and the key after which to start, to a page of keys; and whether there are more."""


def newest_ids(list_page: ListPage, pool: Executor, before: str | None, since: datetime, at: datetime) -> Iterator[str]:
    """Ids of jobs, the newest first: older than the id `before`, if there is one, and not older than `since`."""
    newest = (time_of(before) if before else None) or at + timedelta(minutes=1)
    lowest = first_id(hex_of(since))

    def wanted(keys: list[str]) -> list[str]:
        ids = {_id_of(key) for key in keys}
        return sorted((one for one in ids if one and one >= lowest and (before is None or one < before)), reverse=True)

    def first_page(one: str) -> tuple[list[str], bool]:
        keys, more = list_page(f"jobs/{one}/{_THIS_AGE}", f"jobs/{one}/{lowest}")
        return keys, more and (_id_of(keys[-1]) or "") < (before or "~")

    pages = list(pool.map(first_page, _RANGES))
    if not any(more for _, more in pages):
        yield from wanted([key for keys, _ in pages for key in keys])
        return
    for window in windows(newest, since):
        prefixes = [f"jobs/{one}/{first_id(window)}" for one in _RANGES]
        yield from wanted([key for keys in pool.map(lambda prefix: _all(list_page, prefix), prefixes) for key in keys])


def windows(newest: datetime, oldest: datetime) -> Iterator[str]:
    """Hex digits that the times of a window begin with, from the newest moment back to the oldest."""
    top, bottom = int(hex_of(newest), 16), int(hex_of(oldest), 16)
    for digits in _DIGITS:
        width = 16 ** (12 - digits)
        while top >= bottom:
            yield f"{top // width:0{digits}x}"
            top = top // width * width - 1
            if digits != _DIGITS[-1] and (top + 1) % (width * 16) == 0:
                break  # on the boundary of a longer window: walk on in those


def _all(list_page: ListPage, prefix: str) -> list[str]:
    keys, more = list_page(prefix, "")
    while more:
        page, more = list_page(prefix, keys[-1])
        keys += page
    return keys


def _id_of(key: str) -> str | None:
    name = key.rpartition("/")[2]
    job_id = name.removesuffix(".json")
    return job_id if job_id != name and time_of(job_id) else None
