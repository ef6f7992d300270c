"""Checks of the API from outside: its name, its answer, its version, the key, and whether its runtimes are at work."""

import asyncio
import json
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec

from darkroom_contract.api import QueueState, RuntimeList, RuntimeView

from .doctor_jobs import check_jobs
from .finding import Finding, fine, skipped, warning, wrong
from .texts import duration

_VERSION = "1"  # of api/openapi.yaml
_LONG_SECONDS = 900.0
_SET_KEY = "set DARKROOM_API_KEY, or `api_key` in the config file; `terraform output api_keys` has the keys"
_NOTHING = "nothing can be submitted or looked at"


@dataclass(frozen=True, slots=True)
class ApiReport:
    """What was found, and the runtimes, if the API told them."""

    findings: tuple[Finding, ...]
    runtimes: tuple[RuntimeView, ...] | None = None


async def check_api(endpoint: str, http: httpx.AsyncClient) -> ApiReport:
    """Look at the API; `http` has its address and its key."""
    host = urlsplit(endpoint).hostname or ""
    named = await _name(host)
    if named is not None:
        return ApiReport((named,))
    answered = await _answer(http)
    if answered.verdict == "wrong":
        return ApiReport((answered,))
    keyed, runtimes = await _key(http)
    if runtimes is None:
        return ApiReport((answered, keyed))
    at_work = (one for each in runtimes for one in _at_work(each))
    return ApiReport((answered, keyed, *at_work, await check_jobs(http)), runtimes)


async def _name(host: str) -> Finding | None:
    """What is wrong with the host's name, if anything is."""
    try:
        await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        seen = f"{host or 'the address'} is not found: {getattr(error, 'strerror', None) or error}"
        return wrong(
            "api", seen, _NOTHING, "is the endpoint spelt right, and is this machine in its network (VPN, DNS)?"
        )
    return None


async def _answer(http: httpx.AsyncClient) -> Finding:
    """Its description needs no key: who gets it speaks with a Darkroom API."""
    begun = time.monotonic()
    try:
        answer = await http.get("v1/openapi.json")
    except httpx.HTTPError as error:
        return wrong(
            "api", f"{http.base_url} does not answer: {str(error) or type(error).__name__}", _NOTHING, _cure(error)
        )
    seconds = time.monotonic() - begun
    if not answer.is_success:
        todo = "give the endpoint with its stage (`https://…/prod`), as `terraform output api_endpoint` has it"
        return wrong("api", f"{answer.url} answered {answer.status_code}", _NOTHING, todo)
    theirs = _version(answer.content)
    if theirs is None:
        return wrong("api", f"{answer.url} is something else", _NOTHING, "give the endpoint of the jobs API")
    seen = f"version {theirs} at {http.base_url} ({duration(seconds)})"
    if theirs != _VERSION:
        why = f"this command line speaks version {_VERSION}, and may not understand what the other says"
        return warning("api", seen, why, "`pip install --upgrade darkroom[cli]`, or an older one")
    return fine("api", seen)


def _cure(error: httpx.HTTPError) -> str:
    text = str(error)
    if "CERTIFICATE" in text.upper():
        return (
            "the certificate is not trusted: is a proxy between, or the system's clock wrong? SSL_CERT_FILE names more"
        )
    if isinstance(error, httpx.TimeoutException):
        return "a firewall, or a private API seen from outside its network"
    return "is it deployed, and the endpoint right? `terraform output api_endpoint` has it"


def _version(content: bytes) -> str | None:
    try:
        document: Any = json.loads(content)
        return str(document["info"]["version"]) if "/v1/jobs" in document["paths"] else None
    except (ValueError, LookupError, TypeError):
        return None


async def _key(http: httpx.AsyncClient) -> tuple[Finding, tuple[RuntimeView, ...] | None]:
    given = "x-api-key" in http.headers
    try:
        answer = await http.get("v1/runtimes")
    except httpx.HTTPError as error:
        return wrong("key", f"no answer: {str(error) or type(error).__name__}", _NOTHING, "try again"), None
    if answer.status_code in (401, 403):
        seen = "the key was not accepted" if given else "a key is needed, and none is given"
        return wrong("key", seen, _NOTHING, _SET_KEY), None
    if answer.status_code == 429:
        return warning(
            "key", "over its rate or quota", "requests are refused for a while", "ask for a larger plan"
        ), None
    try:
        runtimes = msgspec.json.decode(answer.content, type=RuntimeList).runtimes
    except (msgspec.DecodeError, UnicodeError):
        todo = "the jobs Lambda's log in CloudWatch says why"
        return wrong(
            "key", f"/v1/runtimes answered {answer.status_code}", "the API is up and does not work", todo
        ), None
    return fine("key", "accepted" if given else "none needed"), runtimes


def _at_work(runtime: RuntimeView) -> Iterator[Finding]:
    """Whether somebody takes a runtime's jobs."""
    for name, queue in ((runtime.name, runtime.queue), (f"{runtime.name}, bulk", runtime.bulk_queue)):
        if queue is not None:
            yield _queue(f"runtime {name}", runtime.name, queue)
        elif name == runtime.name:
            yield skipped(f"runtime {name}", "the API could not ask its queue")


def _queue(name: str, runtime: str, queue: QueueState) -> Finding:
    seen = f"{queue.waiting} waiting, {queue.in_flight} at work"
    old = queue.oldest_seconds
    if old is not None and queue.waiting:
        seen += f", the oldest for {duration(old)}"
    if queue.waiting and not queue.in_flight:
        why = "nobody takes its jobs; a first pod may be on its way, which takes minutes with a new node"
        todo = f"`kubectl get scaledobject,pods,nodeclaims -A | grep {runtime}`, then the pod's events and log"
        return (wrong if (old or 0) > _LONG_SECONDS else warning)(name, seen, why, todo)
    if queue.waiting and (old or 0) > _LONG_SECONDS:
        todo = "raise scaling.maxReplicas of its release, or send what can wait as priority bulk"
        return warning(name, seen, "more comes in than its pods do", todo)
    return fine(name, seen)
