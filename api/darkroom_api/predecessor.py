"""The predecessor's API: `POST /v1alpha2` and `POST /v1alpha1` take its bodies and give its answers.

v1alpha2 takes `{"task": {"metadata": …, "content": …}}` and answers `{id_task, runtime, output_location}`. v1alpha1
takes `{"task": …}` with the routing fields inside `alwayson_scripts` and answers `{id_task, sd_model_checkpoint,
output_location}`: it names a checkpoint and no runtime, so the runtime that has that checkpoint is meant.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from darkroom_contract.decode import ContractError, convert, parse, show
from darkroom_contract.job import Job
from darkroom_contract.message import read_job

from .door import Door
from .http import Answer, Request, json_answer
from .outbox import submit
from .settings import RuntimeSettings
from .submission import Caller, check, sent

_V1ALPHA2 = {
    "$.runtime": "$.task.metadata.runtime",
    "$.task": "$.task.metadata.tasktype",
    "$.input": "$.task.content",
}
_V1ALPHA1 = {"$.task": "$.task.alwayson_scripts.task", "$.input": "$.task"}


def post_v1alpha2(door: Door, request: Request, _: str) -> Answer:
    """A v1alpha2 task."""
    task = _task(request)
    for name in ("metadata", "content"):
        if name not in task:
            raise ContractError(f"$.task.{name}", "object", "nothing")
    job = _accept(door, request, _inside_task(task), _V1ALPHA2)
    return json_answer(200, {"id_task": job.id, "runtime": job.runtime, "output_location": _location(door, job)})


def post_v1alpha1(door: Door, request: Request, _: str) -> Answer:
    """A v1alpha1 task."""
    task = _task(request)
    scripts = task.get("alwayson_scripts")
    if not isinstance(scripts, dict) or "id_task" not in scripts:
        raise ContractError("$.task.alwayson_scripts.id_task", "string", "nothing")
    checkpoint = scripts.get("sd_model_checkpoint")
    runtime = runtime_of(checkpoint, door.settings.runtimes)
    job = _accept(door, request, msgspec.structs.replace(_inside_task(task), runtime=runtime), _V1ALPHA1)
    return json_answer(
        200, {"id_task": job.id, "sd_model_checkpoint": checkpoint, "output_location": _location(door, job)}
    )


def runtime_of(checkpoint: Any, runtimes: dict[str, RuntimeSettings]) -> str:
    """The runtime that takes v1alpha1 requests for a checkpoint.

    Raises:
        ContractError: there is none, or more than one could be meant.
    """
    takers = [name for name, settings in runtimes.items() if checkpoint in settings.checkpoints]
    if len(takers) == 1:
        return takers[0]
    known = sorted({one for settings in runtimes.values() for one in settings.checkpoints})
    raise ContractError(
        "$.task.alwayson_scripts.sd_model_checkpoint",
        f"a checkpoint of one runtime ({', '.join(map(show, known)) or 'no runtime lists any'})",
        show(checkpoint),
    )


def _task(request: Request) -> dict[str, Any]:
    # Its clients may send any content type: its Lambda never looked.
    body = convert(parse(request.body), dict[str, Any])
    if "task" not in body:
        raise ContractError("$.task", "object", "nothing")
    task = body["task"]
    if not isinstance(task, dict):
        raise ContractError("$.task", "object", show(task))
    return task


def _inside_task(task: dict[str, Any]) -> Job:
    """The job of what stands in `task`; mistakes are told by where they stand in the body."""
    try:
        return read_job(task)
    except ContractError as error:
        raise ContractError(f"$.task{error.path.removeprefix('$')}", error.expected, error.got) from error


def _accept(door: Door, request: Request, job: Job, places: Mapping[str, str]) -> Job:
    """Check and queue a job; mistakes are told by `places`, where the fields stand in the body."""
    job = sent(job, Caller(tenant=request.tenant, at=door.clock()))
    try:
        check(job, door.settings.runtimes)
    except ContractError as error:
        ours, theirs = next(pair for pair in places.items() if error.path.startswith(pair[0]))
        raise ContractError(theirs + error.path.removeprefix(ours), error.expected, error.got) from error
    submit(job, door.store, door.topic)
    return job


def _location(door: Door, job: Job) -> str:
    return f"s3://{door.store.bucket}/{job.artifact_prefix.rstrip('/')}"
