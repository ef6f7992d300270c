"""Jobs of a day, by chance from a seed: a curve over the hours, with bursts."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

from .parameters import Seconds
from .published import JOB

DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Arrival:
    """A job that is sent."""

    at: float
    seconds: float
    """What it takes on the GPU."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """A day: few jobs at night, most at two in the afternoon, and bursts at any time of it."""

    night_per_hour: float = 6
    noon_per_hour: float = 1_800
    bursts: int = 8
    burst_jobs: int = 150
    burst_seconds: float = 60
    job: Seconds = JOB
    days: float = 1.0

    def arrivals(self, seed: int) -> list[Arrival]:
        """The jobs in their order; the same for the same seed."""
        chance = random.Random(f"traffic {seed}")
        times = [*self._curve(chance), *self._bursts(chance)]
        return [Arrival(at, self.job.draw(chance)) for at in sorted(times)]

    def per_hour(self, at: float) -> float:
        """The curve, without the bursts: a cosine, raised to a power so that nights are long."""
        day = (1 + math.cos(2 * math.pi * (at - 14 * 3600) / DAY)) / 2
        return self.night_per_hour + (self.noon_per_hour - self.night_per_hour) * day**3

    def _curve(self, chance: random.Random) -> list[float]:
        """Poisson with a changing rate, by thinning."""
        at, times, most = 0.0, [], self.noon_per_hour
        while (at := at + chance.expovariate(most / 3600)) < self.days * DAY:
            if chance.random() * most < self.per_hour(at):
                times.append(at)
        return times

    def _bursts(self, chance: random.Random) -> list[float]:
        begins = [chance.random() * (self.days * DAY - self.burst_seconds) for _ in range(self.bursts)]
        return [begin + chance.random() * self.burst_seconds for begin in begins for _ in range(self.burst_jobs)]


def steady(per_second: float, seconds: float, mean: float, seed: int) -> list[Arrival]:
    """Poisson arrivals of jobs with exponential lengths: what queueing theory has formulas for."""
    chance, at, jobs = random.Random(f"steady {seed}"), 0.0, []
    while (at := at + chance.expovariate(per_second)) < seconds:
        jobs.append(Arrival(at, chance.expovariate(1 / mean)))
    return jobs
