"""Moments as people write them: a time ago (`90m`), or a date and time. Pure."""

import re
from datetime import UTC, datetime, timedelta

from .failures import Refused

_AGO = re.compile(r"(\d{1,6})([smhdw])", re.ASCII)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def moment(text: str, now: datetime) -> datetime:
    """The moment that a text means; a date and time without a zone is UTC.

    Raises:
        Refused: it means none.
    """
    try:
        if ago := _AGO.fullmatch(text):
            return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        at = datetime.fromisoformat(text)
    except (ValueError, OverflowError) as error:
        raise Refused(f"{text!r} is no moment: write 90m, 2h, 7d, or 2026-11-24T09:00:00Z") from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)
