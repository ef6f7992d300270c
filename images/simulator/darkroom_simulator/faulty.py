"""Make a request fail as its fault says: before the work, instead of it, or in the answer."""

import asyncio
import os

from aiohttp import web

from .faults import Fault
from .gpu import Gpu

_DRIP_SECONDS = 0.5


async def apply_before(request: web.Request, fault: Fault, gpu: Gpu) -> None:
    """Faults that meet the request before any work."""
    if gpu.wedged:
        await asyncio.Event().wait()
    if fault.fault == "status":
        raise _status(fault.status)
    if fault.fault == "garbage":
        raise _Garbage
    del request


async def apply_during(fault: Fault, gpu: Gpu, name: str) -> None:
    """The work, or what happens instead of it."""
    if fault.fault == "wedge":
        await gpu.hang(name, for_ever=True)
    if fault.fault == "hang":
        await gpu.hang(name, for_ever=False)
    if fault.fault == "crash":
        await gpu.work(name, (gpu.latency if fault.latency is None else fault.latency) / 2)
        os._exit(139)
    await gpu.work(name, fault.latency)


async def finish(request: web.Request, body: bytes, fault: Fault) -> web.StreamResponse:
    """Send the answer, whole or as the fault says."""
    if fault.fault == "huge":
        body = body[:-1] + b',"filling":"' + b"x" * fault.bytes + b'"}'
    if fault.fault not in ("truncated", "slow-drip"):
        return web.Response(body=body, content_type="application/json")
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": str(len(body))})
    await response.prepare(request)
    if fault.fault == "truncated":
        await response.write(body[: len(body) // 2])
        assert request.transport is not None
        request.transport.close()
        return response
    for byte in body:
        await response.write(bytes((byte,)))
        await asyncio.sleep(_DRIP_SECONDS)
    return response


def _status(status: int) -> web.HTTPException:
    kinds = {429: web.HTTPTooManyRequests, 502: web.HTTPBadGateway, 503: web.HTTPServiceUnavailable}
    return kinds.get(status, web.HTTPInternalServerError)(text="the simulator was asked for this status")


class _Garbage(web.HTTPOk):
    def __init__(self) -> None:
        super().__init__(text="<html>not what you expect", content_type="text/html")
