"""Logs: JSON lines on stderr (readable ones on a terminal), with secrets masked."""

import logging
import re
import sys
from typing import Any

import msgspec
import structlog

# What pre-signed URLs and headers carry; the whole value goes, whatever it is.
_SECRET_QUERY = re.compile(
    r"(?i)\b(X-Amz-(?:Signature|Credential|Security-Token)|AWSAccessKeyId|Signature|sig|token|api[_-]?key|password)=[^&\s\"']+"
)
_SECRET_KEYS = re.compile(r"(?i)authorization|secret|token|password|api_?key")
_USERINFO = re.compile(r"(?i)(https?://)[^/\s@]+@")
_LONGEST = 2000  # characters of one value: a base64 image has no place in a log


def start_logs(level: str) -> None:
    """Configure structlog for this process."""
    terminal = sys.stderr.isatty()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.StackInfoRenderer(),
            structlog.processors.format_exc_info,
            mask,
            structlog.dev.ConsoleRenderer() if terminal else structlog.processors.JSONRenderer(serializer=_json),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )


def mask(_logger: Any, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Leave out what is nobody's business: a structlog processor."""
    for name, value in event.items():
        if value is None:
            continue
        if _SECRET_KEYS.search(name):
            event[name] = "***"
        elif isinstance(value, str):
            event[name] = masked(value)
    return {name: value for name, value in event.items() if value is not None}


def masked(text: str) -> str:
    """A text without the values of secret query parameters, and not too long."""
    text = _USERINFO.sub(r"\1***@", _SECRET_QUERY.sub(r"\1=***", text))
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text)} characters)"


def _json(event: Any, **_: Any) -> str:
    return msgspec.json.encode(event, enc_hook=repr).decode()
