"""A whole agent in memory: fakes at every seam, real parts in between."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from opentelemetry.metrics import NoOpMeter
from opentelemetry.trace import NoOpTracer

from darkroom_agent import agent
from darkroom_agent.breaker import Breaker
from darkroom_agent.commit import Commit
from darkroom_agent.drain import Drain
from darkroom_agent.fakes import FakeRuntime, MemoryQueue, MemoryStore, MemoryTopic, NoInputs
from darkroom_agent.gpu_time import GpuTime
from darkroom_agent.health import Health
from darkroom_agent.mark import RestartMark
from darkroom_agent.metrics import Metrics
from darkroom_agent.patient_store import PatientStore, probe_store
from darkroom_agent.patient_topic import PatientTopic
from darkroom_agent.pipeline import Pipeline
from darkroom_agent.pod_marks import NoMarks, PodMarks
from darkroom_agent.polls import Polls
from darkroom_agent.ports import OutputFile, Prepared, Report, Result
from darkroom_agent.prefetch import Prefetch
from darkroom_agent.recycle import Recycle
from darkroom_agent.settings import Settings, from_environ
from darkroom_agent.settle import Attempts
from darkroom_agent.telemetry import Telemetry
from darkroom_agent.traces import Traces
from darkroom_agent.turns import Turns
from darkroom_contract.job import Priority, State

REQUIRED = {
    "SQS_QUEUE_URL": "memory",
    "SNS_TOPIC_ARN": "memory",
    "S3_BUCKET": "memory",
    "RUNTIME_NAME": "sd",
    "RUNTIME_TYPE": "sdwebui",
}


def message(job_id: str = "a", **fields: Any) -> str:
    """A job message in Darkroom's own format."""
    return json.dumps({"id": job_id, "runtime": "sd", "task": "text-to-image", "input": {"prompt": "x"}, **fields})


PNG = b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" + (64).to_bytes(4) + (48).to_bytes(4) + b"\x08\x02\0\0\0" + b"\0" * 16


async def two_files(prepared: Prepared, report: Report) -> Result:
    """A runtime's work: half-way progress, two files, an answer, one node's seconds."""
    report(0.5)
    return Result((OutputFile(PNG), OutputFile(prepared.job.id.encode())), {"info": {"seed": 7}}, {"3": 0.25})


class World:
    """One agent and what is around it. Change the parts before `running`, look at them after."""

    def __init__(self, queue: MemoryQueue | None = None, **environ: str) -> None:
        quick = {"BACKOFF_BASE_SECONDS": "0", "WAIT_SECONDS": "1"}
        self.settings: Settings = from_environ({**REQUIRED, **quick, **environ})
        self.queue = queue or MemoryQueue(self.settings.visibility, self.settings.attempts + 1, longest_wait=0.05)
        self.bulk: MemoryQueue | None = None
        self.store = MemoryStore()
        self.topic = MemoryTopic()
        self.runtime = FakeRuntime()
        self.inputs: Any = NoInputs()
        self.mark = RestartMark(self.settings.mark_file)
        self.drain = Drain(self.settings.grace, reserve=0.2)
        self.telemetry = Telemetry(Traces(NoOpTracer()), Metrics(NoOpMeter("test")))
        self.marks: PodMarks = NoMarks()
        self.warmed = 0

    async def _warm_up(self) -> None:
        self.warmed += 1

    def serve(self) -> asyncio.Task[None]:
        """Start the agent; end it by `drain.begin()`."""
        settings = self.settings
        telemetry = self.telemetry
        self.health = Health(self.runtime, self.mark, self._warm_up)
        turns = Turns(settings.concurrency, lambda: self.runtime.loaded_model, settings.bulk_every)
        self.prefetch = Prefetch(settings.concurrency, settings.prefetch, settings.hold, turns.bulk_is_near)
        self.gpu = GpuTime(asyncio.get_running_loop().time(), settings.pod_price)
        telemetry.metrics.watch(self.gpu, self.prefetch)
        store_breaker = Breaker("store", "S3", lambda: probe_store(self.store), first_pause=0.01)
        store = PatientStore(self.store, "memory", store_breaker, self.drain.begun)
        topic_breaker = Breaker("topic", "SNS", self.topic.probe, first_pause=0.01)
        topic = PatientTopic(self.topic, topic_breaker, self.drain.begun)
        self.pipeline = Pipeline(
            settings=settings,
            attempts=Attempts(settings.attempts, settings.backoff_base, settings.backoff_cap),
            buckets=frozenset({"memory"}),
            store=store,
            inputs=self.inputs,
            runtime=self.runtime,
            commit=Commit(store, topic, telemetry.traces),
            turns=turns,
            prefetch=self.prefetch,
            polls=Polls(),
            health=self.health,
            recycle=Recycle(self.runtime, self.health, settings.recycle_jobs, settings.recycle_bytes),
            gpu=self.gpu,
            drain=self.drain,
            telemetry=telemetry,
        )
        queues = {Priority.NORMAL: self.queue, **({Priority.BULK: self.bulk} if self.bulk else {})}
        return asyncio.create_task(agent.run(queues, self.pipeline, (store_breaker, topic_breaker), self.marks))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The agent serves inside, and has left politely after."""
        serving = self.serve()
        try:
            yield
        finally:
            self.drain.begin()
            async with asyncio.timeout(10):
                await serving

    async def until_empty(self) -> None:
        """Wait until the queue has nothing more to hand out, ever."""
        async with asyncio.timeout(10):
            while self.queue.messages:
                await self.queue.changed()

    async def settled(self, *bodies: str) -> None:
        """Send messages, serve until each is gone from the queue, leave."""
        for body in bodies:
            self.queue.send(body)
        async with self.running():
            await self.until_empty()

    def states(self) -> dict[str, State]:
        """The final or last state of every job that has a document."""
        return {document.id: document.state for document in self.store.writes}
