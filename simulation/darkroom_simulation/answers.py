"""Answers: several days for each case, put together."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial

from .day import run
from .parameters import Parameters
from .traffic import Traffic


@dataclass(frozen=True, slots=True)
class Answer:
    """Waits in seconds, dollars for 1,000 images of one job each, and how well the GPUs were used."""

    p50: float
    p95: float
    p99: float
    dollars: float
    busy: float
    """Share of the nodes' time that a GPU worked."""


def answer(parameters: Parameters, traffic: Traffic, seeds: Sequence[int]) -> Answer:
    """Of one case."""
    waits: list[float] = []
    dollars = busy = hours = 0.0
    for seed in seeds:
        outcome = run(parameters, traffic.arrivals(seed), seed)
        waits += outcome.waits()
        dollars += outcome.dollars(parameters.prices)
        busy += outcome.busy_hours()
        hours += outcome.node_hours()
    waits.sort()
    p50, p95, p99 = (waits[math.ceil(share * len(waits)) - 1] for share in (0.5, 0.95, 0.99))
    return Answer(p50, p95, p99, dollars / len(waits) * 1000, busy / hours)


def answers(
    cases: Iterable[Parameters], traffic: Traffic, seeds: Sequence[int], told: Callable[[], None]
) -> dict[Parameters, Answer]:
    """Of many cases, on all processors; `told` is called after each. Equal cases are run once."""
    several = list(dict.fromkeys(cases))
    with ProcessPoolExecutor() as pool:
        return dict(zip(several, _counted(pool.map(partial(_of, traffic, seeds), several), told), strict=True))


def _of(traffic: Traffic, seeds: Sequence[int], parameters: Parameters) -> Answer:
    return answer(parameters, traffic, seeds)


def _counted(found: Iterator[Answer], told: Callable[[], None]) -> Iterator[Answer]:
    for one in found:
        told()
        yield one
