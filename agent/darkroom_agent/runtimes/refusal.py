"""What a runtime says when it refuses or fails: its words for people, and the failure that they mean. Pure."""

from collections.abc import Collection
from typing import Any, NamedTuple

import msgspec

from darkroom_agent.errors import Failure

from .http import Reply

MEMORY = ("out of memory", "outofmemory", "can't allocate memory", "not enough memory")
"""Words of every server whose GPU or machine is full."""
BROKEN = ("cuda error", "cublas", "cudnn_status", "device-side assert")
"""Words of a process that only a restart helps."""
ALL, SERVER, CLIENT = range(1000), range(500, 1000), range(500)
"""Statuses."""

_KNOWN = ("error", "detail", "errors", "body", "code", "message", "object", "type", "param")
_SHOWN = 500  # characters of the runtime's words in a message


class Meaning(NamedTuple):
    """An answer with one of these statuses, classes (any if none) and words (any if none) is this failure."""

    kind: type[Failure]
    statuses: Collection[int] = ALL
    classes: tuple[str, ...] = ()
    words: tuple[str, ...] = ()

    def fits(self, status: int, error: str, words: str) -> bool:
        """Whether an answer is meant; `error` is the class that it names, `words` are in small letters."""
        return (
            status in self.statuses
            and (not self.classes or error in self.classes)
            and (not self.words or any(word in words for word in self.words))
        )


def failure_of(reply: Reply, table: tuple[Meaning, ...]) -> Failure:
    """The failure that an answer other than 200 means: the first of the table that fits; the last one fits all."""
    answer = _parsed(reply)
    words, response = _words(answer, reply), {"status": reply.status, **_bounded(answer)}
    if reply.status == 401:
        words += " (API_BASE_URL may hold user:password@)"
    error, lower = str(answer.get("error")), words.lower()
    kind = next(one.kind for one in table if one.fits(reply.status, error, lower))
    return kind(f"the runtime answered {reply.status}: {words}", response=response)


def _parsed(reply: Reply) -> dict[str, Any]:
    try:
        answer = msgspec.json.decode(reply.body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}


def _words(answer: dict[str, Any], reply: Reply) -> str:
    """The runtime's own words, readable: `body.steps: value is not a valid integer`, `KeyError: 'nope'`."""
    detail, error = answer.get("detail"), answer.get("error")
    if isinstance(detail, list):
        said = "; ".join(_of_pydantic(one) for one in detail[:5])
    else:
        # OpenAI's servers put all of it into an object: `{"error": {"message": …, "type": …, "code": …}}`.
        error = error.get("message") if isinstance(error, dict) else error
        parts = [error, detail or answer.get("message"), answer.get("errors")]
        said = ": ".join(str(part) for part in parts if part)
    return (said or reply.text() or "nothing")[:_SHOWN]


def _of_pydantic(one: Any) -> str:
    if not isinstance(one, dict):
        return str(one)
    steps = one.get("loc")
    place = ".".join(str(step) for step in steps) if isinstance(steps, list) else "?"
    return f"{place}: {one.get('msg', '')}"


def _bounded(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value if _is_short(value) else "…" for name, value in answer.items() if name in _KNOWN}


def _is_short(value: Any) -> bool:
    return len(msgspec.json.encode(value)) <= 4096
