"""Logs: JSON lines on stderr (readable ones on a terminal), with secrets masked."""

import logging
import re
import sys
from collections.abc import Mapping
from typing import Any

import msgspec
import structlog

_SECRET_KEYS = re.compile(r"(?i)authorization|secret|token|password|api_?key")
# In the order that they are looked for. Names of parameters stay, for they tell what a URL was.
_SECRETS: tuple[tuple[re.Pattern[str], str], ...] = (
    # Images and other bytes; keys and receipts of SQS are as long. A digest has 64 characters.
    (re.compile(r"[A-Za-z0-9+/_-]{200,}={0,2}"), "…"),
    (re.compile(r"(?i)(\bhttps?://)[^/\s@]+@"), r"\1***@"),
    (re.compile(r"(?i)([?&;][\w.~%-]{1,100})=[^&;\s\"'<>]+"), r"\1=***"),  # a URL's query, whatever it is called
    (
        re.compile(r"(?i)\b(X-(?:Amz|Goog)-[\w-]+|AWSAccessKeyId|Signature|sig|token|api[_-]?key|password)=[^&\s\"']+"),
        r"\1=***",
    ),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}"), r"\1 ***"),
    (re.compile(r"\bwhsec_[\w+/=-]+"), "whsec_***"),
    (re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"), "***"),
)
_LONGEST = 2000  # characters of one text
_LONGEST_TRACEBACK = 8000
_DEEPEST = 4  # levels of a value; deeper ones are not shown


def start_logs(level: str) -> None:
    """Configure structlog for this process."""
    terminal = sys.stderr.isatty()
    structlog.configure(
        processors=[
            *PROCESSORS,
            # Tracebacks are texts by now, and masked.
            structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
            if terminal
            else structlog.processors.JSONRenderer(serializer=_json),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )


def mask(_logger: Any, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Leave out what is nobody's business, and what is None: a structlog processor."""
    return {name: _shown(name, value, _DEEPEST) for name, value in event.items() if value is not None}


def masked(text: str, longest: int = _LONGEST) -> str:
    """A text without secrets, the values of queries and base64, and not too long."""
    # What is far too long is cut before it is looked at: it may be an image.
    shown = text[: 4 * longest]
    for pattern, instead in _SECRETS:
        shown = pattern.sub(instead, shown)
    return (
        shown if len(text) <= 4 * longest and len(shown) <= longest else f"{shown[:longest]}… ({len(text)} characters)"
    )


def _shown(name: str, value: Any, levels: int) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if _SECRET_KEYS.search(name):
        return "***"
    if isinstance(value, bytes | bytearray):
        return f"{len(value)} bytes"
    plain = msgspec.to_builtins(value) if isinstance(value, msgspec.Struct) else value
    if isinstance(plain, Mapping | list | tuple | set | frozenset):
        return _inside(name, plain, levels)
    return masked(str(plain), _LONGEST_TRACEBACK if name == "exception" else _LONGEST)


def _inside(name: str, value: Any, levels: int) -> Any:
    if levels == 0:
        return "…"
    if isinstance(value, Mapping):
        return {str(key): _shown(str(key), one, levels - 1) for key, one in value.items()}
    return [_shown(name, one, levels - 1) for one in value]


PROCESSORS: tuple[structlog.typing.Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
    structlog.processors.format_exc_info,
    mask,
)
"""What every line goes through before it is rendered, whatever as."""


def _json(event: Any, **_: Any) -> str:
    return msgspec.json.encode(event, enc_hook=repr).decode()
