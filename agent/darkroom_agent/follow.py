"""Follow a running job: write that it runs and how far it is, and look for its cancellation."""

import asyncio

import structlog
from msgspec.structs import replace

from darkroom_contract.job import State

from .errors import Cancelled, ServiceUnavailable
from .record import Record
from .settings import Settings
from .story import Story, clock

log = structlog.get_logger()


class Follow:
    """Beside one run. Short jobs end before it does anything: they cost no write."""

    def __init__(self, record: Record, story: Story, settings: Settings) -> None:
        self._record = record
        self._story = story
        self._settings = settings
        self._written = -1.0

    async def watch(self) -> None:
        """Guard the run, for as long as it takes.

        Raises:
            Cancelled: the caller asked for it.
            Superseded: the job has become final meanwhile.
        """
        await asyncio.sleep(self._settings.running_after)
        self._story.was_followed = True
        next_write = clock()
        while True:
            try:
                if clock() >= next_write:
                    next_write = clock() + self._settings.progress
                    await self._write()
                if await self._record.cancel_requested():
                    raise Cancelled
            except ServiceUnavailable as failure:
                # The job itself does not need S3 now; what it does need it asks for again at its end.
                log.warning("job.not_followed", error=failure.message)
            await asyncio.sleep(self._settings.cancel_poll)

    async def _write(self) -> None:
        progress = round(self._story.progress, 3)
        if progress == self._written:
            return
        running = replace(
            self._record.blank,
            state=State.RUNNING,
            started_at=self._story.started_at,
            timings=self._story.timings(),
            progress=progress,
        )
        await self._record.write(running)
        self._written = progress
