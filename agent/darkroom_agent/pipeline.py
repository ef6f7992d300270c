"""The life of a message, from top to bottom.

    Delivery ──decode──► Request ──admit──► prepare ──► Prepared ──run──► Outcome ──settle──► commit ──► apply
    (queue)                        (store)              (inputs)          (runtime)           (store, topic)  (queue)

The GPU slot is held by `run` alone. A lease accompanies the message throughout, and cancels the work when it is lost.
"""

import asyncio
import dataclasses
from contextlib import AsyncExitStack
from dataclasses import dataclass

import structlog
from msgspec.structs import replace

from darkroom_contract.document import JobDocument
from darkroom_contract.job import Job, Priority, State, now

from . import request as requests
from .commit import Commit, final_document
from .convert import convert
from .drain import Drain
from .errors import (
    Abandoned,
    AgentFailed,
    AttemptsExhausted,
    Cancelled,
    Expired,
    Failure,
    LeaseLost,
    OutOfMemory,
    Returned,
    RuntimeGone,
    ServiceUnavailable,
    Superseded,
    TimedOut,
    Unprocessable,
)
from .follow import Follow
from .gpu_time import GpuTime
from .guarded import guarded
from .health import Health
from .lease import Lease
from .polls import Polls
from .ports import Delivery, Fetcher, OutputFile, Prepared, Queue, Result, Runtime, Store
from .prefetch import Prefetch
from .record import Record
from .recycle import Recycle
from .request import Request
from .settings import Settings
from .settle import Attempts, Delete, Fate, Leave, Outcome, Release, backoff, settle
from .story import Story, clock
from .telemetry import Telemetry
from .traces import Steps, about, trace_id
from .turns import Turns

log = structlog.get_logger()

