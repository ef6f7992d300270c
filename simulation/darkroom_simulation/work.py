"""Jobs, the queue, and an agent's hold on them."""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass
from typing import Protocol


@dataclass(slots=True, eq=False)
class Job:
    """A job on its way; times are None until they are reached."""

    sent: float
    seconds: float
    started: float | None = None
    """When it got the GPU, the last time."""
    ended: float | None = None
    """When its result was told."""
    attempts: int = 0


class Reader(Protocol):
    """Who polls a queue."""

    def room(self) -> int:
        """How many messages it would take."""

    def receive(self, job: Job) -> None:
        """Take one."""


class Queue:
    """An SQS queue with long polls: a message goes to any of those who ask, idle or not."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._waiting: deque[Job] = deque()
        self._readers: list[Reader] = []
        self.in_flight = 0

    @property
    def visible(self) -> int:
        """Messages that nobody holds."""
        return len(self._waiting)

    def send(self, job: Job) -> None:
        """A message comes."""
        if self._readers:
            self._give(self._chance.choice(self._readers), job)
        else:
            self._waiting.append(job)

    def ask(self, reader: Reader) -> None:
        """A reader has room, or no longer: it gets what waits, and polls while it has room."""
        while self._waiting and reader.room() > 0:
            self.in_flight += 1
            reader.receive(self._waiting.popleft())
        polls = reader in self._readers
        if reader.room() > 0 and not polls:
            self._readers.append(reader)
        elif reader.room() <= 0 and polls:
            self._readers.remove(reader)

    def give_back(self, job: Job) -> None:
        """A message becomes visible again."""
        self.in_flight -= 1
        self.send(job)

    def delete(self) -> None:
        """A message that was received has been done."""
        self.in_flight -= 1

    def _give(self, reader: Reader, job: Job) -> None:
        self.in_flight += 1
        reader.receive(job)
        self.ask(reader)
