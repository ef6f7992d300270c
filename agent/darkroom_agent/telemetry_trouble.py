"""What OpenTelemetry complains of, once a minute: of itself it would with every batch, in lines of its own."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog

log = structlog.get_logger()

QUIET_SECONDS = 60.0


class OncePerMinute(logging.Handler):
    """Takes the library's records from whatever thread, and lets one a minute into our log."""

    def __init__(self, runtime_name: str, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(logging.WARNING)
        self._runtime_name = runtime_name  # an exporter's thread knows nothing of what our tasks have bound
        self._clock = clock
        self._next = 0.0
        self._untold = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Tell it, with how many were not told since the last; the caller holds the handler's lock."""
        if self._clock() < self._next:
            self._untold += 1
            return
        log.warning(
            "telemetry.trouble",
            reason=record.getMessage(),
            untold=self._untold,
            runtime=self._runtime_name,
            hint="jobs go on; what cannot be exported is dropped. Is OTEL_EXPORTER_OTLP_ENDPOINT right and up?",
        )
        self._next, self._untold = self._clock() + QUIET_SECONDS, 0


@contextmanager
def told_once_per_minute(runtime_name: str) -> Iterator[None]:
    """Let OpenTelemetry's complaints go through that and nowhere else."""
    library = logging.getLogger("opentelemetry")
    handler, propagated = OncePerMinute(runtime_name), library.propagate
    library.addHandler(handler)
    library.propagate = False
    try:
        yield
    finally:
        library.removeHandler(handler)
        library.propagate = propagated