_COLLECT_SECONDS = 300  # for the bytes of a result: a video over a slow disk, not a job


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """Everything that a message needs on its way; `handle` is the way."""

    settings: Settings
    attempts: Attempts
    buckets: frozenset[str]
    store: Store
    inputs: Fetcher
    runtime: Runtime
    commit: Commit
    turns: Turns
    prefetch: Prefetch
    polls: Polls
    health: Health
    recycle: Recycle
    gpu: GpuTime
    drain: Drain
    telemetry: Telemetry

    async def handle(self, queue: Queue, delivery: Delivery, priority: Priority = Priority.NORMAL) -> None:
        """Carry one message from its receipt to its end. Nothing that concerns one message alone gets out of here."""
        lease = Lease(queue, delivery, self.settings.visibility, self.settings.heartbeat)
        story = Story(priority, received=clock())
        with self.telemetry.traces.message(delivery, queue.name):
            try:
                fate = await self._fate(queue, delivery, lease, story)
                if fate is not None:
                    began = clock()
                    with self.telemetry.traces.stage("settle", {"darkroom.fate": type(fate).__name__.lower()}):
                        await self._apply(fate, lease)
                    story.settle = clock() - began
            except (LeaseLost, ServiceUnavailable, Unprocessable) as error:
                # The message comes back by its visibility; whoever gets it finds the document, and goes on from there.
                log.warning("message.not_settled", error=str(error))
            finally:
                self.prefetch.gone(priority, had_started=story.has_started())
                self.telemetry.metrics.settled(story, lease.extensions, queue.name, clock() - story.received)

    async def _fate(self, queue: Queue, delivery: Delivery, lease: Lease, story: Story) -> Fate | None:
        """What is to become of the message; None when it is no longer ours."""
        try:
            return await guarded(self._carry(delivery, lease, story), lease.keep())
        except LeaseLost as lost:
            self.telemetry.metrics.lease_lost()
            log.warning("lease.lost", reason=str(lost))
            await self._withdraw(story)
            return None
        except Returned as returned:
            log.info("job.returned", reason=str(returned))
            # Our own open poll would take it right back, and each receipt counts as an attempt.
            await self.polls.closed(queue, within=self.drain.seconds_to_return())
            return Release(0)
        except Abandoned as unprocessable:
            log.error("message.unprocessable", reason=str(unprocessable))
            return Leave()
        except ServiceUnavailable as failure:
            log.warning("job.interrupted", error=failure.message)
            return Release(backoff(delivery.attempt, self.attempts))
        except Exception:
            log.exception("agent.failed")
            return Release(backoff(delivery.attempt, self.attempts))

    async def _carry(self, delivery: Delivery, lease: Lease, story: Story) -> Fate:
        traces = self.telemetry.traces
        with traces.stage("admit"):
            request = await requests.decode(delivery, self.store, self.buckets, self.settings.runtime_name)
            blank = replace(request.blank, trace_id=trace_id())
            structlog.contextvars.bind_contextvars(job_id=blank.id)
            record = Record(self.store, lease, blank)
            document = await record.load()
        traces.note(about(blank))
        prefix = request.job.artifact_prefix if request.job else None
        story.job_id, story.artifact_prefix = blank.id, prefix
        try:
            if document is not None and document.state.final:
                raise Superseded(document)
            story.queued = max((now() - (blank.submitted_at or delivery.sent_at)).total_seconds(), 0.0)
            outcome = await self._attempt(request, document, delivery, record, story)
            settlement = settle(outcome, delivery.attempt, self.attempts)
            traces.ended(settlement.final or "retried", outcome.failure)
            if settlement.final is None:
                self.telemetry.metrics.ended(outcome, None, delivery.attempt, blank.task)
                _log_retry(outcome, settlement.fate)
                return settlement.fate
            final = final_document(blank, outcome, settlement.final, story, self.gpu.cost(story.gpu))
            await self.commit.final(final, outcome, request.job, record, lease, story)
            self.telemetry.metrics.ended(outcome, settlement.final, delivery.attempt, blank.task)
        except Superseded as superseded:
            return await self.commit.again(superseded.document, prefix, delivery.attempt)
        return settlement.fate

    async def _attempt(
        self, request: Request, document: JobDocument | None, delivery: Delivery, record: Record, story: Story
    ) -> Outcome:
        """Try the job once. Every exception becomes an outcome here, but for those that abandon the attempt."""
        try:
            work = self._work(request, document, delivery, record, story)
            result = await guarded(work, self.drain.leave(story.has_started))
        except Failure as failure:
            return Outcome(State.FAILED, failure=failure)
        except Cancelled:
            return Outcome(State.CANCELLED)
        except Expired:
            return Outcome(State.EXPIRED)
        except Abandoned:
            raise
        except Exception as error:
            log.exception("agent.failed")
            return Outcome(State.FAILED, failure=AgentFailed(f"{type(error).__name__}: {error}"))
        return Outcome(State.COMPLETED, result=result)

    async def _work(
        self, request: Request, document: JobDocument | None, delivery: Delivery, record: Record, story: Story
    ) -> Result:
        began = clock()
        if request.problem is not None:
            raise request.problem
        assert request.job is not None
        job = request.job
        await self._admit(job, document, delivery, record)
        with self.telemetry.traces.stage("prepare"):
            images = await self.inputs.fetch(self.runtime.image_fields(job))
            self.telemetry.metrics.fetched(len(image.data) for image in images.values())
            prepared = await self.runtime.prepare(job, delivery.attempt, images)
        story.prepare = clock() - began
        # From the receipt until it could run, without its wait in line: the deeper the line, the longer that one is.
        story.lead_seconds = clock() - story.received
        try:
            # A bulk job is overtaken by so many others, but it holds nobody up.
            hold = self.settings.hold * (self.settings.bulk_every if story.priority is Priority.BULK else 1)
            async with AsyncExitStack() as slot:
                with self.telemetry.traces.stage("wait"):
                    await slot.enter_async_context(self.turns.turn(prepared.model, hold, story.priority))
                    await self._until_up()
                bringing = await self._run(prepared, record, story)
        except Returned:
            if not story.has_started():
                self.prefetch.shut()
            raise
        # The slot is free again: what follows goes on beside the next run.
        return await self._collect(bringing, job, story)

    async def _admit(self, job: Job, document: JobDocument | None, delivery: Delivery, record: Record) -> None:
        """Whether the job is to be run at all."""
        requests.check(job, self.runtime.tasks, self.settings.runtime_name, self.settings.runtime_type)
        if now() >= job.expires_at(delivery.sent_at):
            raise Expired(f"older than its {job.ttl_seconds} s")
        if document is not None and document.state is State.RUNNING and await record.cancel_requested():
            raise Cancelled
        if delivery.attempt > self.attempts.limit:
            # The last attempt took its agent with it. This delivery is there only to write that down.
            raise AttemptsExhausted(f"all {self.attempts.limit} attempts ended without an answer")

    async def _until_up(self) -> None:
        try:
            async with asyncio.timeout(self.settings.hold):
                await self.health.up.wait()
        except TimeoutError as error:
            raise Returned("the runtime is down") from error

    async def _run(self, prepared: Prepared, record: Record, story: Story) -> asyncio.Task[Result]:
        """Run the job. The slot is ours, until the GPU has done its part."""
        self.drain.check()
        story.start()
        began = clock()
        story.wait = began - story.received - story.lead_seconds
        if prepared.model not in (None, self.runtime.loaded_model):
            self.telemetry.metrics.switched()
        mark = self.gpu.begin(began)
        self.prefetch.started(began, story.lead_seconds, story.priority)
        limit = min(prepared.job.timeout_seconds, self.settings.job_seconds)
        follow = Follow(record, story, self.settings)
        log.info("job.started", task=prepared.job.task.value, queued=round(story.queued or 0, 3))
        try:
            with self.telemetry.traces.stage("run", {"darkroom.model": prepared.model}):
                report = story.reporter(Steps().report)
                async with asyncio.timeout(limit):
                    return await guarded(self.runtime.run(prepared, report), follow.watch())
        except TimeoutError as error:
            self.health.report("a job timed out", restart=False)
            raise TimedOut(f"the runtime did not finish within {limit} s") from error
        except Cancelled:
            self.health.report("a job was cancelled", restart=False)
            raise
        except Failure as failure:
            await self._look_after(failure)
            raise
        finally:
            story.runtime = clock() - began
            story.gpu = self.gpu.end(mark, clock())
            self.prefetch.finished(clock(), began)
            await self.recycle.job_done(self.prefetch.running())

    async def _collect(self, bringing: asyncio.Task[Result], job: Job, story: Story) -> Result:
        """Bring what the runtime made, and make of its files what the job wants."""
        limit = min(_COLLECT_SECONDS, job.timeout_seconds)
        began = clock()
        try:
            with self.telemetry.traces.stage("collect"):
                async with asyncio.timeout(limit):
                    result = await bringing
        except TimeoutError as error:
            raise TimedOut(f"the result was not there within {limit} s") from error
        except Failure as failure:
            await self._look_after(failure)
            raise
        story.nodes = None if result.nodes is None else dict(result.nodes)
        story.node_classes = None if result.node_classes is None else dict(result.node_classes)
        if job.output is not None:
            files = [OutputFile(await convert(file.data, job.output), file.name) for file in result.files]
            result = dataclasses.replace(result, files=tuple(files))
        story.collect = clock() - began
        return result

    async def _look_after(self, failure: Failure) -> None:
        """Do for the runtime what its failure asks for, before the next job."""
        if isinstance(failure, OutOfMemory):
            try:
                await self.runtime.free_memory()
            except Failure as another:
                log.warning("runtime.memory_not_freed", error=another.message)
        elif failure.restart or isinstance(failure, RuntimeGone):
            self.health.report(failure.message, restart=failure.restart)

    async def _withdraw(self, story: Story) -> None:
        """Take back what was stored after the lease was lost: whoever won may have swept before it arrived."""
        if story.store is None or story.job_id is None:
            return
        stored = await self.store.read_document(story.job_id)
        if stored is not None and stored.document.state.final:
            await self.commit.sweep(stored.document, story.artifact_prefix)

    async def _apply(self, fate: Fate, lease: Lease) -> None:
        match fate:
            case Delete():
                await lease.delete()
            case Release(delay):
                await lease.release(delay)
            case Leave():
                await lease.release(0)


def _log_retry(outcome: Outcome, fate: Fate) -> None:
    assert outcome.failure is not None
    delay = round(fate.delay, 1) if isinstance(fate, Release) else 0
    log.warning("job.retry", code=outcome.failure.code, error=outcome.failure.message, delay=delay)
