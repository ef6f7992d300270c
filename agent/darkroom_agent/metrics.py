"""What is counted and measured, by the words of the pipeline."""

from opentelemetry.metrics import Meter

from darkroom_contract.job import State

from .settle import Outcome
from .story import Story

# Seconds; from a tenth to half an hour, as image jobs take.
_BUCKETS = (0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120, 300, 600, 1200, 1800)


class Metrics:
    """Where the pipeline says what has happened."""

    def __init__(self, meter: Meter) -> None:
        self._jobs = meter.create_counter("darkroom.jobs", unit="{job}", description="Attempts ended, by outcome")
        self._leases = meter.create_counter("darkroom.lease.losses", unit="{lease}", description="Leases lost")
        self._stages = meter.create_histogram(
            "darkroom.stage.duration",
            unit="s",
            description="Seconds of a job in each stage",
            explicit_bucket_boundaries_advisory=_BUCKETS,
        )

    def ended(self, outcome: Outcome, final: State | None, story: Story) -> None:
        """Count an attempt's end and its stages."""
        code = outcome.failure.code if outcome.failure else "ok"
        self._jobs.add(1, {"state": final.value if final else "retried", "error.type": code})
        for stage, seconds in (("queued", story.queued), ("prepare", story.prepare), ("runtime", story.runtime)):
            if seconds is not None:
                self._stages.record(seconds, {"stage": stage})

    def lease_lost(self) -> None:
        """Count a lease that was lost."""
        self._leases.add(1)
