"""From a request's body to a job that may be queued: everything that can be refused before any GPU wakes. Pure."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from darkroom_contract import openai, sdwebui
from darkroom_contract.comfyui import check_graph
from darkroom_contract.decode import ContractError, convert, show
from darkroom_contract.job import Job, Task, decode_job
from darkroom_contract.workflow import Workflow, fill

from .settings import RuntimeSettings, RuntimeType

_TASKS: Mapping[RuntimeType, frozenset[Task]] = {
    "sdwebui": frozenset(set(Task) - {Task.PIPELINE}),
    "comfyui": frozenset({Task.PIPELINE}),
    "openai": frozenset({Task.TEXT_TO_IMAGE, Task.IMAGE_TO_IMAGE}),
}
_NOT_THE_CALLERS = {"tenant": "the API key tells the tenant", "submitted_at": "the API sets it"}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who submits: the tenant of the API key, and the moment."""

    tenant: str | None
    at: datetime


def job_of(value: Any, job_id: str, workflow: Callable[[str], Workflow], caller: Caller) -> Job:
    """Make the job of a body of `POST /v1/jobs`; `job_id` is its id if it names none.

    Raises:
        ContractError: the first mistake that was found.
    """
    body = convert(value, dict[str, Any])
    for name, why in _NOT_THE_CALLERS.items():
        if name in body:
            raise ContractError(f"$.{name}", f"no such field ({why})", show(body[name]))
    whole = {"id": job_id, **body}
    if "workflow" in whole:
        whole = _filled(whole, workflow)
    return sent(decode_job(whole), caller)


def sent(job: Job, caller: Caller) -> Job:
    """The job as it travels: whose it is, and since when."""
    return msgspec.structs.replace(job, tenant=caller.tenant, submitted_at=caller.at)


def check(job: Job, runtimes: Mapping[str, RuntimeSettings]) -> None:
    """Refuse what the runtime would refuse, as far as that is known without it.

    Raises:
        ContractError: an unknown runtime, a task that its type does not do, or a request that cannot run.
    """
    runtime = runtimes.get(job.runtime)
    if runtime is None:
        names = ", ".join(show(name) for name in sorted(runtimes)) or "none, for none is installed"
        raise ContractError("$.runtime", f"the name of an installed runtime ({names})", show(job.runtime))
    tasks = _TASKS[runtime.type]
    if job.task not in tasks:
        known = ", ".join(show(task.value) for task in sorted(tasks))
        raise ContractError("$.task", f"a task that runtimes of type {runtime.type} do ({known})", show(job.task.value))
    match runtime.type:
        case "comfyui":
            check_graph(job.input)
        case "sdwebui":
            sdwebui.check_request(job.task, job.input)
        case "openai":
            openai.check_request(job.task, job.input)


def _filled(body: dict[str, Any], workflow: Callable[[str], Workflow]) -> dict[str, Any]:
    """A call of a named workflow, turned into the job that it stands for."""
    for name in ("runtime", "task", "input"):
        if name in body:
            raise ContractError(f"$.{name}", "no such field beside `workflow`, which says it", show(body[name]))
    rest = {name: value for name, value in body.items() if name not in ("workflow", "params")}
    named = workflow(_name_of(body["workflow"]))
    params = _params_of(body.get("params", {}))
    seeds = {
        name: _seed(str(body["id"]), name)
        for name, parameter in named.parameters.items()
        if parameter.seed and params.get(name) is None
    }
    return {**rest, "runtime": named.runtime, "task": named.task, "input": fill(named, {**params, **seeds})}


def _name_of(value: Any) -> str:
    """A workflow's name."""
    if not isinstance(value, str):
        raise ContractError("$.workflow", "string", show(value))
    return value


def _params_of(value: Any) -> dict[str, Any]:
    """A workflow's parameters."""
    if not isinstance(value, dict):
        raise ContractError("$.params", "object", show(value))
    return value


def _seed(job_id: str, name: str) -> int:
    """A seed for whoever named none: of the job's id, so that the same request again is the same job."""
    return int.from_bytes(hashlib.sha256(f"{job_id}/{name}".encode()).digest()[:4])
