"""What is counted and measured. `INSTRUMENTS` is the whole of it: docs/reference/metrics.md is made from that table.

Names and attributes are those of OpenTelemetry's semantic conventions (1.44) where they have one: `error.type`,
`messaging.process.duration` and its attributes, `network.io.direction`. No attribute has a value for every job or pod.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any

from opentelemetry.metrics import CallbackOptions, Meter, Observation

from darkroom_contract.job import State, Task

from .gpu_time import GpuTime
from .prefetch import Prefetch
from .settle import Outcome
from .story import Story

# Seconds; from a tenth to half an hour, as image jobs take.
_SECONDS = (0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120, 300, 600, 1200, 1800)
_ATTEMPTS = (1, 2, 3, 4, 5, 8, 16)


class Kind(Enum):
    """How an instrument adds up."""

    COUNTER = "counter"
    HISTOGRAM = "histogram"
    OBSERVED_COUNTER = "counter, read at each export"
    OBSERVED_GAUGE = "gauge, read at each export"


@dataclass(frozen=True, slots=True)
class Instrument:
    """One metric: its name, kind, unit (UCUM), attributes, meaning, and a histogram's boundaries."""

    name: str
    kind: Kind
    unit: str
    about: str
    attributes: tuple[str, ...] = ()
    boundaries: tuple[float, ...] | None = None


JOBS = Instrument(
    "darkroom.jobs",
    Kind.COUNTER,
    "{job}",
    "Attempts ended. `state` is the job's final one, or `retried`; `fault` of a failed one is `caller` where the "
    "request could not be done, `service` where it could have been.",
    ("state", "task", "error.type", "fault"),
)
ATTEMPTS = Instrument(
    "darkroom.job.attempts",
    Kind.HISTOGRAM,
    "{attempt}",
    "Attempts that a job took to its final state.",
    ("state",),
    _ATTEMPTS,
)
STAGES = Instrument(
    "darkroom.stage.duration",
    Kind.HISTOGRAM,
    "s",
    "Time of a job in each stage: `queued` (from submission to receipt), `prepare` (inputs), `wait` (for the GPU), "
    "`runtime` (on the GPU), `collect` (result and conversion), `store`, `notify`, `settle`.",
    ("stage",),
    _SECONDS,
)
PROCESS = Instrument(
    "messaging.process.duration",
    Kind.HISTOGRAM,
    "s",
    "Time from a message's receipt until it is settled.",
    ("messaging.system", "messaging.operation.name", "messaging.destination.name"),
    _SECONDS,
)
UTILIZATION = Instrument(
    "darkroom.runtime.utilization",
    Kind.OBSERVED_GAUGE,
    "1",
    "Share of the time since the last export in which the runtime worked. Its samples count the pods.",
)
PREFETCH = Instrument(
    "darkroom.prefetch.depth", Kind.OBSERVED_GAUGE, "{message}", "Messages that a pod holds and does not run yet."
)
EXTENSIONS = Instrument("darkroom.lease.extensions", Kind.COUNTER, "{extension}", "Extensions of leases on messages.")
LOSSES = Instrument("darkroom.lease.losses", Kind.COUNTER, "{lease}", "Leases lost: another pod may run the job too.")
IO = Instrument(
    "darkroom.network.io",
    Kind.COUNTER,
    "By",
    "Bytes of input images (`receive`) and of artifacts (`transmit`).",
    ("network.io.direction",),
)
ARTIFACTS = Instrument("darkroom.artifacts", Kind.COUNTER, "{artifact}", "Files that completed jobs made.")
SWITCHES = Instrument("darkroom.model.switches", Kind.COUNTER, "{switch}", "Jobs that need another model loaded.")
COST = Instrument(
    "darkroom.cost",
    Kind.OBSERVED_COUNTER,
    "{USD}",
    "Price of the pod's time since its agent started, by `use`: `busy` while a job ran, `idle` while none did. Nothing "
    "where the price is not known. Over `darkroom.artifacts` it is the cost of an image.",
    ("use",),
)
INSTRUMENTS = (
    *(JOBS, ATTEMPTS, STAGES, PROCESS, UTILIZATION, PREFETCH),
    *(EXTENSIONS, LOSSES, IO, ARTIFACTS, SWITCHES, COST),
)


