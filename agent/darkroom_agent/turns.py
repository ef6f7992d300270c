"""Who runs next: the GPU slots and the line of prepared jobs before them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from darkroom_contract.job import Priority

from .errors import Returned

MAX_PASSED = 8
"""A waiting job is overtaken by jobs of the loaded model at most so often."""


@dataclass(slots=True)
class Waiting:
    """One prepared job in the line."""

    model: str | None
    priority: Priority = Priority.NORMAL
    turn: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    passed: int = 0


def choose(line: Sequence[Waiting], loaded: str | None, *, bulk_is_due: bool = False) -> int:
    """Index of who runs next: normal before bulk unless bulk is due.

    Of these the first of the loaded model, unless somebody has been passed too often.
    """
    wanted = Priority.BULK if bulk_is_due else Priority.NORMAL
    eligible = [index for index, one in enumerate(line) if one.priority is wanted] or range(len(line))
    for index in eligible:
        one = line[index]
        if one.passed >= MAX_PASSED or one.model is None or one.model == loaded:
            return index
    return eligible[0]


class Turns:
    """The runtime's slots: at most `slots` jobs run at once.

    The line is by arrival, but for the loaded model and for priority: normal jobs go first, and one in `bulk_every` is
    bulk if one waits.
    """

    def __init__(self, slots: int, loaded_model: Callable[[], str | None], bulk_every: int = 10) -> None:
        self.free = slots
        self._loaded_model = loaded_model
        self._bulk_every = bulk_every
        self._normal_in_a_row = 0
        self._line: list[Waiting] = []

    def bulk_is_near(self) -> bool:
        """Whether half of the way to bulk's next share is behind us."""
        return self._normal_in_a_row >= self._bulk_every // 2

    @asynccontextmanager
    async def turn(
        self, model: str | None, hold_seconds: float, priority: Priority = Priority.NORMAL
    ) -> AsyncIterator[None]:
        """Wait for a slot and hold it.

        Raises:
            Returned: none came within `hold_seconds`.
        """
        await self._acquire(Waiting(model, priority), hold_seconds)
        try:
            yield
        finally:
            self.free += 1
            self._next()

    async def _acquire(self, waiting: Waiting, hold_seconds: float) -> None:
        self._line.append(waiting)
        self._next()
        try:
            async with asyncio.timeout(hold_seconds):
                await waiting.turn
        except BaseException as error:
            if waiting.turn.done() and not waiting.turn.cancelled():
                # The slot came together with the end of the wait: pass it on.
                self.free += 1
                self._next()
            elif waiting in self._line:
                self._line.remove(waiting)
            if isinstance(error, TimeoutError):
                raise Returned(f"no slot within {hold_seconds:g} s") from error
            raise

    def _next(self) -> None:
        while self.free and self._line:
            due = self._normal_in_a_row >= self._bulk_every - 1
            index = choose(self._line, self._loaded_model(), bulk_is_due=due)
            chosen = self._line.pop(index)
            for passed in self._line[:index]:
                passed.passed += passed.priority is chosen.priority
            if not chosen.turn.done():
                self.free -= 1
                self._normal_in_a_row = 0 if chosen.priority is Priority.BULK else self._normal_in_a_row + 1
                chosen.turn.set_result(None)
