"""`helm test`'s job: how it is sent, awaited and judged."""

import asyncio
import hashlib
import os
import sys

import pytest

from darkroom_agent.fakes import MemoryStore
from darkroom_agent.settings import from_environ
from darkroom_agent.smoke import SmokeFailed, check, ended, job_of
from darkroom_agent.values import WarmUp
from darkroom_contract.document import Artifact, Error, JobDocument
from darkroom_contract.job import State, Task

ENVIRON = {
    "SQS_QUEUE_URL": "http://localhost/1/sd",
    "SNS_TOPIC_ARN": "arn:aws:sns:eu-west-1:123456789012:results",
    "S3_BUCKET": "outputs",
    "RUNTIME_NAME": "sd",
    "RUNTIME_TYPE": "sdwebui",
    "MAX_JOB_SECONDS": "120",
}


def document(state: State, **more: object) -> JobDocument:
    return JobDocument(id="smoke-1", runtime="sd", state=state, **more)  # type: ignore[arg-type]


async def test_should_make_a_job_that_an_agent_takes() -> None:
    """Of its runtime, new each time, no longer than a job may be."""
    wanted = WarmUp(Task.TEXT_TO_IMAGE, {"prompt": "a lamp"})
    job, other = (job_of(wanted, from_environ(ENVIRON)) for _ in range(2))
    assert (job.runtime, job.task, job.input, job.timeout_seconds) == ("sd", Task.TEXT_TO_IMAGE, wanted.input, 120)
    assert job.id != other.id


async def test_should_wait_for_the_final_document() -> None:
    """Neither a missing one nor one that runs is the end."""
    store = MemoryStore()
    waiting = asyncio.create_task(ended(store, "smoke-1", 0.001))
    await asyncio.sleep(0.01)
    etag = await store.write_document(document(State.RUNNING), None)
    await asyncio.sleep(0.01)
    assert not waiting.done()
    await store.write_document(document(State.COMPLETED), etag)
    assert (await waiting).state is State.COMPLETED


async def test_should_say_why_a_job_failed() -> None:
    """With the document's own words."""
    failed = document(State.FAILED, error=Error(code="runtime_refused", message="no such model", retryable=False))
    with pytest.raises(SmokeFailed, match="the job is failed: runtime_refused: no such model"):
        await check(MemoryStore(), failed, 1000)


async def test_should_not_be_content_with_no_artifact() -> None:
    """A job that made nothing proves nothing."""
    with pytest.raises(SmokeFailed, match="made nothing"):
        await check(MemoryStore(), document(State.COMPLETED), 1000)


@pytest.mark.parametrize(("stored", "good"), [(b"image", True), (b"other", False)])
async def test_should_compare_the_artifact_with_its_digest(stored: bytes, good: bool) -> None:
    """What lies there must be what the document says."""
    store = MemoryStore()
    await store.put_artifact("sd/smoke-1/0.png", stored, "image/png")
    url = store.url("sd/smoke-1/0.png")
    digest = hashlib.sha256(b"image").hexdigest()
    made = document(State.COMPLETED, artifacts=(Artifact(url=url, content_type="image/png", bytes=5, sha256=digest),))
    if good:
        await check(store, made, 1000)
    else:
        with pytest.raises(SmokeFailed, match="not what its job document says"):
            await check(store, made, 1000)


async def test_should_tell_a_wrong_job_in_one_line() -> None:
    """Not by a traceback."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "darkroom_agent.smoke", '{"task": "nothing"}'),
        env={**os.environ, **ENVIRON},
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await process.communicate()
    assert process.returncode == 1
    assert said.decode().startswith("smoke: the job is not JSON with task and input")
    assert said.count(b"\n") == 1
