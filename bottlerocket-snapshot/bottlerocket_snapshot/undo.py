"""Steps that remove what was made, whatever happens meanwhile: failures, Ctrl-C, SIGTERM, a closed terminal."""

import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FrameType, TracebackType
from typing import Any, Self

from .clock import Clock

_ATTEMPTS = 5
_PAUSE = 3.0
_SIGNALS = [
    one for one in signal.valid_signals() if one in (signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGHUP", 0))
]


@dataclass(eq=False)
class Step:
    """One thing to remove: what it is, and how."""

    what: str
    remove: Callable[[], None]


@dataclass
class Undo:
    """What to remove at the end of a `with` block, the newest first; each step whatever became of the others.

    A first signal ends the block as Ctrl-C does, all later ones only say that removing goes on: nobody waits long, and
    what stays costs money. `left` is what could not be removed, and why.
    """

    clock: Clock
    tell: Callable[[str], None]
    left: list[str] = field(default_factory=list)
    _steps: list[Step] = field(default_factory=list)
    _handlers: dict[int, Any] = field(default_factory=dict)
    _removing: bool = False
    _stopped: bool = False

    def __enter__(self) -> Self:
        self._removing = self._stopped = False
        self._handlers = {one: signal.signal(one, self._signal) for one in _SIGNALS}
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._removing = True
        try:
            while self._steps:
                self.remove(self._steps[-1])
        finally:
            for one, handler in self._handlers.items():
                signal.signal(one, handler)

    def add(self, what: str, remove: Callable[[], None]) -> Step:
        """Add a step, before the call that makes the thing: an answer that is lost must not lose the thing."""
        self._steps.append(Step(what, remove))
        return self._steps[-1]

    def keep(self, step: Step) -> None:
        """Leave the thing: it is what was wanted."""
        self._steps.remove(step)

    def remove(self, step: Step) -> None:
        """Do a step now. It does not fail: what could not be removed is in `left`.

        Raises:
            KeyboardInterrupt: a signal came meanwhile; the step is done.
        """
        why: Exception | None = None
        was, self._removing = self._removing, True
        for attempt in range(_ATTEMPTS):
            if attempt:
                self.clock.pause(_PAUSE)
            try:
                step.remove()
            except Exception as error:  # noqa: BLE001 - whatever it is, it is told, and the other steps are done
                why = error
            else:
                why = None
                break
        if why is not None:
            self.left.append(f"{step.what}: {why}")
        self._steps.remove(step)
        self._removing = was
        if self._stopped and not was:
            self._removing = True
            raise KeyboardInterrupt

    def _signal(self, _number: int, _frame: FrameType | None) -> None:
        self._stopped = True
        if self._removing:
            self.tell("removing what was made; a moment")
            return
        self._removing = True
        raise KeyboardInterrupt
