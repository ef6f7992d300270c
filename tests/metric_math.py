"""CloudWatch's metric math, as far as alarms and dashboards here use it, over series of numbers by time.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
"""

import ast
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

type Series = dict[int, float]
"""Unix time of a period's beginning → its value; a period without data is not there."""

_OPERATORS: dict[type, Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Eq: operator.eq,
}


def evaluate(expression: str, series: Mapping[str, Series], times: Sequence[int]) -> Series:
    """The series that an expression makes of others, over all periods of a range."""
    text = re.sub(r"\bIF\(", "IF_(", expression).replace(" AND ", " and ")
    found = _Range(series, times).of(ast.parse(text, mode="eval").body)
    assert isinstance(found, dict)
    return {time: float(found[time]) for time in times if time in found}


class _Range:
    """The periods that an expression is evaluated over."""

    def __init__(self, series: Mapping[str, Series], times: Sequence[int]) -> None:
        self._series = series
        self._times = times

    def of(self, node: ast.expr) -> Series | float:
        match node:
            case ast.Constant(value=int() | float() as number):
                return number
            case ast.Name(id=name):
                return self._series[name]
            case ast.BinOp(left=left, op=how, right=right):
                return self._both(_OPERATORS[type(how)], self.of(left), self.of(right))
            case ast.Compare(left=left, ops=[how], comparators=[right]):
                return self._both(_OPERATORS[type(how)], self.of(left), self.of(right))
            case ast.BoolOp(op=ast.And(), values=[left, right]):
                return self._both(lambda a, b: a and b, self.of(left), self.of(right))
            case ast.Call(func=ast.Name(id=name), args=arguments):
                return self._call(name, arguments)
        raise ValueError(f"no metric math here: {ast.unparse(node)}")

    def _both(self, how: Callable[[float, float], float], a: Series | float, b: Series | float) -> Series | float:
        if not isinstance(a, dict) and not isinstance(b, dict):
            return how(a, b)
        pairs = {time: (self._at(a, time), self._at(b, time)) for time in self._times}
        return {
            time: how(x, y)
            for time, (x, y) in pairs.items()
            if x is not None and y is not None and not (how is operator.truediv and y == 0)
        }

    @staticmethod
    def _at(value: Series | float, time: int) -> float | None:
        return value.get(time) if isinstance(value, dict) else value

    def _call(self, name: str, arguments: Sequence[ast.expr]) -> Series | float:
        first = self.of(arguments[0])
        assert isinstance(first, dict)
        if name == "FILL":
            return self._fill(first, arguments[1])
        if name == "RUNNING_SUM":
            return {time: sum(first[t] for t in first if t <= time) for time in first}
        if name == "DATE":
            return {time: datetime.fromtimestamp(time, UTC).day for time in first}
        if name == "IF_":
            then = self.of(arguments[1])
            other: Any = self.of(arguments[2]) if len(arguments) == 3 else {}
            chosen = {time: self._at(then if first[time] else other, time) for time in first}
            return {time: value for time, value in chosen.items() if value is not None}
        raise ValueError(f"no function here: {name}")

    def _fill(self, series: Series, how: ast.expr) -> Series:
        repeats = isinstance(how, ast.Name) and how.id == "REPEAT"
        number = None if repeats else ast.literal_eval(how)
        filled: Series = {}
        last: float | None = None
        for time in self._times:
            last = series.get(time, last)
            value = series.get(time, last if repeats else number)
            if value is not None:
                filled[time] = value
        return filled
