"""The jobs Lambda: API Gateway's requests to the jobs API, and the scheduled sweep."""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import structlog

from darkroom_agent.logs import start_logs
from darkroom_contract.decode import ContractError

from . import job_endpoints, other_endpoints, predecessor
from .aws import Clients
from .cors import with_cors
from .door import Door
from .http import Answer, Request, problem_answer, request_of
from .outbox import Topic
from .problems import Problem, of_contract
from .queues import Queues
from .routing import Routes, find
from .segments import Segments
from .settings import Settings
from .store import Store
from .sweep import sweep
from .workflows import Workflows

log = structlog.get_logger()

ROUTES: Routes[Door] = {
    "/v1/jobs": {"POST": job_endpoints.post_job, "GET": job_endpoints.list_jobs},
    "/v1/jobs/{id}": {"GET": job_endpoints.get_job, "DELETE": job_endpoints.cancel_job},
    "/v1/runtimes": {"GET": other_endpoints.list_runtimes},
    "/v1/workflows": {"GET": other_endpoints.list_workflows},
    "/v1/workflows/{name}": {"GET": other_endpoints.get_workflow},
    "/v1/inputs": {"POST": other_endpoints.post_input},
    "/v1/openapi.json": {"GET": other_endpoints.get_openapi},
    "/": {"GET": other_endpoints.get_page},
    "": {"GET": other_endpoints.to_page},
    "/assets/{name}": {"GET": other_endpoints.get_page},
    "/v1alpha1": {"POST": predecessor.post_v1alpha1},
    "/v1alpha2": {"POST": predecessor.post_v1alpha2},
}


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """What Lambda calls: a REST proxy event, or the schedule's `{"darkroom": "sweep"}`."""
    door = _door()
    if event.get("darkroom") == "sweep":
        return {"published": sweep(door.store, door.topic, door.clock())}
    return answer(door, event).event()


def answer(door: Door, event: dict[str, Any]) -> Answer:
    """Answer one request; whatever happens, it is an answer with a reason."""
    started = time.monotonic()
    structlog.contextvars.clear_contextvars()
    request: Request | None = None
    try:
        request = request_of(event, door.settings.tenants, os.environ.get("_X_AMZN_TRACE_ID"))
        structlog.contextvars.bind_contextvars(trace_id=request.trace.xray_id)
        if request.method == "OPTIONS":
            given = Answer(204)
        else:
            route = find(ROUTES, request.method, request.path)
            given = route.answer(door, request, route.argument)
    except ContractError as error:
        given = problem_answer(of_contract(error))
    except Problem as problem:
        given = problem_answer(problem)
    except Exception:
        log.exception("request failed", path=event.get("path"))
        given = problem_answer(Problem(500, "internal", "a mistake of ours; it is in the log"))
    log.info(
        "request",
        method=event.get("httpMethod"),
        path=event.get("path"),
        status=given.status,
        tenant=request and request.tenant,
        seconds=round(time.monotonic() - started, 4),
    )
    origin = request.headers.get("origin") if request else None
    return with_cors(given, origin, door.settings.cors_origins)


@cache
def _door() -> Door:
    """The door of this process, made at the first event so that nothing happens at import."""
    settings = Settings.from_environ(os.environ)
    start_logs(settings.log_level)
    clients = Clients()
    store = Store(clients.s3, settings.bucket)
    return Door(
        settings=settings,
        store=store,
        topic=Topic(clients.sns, settings.jobs_topic_arn),
        queues=Queues(clients, settings),
        workflows=Workflows(Store(clients.s3, settings.models_bucket)),
        segments=Segments(settings.xray_daemon),
        pool=ThreadPoolExecutor(16, thread_name_prefix="reads"),
    )
