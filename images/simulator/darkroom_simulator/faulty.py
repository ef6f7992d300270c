"""Make a job or a request fail as its fault says: before the work, instead of it, or in the answer."""

import asyncio
import os

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from .faults import Fault, Faults
from .gpu import Gpu, OnStep

_DRIP_SECONDS = 0.5
CRASH_STATUS = 139


def refuse(fault: Fault) -> web.Response | None:
    """The answer to what is not even begun."""
    if fault.fault != "status":
        return None
    headers = {"Retry-After": "1"} if fault.status == 429 else {}
    return web.Response(status=fault.status, text="the simulator was asked for this status", headers=headers)


async def do_work(gpu: Gpu, fault: Fault, job: str, steps: int, on_step: OnStep | None = None) -> None:
    """The work, or what happens instead of it.

    Raises:
        Interrupted: it was asked to stop.
    """
    if fault.fault in ("wedge", "hang"):
        await gpu.hang(job, for_ever=fault.fault == "wedge")
    seconds = gpu.latency if fault.latency is None else fault.latency
    if fault.fault == "crash":
        await gpu.work(job, seconds / 2)
        os._exit(CRASH_STATUS)
    await gpu.work(job, seconds, steps=steps, on_step=on_step)


async def finish(request: web.Request, body: bytes, fault: Fault, charset: str | None = None) -> web.StreamResponse:
    """Send a JSON answer, whole or as the fault says."""
    if fault.fault == "garbage":
        return web.Response(text="<html>not what you expect", content_type="text/html")
    if fault.fault == "huge":
        body = body[:-1] + (b"," if len(body) > 2 else b"") + b'"filling":"' + b"x" * fault.bytes + b'"}'
    if fault.fault not in ("truncated", "slow-drip"):
        return web.Response(body=body, content_type="application/json", charset=charset)
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": str(len(body))})
    await response.prepare(request)
    if fault.fault == "truncated":
        await response.write(body[: len(body) // 2])
        cut(request)
        return response
    for byte in body:
        await response.write(bytes((byte,)))
        await asyncio.sleep(_DRIP_SECONDS)
    return response


def cut(request: web.BaseRequest) -> None:
    """Cut the connection without a word."""
    if request.transport is not None:
        request.transport.abort()


def meeting(faults: Faults) -> Middleware:
    """A middleware that lets requests fail whose path a fault names."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        fault = faults.meet_request(request.path)
        if fault is None:
            return await handler(request)
        if fault.fault == "hang":
            await asyncio.Event().wait()
        return refuse(fault) or await finish(request, b'{"simulator": true}', fault)

    return middleware
