"""Filter policies on message attributes (SNS developer guide, "Amazon SNS subscription filter policies")."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from .sqs_message import Attribute
from .wire import Refusal

type Policy = Mapping[str, Any]


def read_policy(text: str) -> Policy:
    """Check a policy.

    Raises:
        Refusal: InvalidParameter, with what is wrong.
    """
    try:
        policy = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise _wrong(f"failed to parse JSON. {error}") from error
    if not isinstance(policy, dict):
        raise _wrong("Filter policy must be an object")
    _check(policy)
    return policy


def accepts(policy: Policy, attributes: Mapping[str, Attribute]) -> bool:
    """Whether a message with these attributes passes: each name by at least one of its conditions."""
    return _passes(policy, {name: _values(one) for name, one in attributes.items()})


def _passes(policy: Policy, values: Mapping[str, list[Any]]) -> bool:
    for name, conditions in policy.items():
        if name == "$or":
            if not any(_passes(one, values) for one in conditions):
                return False
        elif not any(_holds(condition, values.get(name), bool(values)) for condition in conditions):
            return False
    return True


def _values(attribute: Attribute) -> list[Any]:
    """The values of an attribute: a String.Array has several; a Binary has none that a policy could match."""
    text = attribute.string_value or ""
    kind = attribute.data_type
    if kind == "String.Array":
        try:
            found = msgspec.json.decode(text)
        except msgspec.DecodeError:
            return []
        return found if isinstance(found, list) else [found]
    if kind.startswith("Number"):
        return [float(text)]
    return [text] if kind.startswith("String") else []


def _holds(condition: Any, values: list[Any] | None, some: bool) -> bool:
    """One condition. `some`: the message has attributes at all ("exists": false wants at least one of them)."""
    if isinstance(condition, dict) and "exists" in condition:
        return (values is not None) if condition["exists"] else (values is None and some)
    return any(_matches(condition, value) for value in values or ())


def _matches(condition: Any, value: Any) -> bool:
    if not isinstance(condition, dict):
        return _same(condition, value)
    (operator, operand), *_ = condition.items()
    return _OPERATORS[operator](operand, value)


def _same(wanted: Any, value: Any) -> bool:
    """Equal as JSON is: true is not 1."""
    return isinstance(wanted, bool) == isinstance(value, bool) and bool(wanted == value)


def _anything_but(operand: Any, value: Any) -> bool:
    if isinstance(operand, dict):
        return not _matches(operand, value)
    return not any(_same(one, value) for one in (operand if isinstance(operand, list) else [operand]))


def _numeric(operand: list[Any], value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return all(_COMPARE[sign](value, bound) for sign, bound in zip(operand[::2], operand[1::2], strict=True))


_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "=": lambda a, b: a == b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}
_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "prefix": lambda operand, value: isinstance(value, str) and value.startswith(operand),
    "suffix": lambda operand, value: isinstance(value, str) and value.endswith(operand),
    "equals-ignore-case": lambda operand, value: isinstance(value, str) and value.lower() == operand.lower(),
    "anything-but": _anything_but,
    "numeric": _numeric,
}


def _check(policy: Policy) -> None:
    for name, conditions in policy.items():
        if not isinstance(conditions, list):
            raise _wrong(f'"{name}" must be an object or an array')
        if not conditions:
            raise _wrong(f'Empty arrays are not allowed: "{name}"')
        for condition in conditions:
            if name == "$or":
                _check(condition)
            elif isinstance(condition, dict):
                _check_operator(condition)
            elif isinstance(condition, list):
                raise _wrong("Match value must be String, number, true, false, or null")


def _check_operator(condition: dict[str, Any]) -> None:
    if len(condition) != 1:
        raise _wrong("Only one key allowed in match expression")
    ((operator, operand),) = condition.items()
    if operator == "exists":
        if not isinstance(operand, bool):
            raise _wrong("exists match pattern must be either true or false.")
    elif operator not in _OPERATORS:
        raise _wrong(f"Unrecognized match type {operator}")
    elif operator in {"prefix", "suffix", "equals-ignore-case"}:
        if not isinstance(operand, str):
            raise _wrong(f"{operator} match pattern must be a string")
    elif operator == "anything-but" and isinstance(operand, dict):
        _check_operator(operand)
    elif operator == "numeric" and not _is_numeric(operand):
        raise _wrong("Value of numeric must be an array of comparisons")


def _is_numeric(operand: Any) -> bool:
    if not isinstance(operand, list) or not operand or len(operand) % 2:
        return False
    return all(sign in _COMPARE for sign in operand[::2]) and all(isinstance(n, int | float) for n in operand[1::2])


def _wrong(what: str) -> Refusal:
    return Refusal("InvalidParameter", f"Invalid parameter: FilterPolicy: {what}")
