"""What one attempt has to tell: its times and its progress, gathered as it goes."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from darkroom_contract.document import Timings
from darkroom_contract.job import Priority, now

from .ports import Report


@dataclass(slots=True)
class Story:
    """Mutable on purpose, and owned by one attempt alone. Seconds; None is what has not happened."""

    priority: Priority = Priority.NORMAL
    received: float = 0.0
    """The moment of its receipt, by the event loop's clock."""
    lead_seconds: float = 0.0
    job_id: str | None = None
    artifact_prefix: str | None = None
    queued: float | None = None
    prepare: float | None = None
    wait: float | None = None
    runtime: float | None = None
    gpu: float | None = None
    """Its seconds on the GPU, which are fewer than `runtime` where others ran at the same time."""
    collect: float | None = None
    store: float | None = None
    notify: float | None = None
    settle: float | None = None
    nodes: dict[str, float] | None = None
    node_classes: dict[str, str] | None = None
    started_at: datetime | None = None
    was_followed: bool = False
    progress: float = 0.0

    def start(self) -> None:
        """The run begins."""
        self.started_at = now()

    def has_started(self) -> bool:
        """Whether the run has begun."""
        return self.started_at is not None

    def reporter(self, tell: Callable[[float], None]) -> Report:
        """Takes what the runtime reports, and tells it on with the progress (0 … 1) within its bounds."""

        def report(progress: float) -> None:
            self.progress = min(max(progress, 0.0), 1.0)
            tell(self.progress)

        return report

    def stages(self) -> dict[str, float | None]:
        """Seconds in each stage, in the order in which they come."""
        stages = ("queued", "prepare", "wait", "runtime", "collect", "store", "notify", "settle")
        return {stage: getattr(self, stage) for stage in stages}

    def timings(self) -> Timings:
        """The times as the contract has them, in milliseconds' precision."""
        seconds = {"queued": self.queued, "prepare": self.prepare, "runtime": self.runtime, "store": self.store}
        nodes = None if self.nodes is None else {node: round(value, 3) for node, value in self.nodes.items()}
        return Timings(
            nodes=nodes,
            node_classes=self.node_classes,
            **{name: None if v is None else round(v, 3) for name, v in seconds.items()},
        )


def clock() -> float:
    """The event loop's clock, seconds: monotonic, and going on while the process is stopped."""
    return asyncio.get_running_loop().time()
