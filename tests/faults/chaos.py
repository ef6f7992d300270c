"""What is done to the pods: kills at random instants, stops beyond the lease, farewells with long and short grace."""

import asyncio
import random
import signal
from collections import Counter

from .pods import Pod

VISIBILITY_SECONDS = 4
_ACTIONS = (
    ("agent killed", 45),
    ("runtime killed", 20),
    ("agent stopped beyond its lease", 10),
    ("agent told to leave", 15),
    ("agent told to leave, twice", 5),
    ("both killed", 5),
)


class Chaos:
    """Does it, from a seed, until it has killed often enough."""

    def __init__(self, pods: list[Pod], chance: random.Random, kills: int, pause: float) -> None:
        """`pause`: seconds between two actions, on average."""
        self.done: Counter[str] = Counter()
        self._pods = pods
        self._chance = chance
        self._kills = kills
        self._pause = pause

    @property
    def kills(self) -> int:
        """SIGKILLs so far."""
        return self.done["agent killed"] + self.done["runtime killed"] + 2 * self.done["both killed"]

    async def run(self) -> None:
        """Do it until there were enough kills."""
        names, weights = zip(*_ACTIONS, strict=True)
        async with asyncio.TaskGroup() as group:
            while self.kills < self._kills:
                await asyncio.sleep(self._chance.uniform(0.2, 1.8) * self._pause)
                action, pod = self._chance.choices(names, weights)[0], self._chance.choice(self._pods)
                if pod.agent is None or pod.runtime is None:
                    continue
                self.done[action] += 1
                group.create_task(self._do(action, pod))

    async def _do(self, action: str, pod: Pod) -> None:
        assert pod.agent is not None
        assert pod.runtime is not None
        agent, runtime = pod.agent, pod.runtime
        match action:
            case "agent killed":
                pod.signal(agent, signal.SIGKILL)
            case "runtime killed":
                pod.signal(runtime, signal.SIGKILL)
            case "both killed":
                pod.signal(agent, signal.SIGKILL)
                pod.signal(runtime, signal.SIGKILL)
            case "agent stopped beyond its lease":
                pod.signal(agent, signal.SIGSTOP)
                await asyncio.sleep(VISIBILITY_SECONDS * self._chance.uniform(1.1, 1.6))
                pod.signal(agent, signal.SIGCONT)
            case _:
                pod.signal(agent, signal.SIGTERM)
                if action.endswith("twice"):
                    await asyncio.sleep(self._chance.uniform(0.05, 0.5))
                    pod.signal(agent, signal.SIGTERM)