class Metrics:
    """Where the pipeline says what has happened."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._add = {one: _counter(meter, one) for one in INSTRUMENTS if one.kind is Kind.COUNTER}
        self._record = {one: _histogram(meter, one) for one in INSTRUMENTS if one.kind is Kind.HISTOGRAM}

    def watch(self, gpu: GpuTime, prefetch: Prefetch, clock: Callable[[], float] = time.monotonic) -> None:
        """Read these at each export. `clock` is the event loop's, which the exporter's thread cannot ask."""
        observers = {
            UTILIZATION: _utilization(gpu, clock),
            PREFETCH: lambda: [Observation(prefetch.waiting())],
            COST: lambda: _costs(gpu, clock()),
        }
        for one, observe in observers.items():
            make: Any = (
                self._meter.create_observable_counter
                if one.kind is Kind.OBSERVED_COUNTER
                else self._meter.create_observable_gauge
            )
            make(one.name, [_callback(observe)], unit=one.unit, description=one.about)

    def ended(self, outcome: Outcome, final: State | None, attempt: int, task: Task | None) -> None:
        """An attempt has ended, and what it made is stored; `final` is None where the job is tried again."""
        about = {"state": final.value if final else "retried"}
        if task is not None:
            about["task"] = task.value
        if outcome.failure is not None:
            about["error.type"] = outcome.failure.code
        if final is State.FAILED and outcome.failure is not None:
            about["fault"] = "service" if outcome.failure.retryable else "caller"
        self._add[JOBS](1, about)
        if final is None:
            return
        self._record[ATTEMPTS](attempt, {"state": final.value})
        if outcome.result is not None:
            self._add[ARTIFACTS](len(outcome.result.files))
            self._moved("transmit", sum(len(file.data) for file in outcome.result.files))

    def settled(self, story: Story, extensions: int, queue: str, seconds: float) -> None:
        """A message has gone, `seconds` after its receipt: what its story tells of the stages, and its lease."""
        if extensions:
            self._add[EXTENSIONS](extensions)
        for stage, spent in story.stages().items():
            if spent is not None:
                self._record[STAGES](spent, {"stage": stage})
        told = {"messaging.system": "aws_sqs", "messaging.operation.name": "process"}
        self._record[PROCESS](seconds, {**told, "messaging.destination.name": queue})

    def fetched(self, sizes: Iterable[int]) -> None:
        """Input images of so many bytes have come."""
        self._moved("receive", sum(sizes))

    def switched(self) -> None:
        """The job that runs now needs another model than the loaded one."""
        self._add[SWITCHES](1)

    def lease_lost(self) -> None:
        """A lease was lost."""
        self._add[LOSSES](1)

    def _moved(self, direction: str, size: int) -> None:
        if size:
            self._add[IO](size, {"network.io.direction": direction})


def _counter(meter: Meter, one: Instrument) -> Callable[..., None]:
    return meter.create_counter(one.name, unit=one.unit, description=one.about).add


def _histogram(meter: Meter, one: Instrument) -> Callable[..., None]:
    made = meter.create_histogram(
        one.name, unit=one.unit, description=one.about, explicit_bucket_boundaries_advisory=one.boundaries
    )
    return made.record


def _callback(observe: Callable[[], Iterable[Observation]]) -> Callable[[CallbackOptions], Iterator[Observation]]:
    def callback(_: CallbackOptions) -> Iterator[Observation]:
        yield from observe()

    return callback


def _utilization(gpu: GpuTime, clock: Callable[[], float]) -> Callable[[], list[Observation]]:
    before = (gpu.began, 0.0)

    def observe() -> list[Observation]:
        nonlocal before
        now = clock()
        then, worked = before
        before = (now, gpu.busy(now))
        return [Observation(min(max((before[1] - worked) / (now - then), 0.0), 1.0))] if now > then else []

    return observe


def _costs(gpu: GpuTime, now: float) -> list[Observation]:
    spent = {"busy": gpu.cost(gpu.busy(now)), "idle": gpu.cost(gpu.idle(now))}
    return [Observation(cost, {"use": use}) for use, cost in spent.items() if cost is not None]
