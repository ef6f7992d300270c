"""`python -m darkroom_agent.smoke JOB`: send a job through the queue and wait for its end. It is what `helm test` runs.

JOB is JSON, `{"task": …, "input": …}`. Environment and identity are the agent's; its role may `sqs:SendMessage`
for this.
"""

import argparse
import asyncio
import hashlib
import os
import sys
import time
import uuid
from typing import TYPE_CHECKING

import msgspec
from aiobotocore.session import get_session

from darkroom_contract.document import Artifact, JobDocument
from darkroom_contract.job import Job, State, now

from .aws import aws_call, client_config
from .errors import Failure
from .ports import Store
from .s3 import S3Store
from .settings import Settings, SettingsError, from_environ
from .values import WarmUp

if TYPE_CHECKING:
    from types_aiobotocore_sqs import SQSClient

_POLL_SECONDS = 2.0


class SmokeFailed(Exception):
    """The job did not come back as it should; the message says how."""


def job_of(wanted: WarmUp, settings: Settings) -> Job:
    """The job, under an id that nobody had before."""
    return Job(
        id=f"smoke-{uuid.uuid4()}",
        runtime=settings.runtime_name,
        task=wanted.task,
        input=wanted.input,
        timeout_seconds=min(300, settings.job_seconds),
        submitted_at=now(),
    )


async def ended(store: Store, job_id: str, poll_seconds: float) -> JobDocument:
    """Wait for the job's final document; every change of its state is told."""
    state = None
    while True:
        there = await store.read_document(job_id)
        if there is not None and there.document.state is not state:
            state = there.document.state
            _tell(state.value)
            if state.final:
                return there.document
        await asyncio.sleep(poll_seconds)


async def check(store: Store, document: JobDocument, limit: int) -> None:
    """See that the job completed, and that its artifacts are what its document says.

    Raises:
        SmokeFailed: they are not.
    """
    if document.state is not State.COMPLETED:
        why = f": {document.error.code}: {document.error.message}" if document.error else ""
        raise SmokeFailed(f"the job is {document.state.value}{why}")
    if not document.artifacts:
        raise SmokeFailed("the job is completed, but made nothing: use another job (test.job) that has an output")
    for artifact in document.artifacts:
        await _check(store, artifact, limit)


async def _check(store: Store, artifact: Artifact, limit: int) -> None:
    bucket, _, key = artifact.url.removeprefix("s3://").partition("/")
    data = await store.read_object(bucket, key, limit)
    if hashlib.sha256(data).hexdigest() != artifact.sha256:
        raise SmokeFailed(f"{artifact.url} is not what its job document says")
    _tell(f"{artifact.url} ({artifact.content_type}, {artifact.bytes} bytes)")


async def smoke(settings: Settings, job: Job, seconds: float) -> None:
    """Send the job, wait for its end, look at what it made.

    Raises:
        SmokeFailed: it did not complete in time, or not as it should.
        Failure: AWS could not be asked.
    """
    session = get_session()
    region, url = settings.region, settings.endpoint_url
    config = client_config(url, retries=5)
    async with (
        session.create_client("sqs", region_name=region, endpoint_url=url, config=config) as sqs,
        session.create_client("s3", region_name=region, endpoint_url=url, config=config) as s3,
    ):
        await send(sqs, settings.queue_url, job)
        store = S3Store(s3, settings.bucket)
        try:
            async with asyncio.timeout(seconds):
                document = await ended(store, job.id, _POLL_SECONDS)
        except TimeoutError:
            raise SmokeFailed(
                f"no end after {seconds:g} s. Is there a pod (`kubectl get pods`), a node for it "
                "(`kubectl get nodeclaims`), and what does the agent log?"
            ) from None
        await check(store, document, settings.output_bytes)


async def send(sqs: "SQSClient", queue_url: str, job: Job) -> None:
    """Put the job into the runtime's queue, as it is."""
    with aws_call("SQS SendMessage"):
        await sqs.send_message(QueueUrl=queue_url, MessageBody=msgspec.json.encode(job).decode())
    _tell(f"sent {job.id} to {queue_url}")


def _tell(what: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {what}", flush=True)  # noqa: T201


def main() -> None:
    """Status 0 if the job came back as it should."""
    parser = argparse.ArgumentParser(prog="python -m darkroom_agent.smoke", description="Send a job, wait for its end.")
    parser.add_argument("job", help='JSON: {"task": …, "input": …}')
    parser.add_argument("--seconds", type=float, default=1800, help="longest wait (default 1800)")
    given = parser.parse_args()
    try:
        wanted = msgspec.json.decode(given.job, type=WarmUp)
        settings = from_environ(os.environ)
        asyncio.run(smoke(settings, job_of(wanted, settings), given.seconds))
    except msgspec.DecodeError as error:
        sys.exit(f"smoke: the job is not JSON with task and input: {error}")
    except (SettingsError, SmokeFailed, Failure) as error:
        sys.exit(f"smoke: {error}")
    _tell("it works")


if __name__ == "__main__":
    main()
