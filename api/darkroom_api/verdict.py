"""What becomes of a webhook after an attempt to send it: delivered, dropped or tried again, and when. Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_FIRST_SECONDS = 5.0
_MOST_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Delivered:
    """The receiver took it."""

    status: int


@dataclass(frozen=True, slots=True)
class Dropped:
    """It will never be delivered: another attempt would end the same way."""

    reason: str


@dataclass(frozen=True, slots=True)
class Failed:
    """Another attempt may succeed; the receiver asked for `after` seconds of peace."""

    reason: str
    after: float = 0.0


type Verdict = Delivered | Dropped | Failed


def verdict(status: int, retry_after: str | None, at: datetime) -> Verdict:
    """What an answer means. 410 is the receiver's word for "never again"; all else may be mended there."""
    if 200 <= status < 300:
        return Delivered(status)
    if status == 410:
        return Dropped("the receiver answered 410: it is gone")
    return Failed(f"the receiver answered {status}", _seconds(retry_after, at))


def pause(failed: Failed, receives: int, chance: float) -> int:
    """Seconds until the next attempt, after so many: doubled each time from 5 s up to 1 h, and longer if asked for.

    `chance` (0 … 1) spreads it, for those that failed together should not come back together.
    """
    longest = min(_MOST_SECONDS, _FIRST_SECONDS * 2.0 ** min(receives, 16))
    return round(min(_MOST_SECONDS, max(longest * (1 + chance) / 2, failed.after)))


def _seconds(retry_after: str | None, at: datetime) -> float:
    """A Retry-After header (RFC 9110, 10.2.3): seconds or a date; what is neither asks for nothing."""
    text = (retry_after or "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text), _MOST_SECONDS)
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return min(max((until - at).total_seconds(), 0.0), _MOST_SECONDS)
