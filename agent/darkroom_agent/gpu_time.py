"""How long the GPU works, for whom, and what that costs."""

from dataclasses import dataclass

_HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class _State:
    """Until the moment `since`: seconds that the GPU worked, those of one job that had run all along, jobs that run."""

    since: float
    busy: float = 0.0
    shared: float = 0.0
    running: int = 0

    def at(self, now: float) -> "_State":
        passed = now - self.since if self.running else 0.0
        return _State(now, self.busy + passed, self.shared + passed / max(self.running, 1), self.running)


class GpuTime:
    """Counts seconds. Where n jobs run at once, each second is an n-th of a second of each.

    The state is one frozen value, replaced at once: the exporter of metrics reads it from a thread of its own.
    """

    def __init__(self, now: float, price: float | None = None) -> None:
        """`now`: the event loop's clock, seconds. `price`: of the pod, USD an hour; None while it is not known."""
        self.began = now
        self.price = price
        self._state = _State(now)

    def begin(self, now: float) -> float:
        """A job begins to run; a mark that `end` takes."""
        state = self._state.at(now)
        self._state = _State(now, state.busy, state.shared, state.running + 1)
        return state.shared

    def end(self, mark: float, now: float) -> float:
        """The job of this mark has run; its seconds on the GPU."""
        state = self._state.at(now)
        self._state = _State(now, state.busy, state.shared, state.running - 1)
        return state.shared - mark

    def busy(self, now: float) -> float:
        """Seconds since the beginning in which at least one job ran."""
        return self._state.at(now).busy

    def idle(self, now: float) -> float:
        """Seconds since the beginning in which none did."""
        return now - self.began - self.busy(now)

    def cost(self, seconds: float | None) -> float | None:
        """What so many seconds on the GPU cost, USD; None where the price is not known."""
        return None if self.price is None or seconds is None else seconds * self.price / _HOUR
