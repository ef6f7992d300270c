"""UUIDv7: job ids that sort by time (RFC 9562, 5.7). Python's own come with 3.14."""

import secrets
import uuid
from datetime import UTC, datetime

from darkroom_contract.again import original_id


def uuid7(at: datetime) -> str:
    """A new id of this moment: 48 bits of milliseconds, the rest random."""
    random = secrets.randbits(74)
    high, low = random >> 62, random & (1 << 62) - 1
    value = _milliseconds(at) << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low
    return str(uuid.UUID(int=value))


def time_of(job_id: str) -> datetime | None:
    """When an id was made, if it is a UUIDv7 in its canonical form; one that was sent again counts as the first."""
    first = original_id(job_id)
    try:
        value = uuid.UUID(first)
    except ValueError:
        return None
    if value.version != 7 or str(value) != first:
        return None
    return datetime.fromtimestamp((value.int >> 80) / 1000, UTC)


def hex_of(at: datetime) -> str:
    """The twelve hex digits of a moment, as ids have them."""
    return f"{_milliseconds(at):012x}"


def first_id(milliseconds_hex: str) -> str:
    """The text that sorts before every id of a moment, given as hex digits (short ones count as their beginning)."""
    return milliseconds_hex if len(milliseconds_hex) <= 8 else f"{milliseconds_hex[:8]}-{milliseconds_hex[8:]}"


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)
