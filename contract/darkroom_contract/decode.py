"""Decode untrusted JSON into the contract's types, with errors that say where, what was expected and what came.

    $.timeout_seconds: expected integer ≤ 21600, got "soon"

msgspec finds the first mistake; this module tells it in the contract's own words, from the type that stands at that
place and the value that came there.
"""

import re
from typing import Any

import msgspec

_AT = re.compile(r"^(?P<what>.*?)(?: - at `(?P<path>\$.*)`)?$", re.DOTALL)
_STEP = re.compile(r"\.(?P<field>[^.\[]+)|\[(?P<index>\d+|\.\.\.)\]")
_FIELD = re.compile(r"field `(?P<name>.*)`", re.DOTALL)
_SHOWN = 60  # characters of a wrong value that a message repeats


class ContractError(ValueError):
    """A document that does not follow the contract.

    `path` is the JSONPath of the mistake, `expected` and `got` are fit to be shown to the sender.
    """

    def __init__(self, path: str, expected: str, got: str) -> None:
        super().__init__(f"{path}: expected {expected}, got {got}")
        self.path = path
        self.expected = expected
        self.got = got


def parse(text: str | bytes) -> Any:
    """Parse JSON into plain values.

    Raises:
        ContractError: not JSON, not UTF-8, nested too deep or with a number out of range.
    """
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise ContractError("$", "JSON", f"{show(text)} ({error})") from error
    except RecursionError as error:
        raise ContractError("$", "JSON nested less deep", "more levels than a request can need") from error


def convert[T](value: Any, model: type[T]) -> T:
    """Check a plain value against a model and make it.

    Raises:
        ContractError: the first mistake that was found.
    """
    try:
        return msgspec.convert(value, model)
    except msgspec.ValidationError as error:
        raise _explain(str(error), value, model) from error
    except RecursionError as error:
        raise ContractError("$", "a document nested less deep", "more levels than a request can need") from error


def show(value: Any) -> str:
    """Give a value as it may stand in a message: JSON, shortened."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    try:
        text = msgspec.json.encode(value).decode()
    except (UnicodeError, RecursionError, msgspec.MsgspecError, TypeError):
        text = ascii(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… ({len(text)} characters)"


def _explain(message: str, value: Any, model: Any) -> ContractError:
    found = _AT.match(message)
    what, path = (found["what"], found["path"] or "$") if found else (message, "$")
    at, info = _follow(path, value, msgspec.inspect.type_info(model))
    info = _concrete(info)
    named = _FIELD.search(what)
    if named and "missing" in what:
        return ContractError(f"{path}.{named['name']}", _expected_field(info, named["name"]), "nothing")
    if named and "unknown" in what:
        known = ", ".join(field.encode_name for field in _fields(info))
        return ContractError(
            f"{path}.{named['name']}", f"no such field (known: {known})", show(_get(at, named["name"]))
        )
    return ContractError(path, describe(info, at), show(at))


def _get(value: Any, key: str) -> Any:
    return value.get(key) if isinstance(value, dict) else None


def _fields(info: Any) -> tuple[msgspec.inspect.Field, ...]:
    return info.fields if isinstance(info, msgspec.inspect.StructType) else ()


def _expected_field(info: Any, name: str) -> str:
    return next((describe(field.type) for field in _fields(info) if field.encode_name == name), "a value")


def _follow(path: str, value: Any, info: Any) -> tuple[Any, Any]:
    """Walk down to the value and the type that a JSONPath of msgspec's names."""
    for step in _STEP.finditer(path):
        info = _concrete(info)
        if step["field"] is not None:
            info = next(
                (f.type for f in _fields(info) if f.encode_name == step["field"]), getattr(info, "value_type", None)
            )
            value = _get(value, step["field"])
        else:
            info = getattr(info, "item_type", getattr(info, "value_type", None))
            value = value[int(step["index"])] if step["index"].isdigit() and isinstance(value, list | tuple) else value
    return value, info


def _concrete(info: Any) -> Any:
    """Of an optional type, the part that is not null."""
    if isinstance(info, msgspec.inspect.Metadata):
        return _concrete(info.type)
    if isinstance(info, msgspec.inspect.UnionType):
        parts = [part for part in info.types if not isinstance(part, msgspec.inspect.NoneType)]
        return _concrete(parts[0]) if len(parts) == 1 else info
    return info


def describe(info: Any, value: Any = None) -> str:  # noqa: C901, PLR0911 (one row per kind of type)
    """Say in words what a type admits, for the value that it did not: `integer ≤ 21600`, `one of "a", "b"`."""
    kind = msgspec.inspect
    match info:
        case kind.Metadata():
            return describe(info.type, value)
        case kind.UnionType():
            return " or ".join(describe(part, value) for part in info.types if not isinstance(part, kind.NoneType))
        case kind.IntType():
            return "integer" + _bound(info, value)
        case kind.FloatType():
            return "number" + _bound(info, value)
        case kind.StrType():
            return "string" + _length(info, "characters") + (f" matching {info.pattern}" if info.pattern else "")
        case kind.BoolType():
            return "true or false"
        case kind.EnumType():
            return "one of " + ", ".join(show(member.value) for member in info.cls)
        case kind.LiteralType():
            return "one of " + ", ".join(show(value) for value in info.values)
        case kind.DateTimeType():
            return "RFC 3339 date and time with zone"
        case kind.ListType() | kind.VarTupleType():
            return "array" + _length(info, "items")
        case kind.DictType() | kind.StructType():
            return "object"
    return "a value"


def _bound(info: Any, value: Any) -> str:
    """The bound that a number broke; of a value that is no number, the upper one."""
    low, high = info.ge, info.le
    if low is not None and (high is None or (isinstance(value, int | float) and value < low)):
        return f" ≥ {low}"
    return f" ≤ {high}" if high is not None else ""


def _length(info: Any, unit: str) -> str:
    low, high = info.min_length, info.max_length
    if low is not None and high is not None:
        return f" of {low} … {high} {unit}"
    return f" of ≤ {high} {unit}" if high is not None else f" of ≥ {low} {unit}" if low is not None else ""
