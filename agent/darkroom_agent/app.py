"""Open the clients and wire the parts: the one place that knows them all."""

import asyncio
import signal
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path

import structlog
from aiobotocore.session import get_session

from darkroom_contract.job import Priority

from . import agent
from .aws import client_config
from .breaker import Breaker
from .commit import Commit
from .drain import Drain
from .errors import ServiceUnavailable
from .gpu_time import GpuTime
from .guard import FetchPolicy
from .health import Health
from .heartbeat import stay_alive
from .inputs import InputLimits, Inputs
from .mark import RestartMark
from .patient_store import PatientStore, probe_store
from .patient_topic import PatientTopic
from .pipeline import Pipeline
from .pod_marks import pod_marks
from .polls import Polls
from .ports import RuntimeLimits
from .prefetch import Prefetch
from .price import learn_price
from .recycle import Recycle
from .runtimes import make_runtime
from .s3 import S3Store
from .settings import Settings
from .settle import Attempts
from .sns import SnsTopic
from .sqs import SqsQueue
from .telemetry import Telemetry, telemetry
from .turns import Turns
from .warmup import warm_up

log = structlog.get_logger()

# Five take half a minute. Receiving and extending have loops of their own, and a farewell must not wait for them.
_RETRIES = {"sqs": 2, "s3": 5, "sns": 5}
_RETURN_SECONDS = 5.0  # to give messages back and close, at the end of the grace time


async def serve(settings: Settings, environ: Mapping[str, str]) -> None:
    """Run the agent until SIGTERM or SIGINT, and leave politely."""
    drain = Drain(settings.grace, settings.interrupt + _RETURN_SECONDS)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, drain.begin)
    structlog.contextvars.bind_contextvars(runtime=settings.runtime_name)
    log.info("agent.start", type=settings.runtime_type, runtime_url=settings.base_url)
    async with AsyncExitStack() as stack:
        telling = stack.enter_context(telemetry(environ, settings.runtime_name))
        await _serve(settings, drain, telling, stack)
    log.info("agent.stopped")


async def _serve(settings: Settings, drain: Drain, telling: Telemetry, stack: AsyncExitStack) -> None:
    session = get_session()

    def client(service: str):  # type: ignore[no-untyped-def]
        return session.create_client(
            service,  # type: ignore[call-overload]
            region_name=settings.region,
            endpoint_url=settings.endpoint_url,
            config=client_config(settings.endpoint_url, _RETRIES[service]),
        )

    sqs = await stack.enter_async_context(client("sqs"))
    s3 = S3Store(await stack.enter_async_context(client("s3")), settings.bucket)
    store_breaker = Breaker("store", "S3, the bucket and the agent's role", lambda: probe_store(s3))
    store = PatientStore(s3, settings.bucket, store_breaker, drain.begun)
    sns = SnsTopic(await stack.enter_async_context(client("sns")), settings.topic_arn)
    topic_breaker = Breaker("topic", "SNS, the results topic and the agent's role", sns.probe)
    topic = PatientTopic(sns, topic_breaker, drain.begun)
    normal = SqsQueue(sqs, settings.queue_url, settings.visibility)
    queues = {Priority.NORMAL: normal}
    if settings.bulk_queue_url:
        queues[Priority.BULK] = SqsQueue(sqs, settings.bulk_queue_url, settings.visibility)

    runtime = make_runtime(settings, _runtime_limits(settings))
    stack.push_async_callback(runtime.close)
    buckets = frozenset({settings.bucket, *settings.input_buckets})
    inputs = Inputs(store, buckets, _fetch_policy(settings), _input_limits(settings), telling.traces)
    stack.push_async_callback(inputs.close)

    health = Health(
        runtime,
        RestartMark(settings.mark_file),
        lambda: warm_up(runtime, inputs, settings.warm_up, settings.runtime_name),
    )
    turns = Turns(settings.concurrency, lambda: runtime.loaded_model, settings.bulk_every)
    prefetch = Prefetch(settings.concurrency, settings.prefetch, settings.hold, turns.bulk_is_near)
    gpu = GpuTime(asyncio.get_running_loop().time())
    telling.metrics.watch(gpu, prefetch)
    pipeline = Pipeline(
        settings=settings,
        attempts=Attempts(settings.attempts, settings.backoff_base, settings.backoff_cap),
        buckets=buckets,
        store=store,
        inputs=inputs,
        runtime=runtime,
        commit=Commit(store, topic, telling.traces),
        turns=turns,
        prefetch=prefetch,
        polls=Polls(),
        health=health,
        recycle=Recycle(runtime, health, settings.recycle_jobs, settings.recycle_bytes),
        gpu=gpu,
        drain=drain,
        telemetry=telling,
    )
    async with asyncio.TaskGroup() as group:
        beside = [
            group.create_task(_check_redrive(normal, settings.attempts)),
            group.create_task(learn_price(gpu, settings)),
        ]
        if settings.alive_file:
            beside.append(group.create_task(stay_alive(Path(settings.alive_file), health.up.is_set)))
        await agent.run(queues, pipeline, (store_breaker, topic_breaker), pod_marks(settings))
        for task in beside:
            task.cancel()


async def _check_redrive(queue: SqsQueue, attempts: int) -> None:
    """Say so when the queue gives up on a message before the agent does: such a job would never get a final state."""
    try:
        most = await queue.most_receives()
    except ServiceUnavailable as failure:
        log.warning("queue.redrive_unknown", error=failure.message)
        return
    if most is None:
        log.error("queue.no_dead_letter_queue", queue=queue.name, hint="what cannot be read would come back for ever")
    elif most <= attempts:
        log.error(
            "queue.redrive_too_early",
            queue=queue.name,
            max_receive_count=most,
            max_attempts=attempts,
            hint="maxReceiveCount must be above MAX_ATTEMPTS",
        )


def _runtime_limits(settings: Settings) -> RuntimeLimits:
    return RuntimeLimits(
        answer_bytes=settings.output_bytes,
        stall_seconds=settings.stall,
        poll_seconds=settings.poll,
        interrupt_seconds=settings.interrupt,
    )


def _fetch_policy(settings: Settings) -> FetchPolicy:
    return FetchPolicy(hosts=settings.input_hosts, networks=settings.input_networks, ports=settings.input_ports)


def _input_limits(settings: Settings) -> InputLimits:
    return InputLimits(bytes_each=settings.input_bytes, number=settings.inputs, seconds=settings.input_seconds)
