"""The predecessor's API: `POST /v1alpha2` and `POST /v1alpha1` take its bodies and give its answers.

v1alpha2 takes `{"task": {"metadata": …, "content": …}}` and answers `{id, runtime, output_location}`. v1alpha1 takes
the runtime's request with the routing fields inside `alwayson_scripts`, bare (its Lambda's last version) or as
`{"task": …}` (those before), and answers `{id_task, sd_model_checkpoint, output_location}`: it names a checkpoint and
no runtime, so the runtime that has that checkpoint is meant. Ids are answered as they came, every mistake with 400.
Source: src/frontend/input_function/{v1alpha1,v1alpha2}/app.py of its repository.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import msgspec

from darkroom_contract.decode import ContractError, convert, parse, show
from darkroom_contract.job import Job
from darkroom_contract.message import read_job

from .door import Door
from .http import Answer, Request, json_answer
from .job_endpoints import queue
from .problems import of_contract
from .settings import RuntimeSettings
from .submission import Caller, check, sent

_V1ALPHA2 = {
    "$.runtime": "$.metadata.runtime",
    "$.task": "$.metadata.tasktype",
    "$.input": "$.content",
}
_V1ALPHA1 = {"$.task": "$.alwayson_scripts.task", "$.input": "$"}


def post_v1alpha2(door: Door, request: Request, _: str) -> Answer:
    """A v1alpha2 task."""
    with _mistakes_at("$.task"):
        task = _task(_body(request))
        for name in ("metadata", "content"):
            if name not in task:
                raise ContractError(f"$.{name}", "object", "nothing")
        job = _accept(door, request, read_job(task), _V1ALPHA2)
    answer = {"id": task["metadata"]["id"], "runtime": job.runtime, "output_location": _location(door, job)}
    return json_answer(200, answer)


def post_v1alpha1(door: Door, request: Request, _: str) -> Answer:
    """A v1alpha1 task."""
    with _mistakes_at("$"):
        body = _body(request)
    bare = "alwayson_scripts" in body
    with _mistakes_at("$" if bare else "$.task"):
        task = body if bare else _task(body)
        scripts = task.get("alwayson_scripts")
        if not isinstance(scripts, dict) or "id_task" not in scripts:
            raise ContractError("$.alwayson_scripts.id_task", "string", "nothing")
        checkpoint = scripts.get("sd_model_checkpoint")
        runtime = runtime_of(checkpoint, door.settings.runtimes)
        job = _accept(door, request, msgspec.structs.replace(read_job(task), runtime=runtime), _V1ALPHA1)
    answer = {"id_task": scripts["id_task"], "sd_model_checkpoint": checkpoint, "output_location": _location(door, job)}
    return json_answer(200, answer)


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
        "$.alwayson_scripts.sd_model_checkpoint",
        f"a checkpoint of one runtime ({', '.join(map(show, known)) or 'no runtime lists any'})",
        show(checkpoint),
    )


def _body(request: Request) -> dict[str, Any]:
    # Its clients may send any content type: its Lambda never looked.
    return convert(parse(request.body), dict[str, Any])


def _task(body: dict[str, Any]) -> dict[str, Any]:
    if "task" not in body:
        raise ContractError("$", "object", "nothing")
    task = body["task"]
    if not isinstance(task, dict):
        raise ContractError("$", "object", show(task))
    return task


@contextmanager
def _mistakes_at(root: str) -> Iterator[None]:
    """Tell mistakes by where they stand in the body, with the status that the predecessor has for all of them."""
    try:
        yield
    except ContractError as error:
        told = ContractError(root + error.path.removeprefix("$"), error.expected, error.got)
        raise of_contract(told, status=400) from error


def _accept(door: Door, request: Request, job: Job, places: Mapping[str, str]) -> Job:
    """Check and queue a job; mistakes are told by `places`, where the fields stand in the task."""
    job = sent(job, Caller(tenant=request.tenant, at=door.clock()))
    try:
        check(job, door.settings.runtimes)
    except ContractError as error:
        ours, theirs = next(pair for pair in places.items() if error.path.startswith(pair[0]))
        raise ContractError(theirs + error.path.removeprefix(ours), error.expected, error.got) from error
    queue(door, request, job)
    return job


def _location(door: Door, job: Job) -> str:
    return f"s3://{door.store.bucket}/{job.artifact_prefix.rstrip('/')}"
