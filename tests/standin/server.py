"""The stand-in: SQS and SSM by X-Amz-Target, SNS and STS by form, S3 by path; faults on the way in and out."""

import asyncio
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, unquote

import msgspec
from aiohttp import web

from .control import START, control
from .faults import UNHARMED, Fate, Faults
from .s3 import S3
from .sns import Sns
from .sqs import Sqs
from .ssm import TARGET as SSM_TARGET
from .ssm import Ssm
from .sts import ACTION as STS_ACTION
from .sts import Sts
from .wire import Answer, Call, Refusal, Service, Subject


class CallCount(msgspec.Struct):
    """How often something was called, and when first and last (epoch seconds)."""

    count: int
    first: float
    last: float


@dataclass(slots=True)
class Standin:
    """All of it. `latency` (seconds) is added to every call, half of it before the effect and half after.

    `calls` counts by operation and queue, topic or bucket: `ReceiveMessage jobs`.
    """

    latency: float = 0.0
    eventual: float = 0.0
    faults: Faults = field(default_factory=Faults)
    calls: dict[str, CallCount] = field(default_factory=dict)
    sqs: Sqs = field(init=False)
    sns: Sns = field(init=False)
    s3: S3 = field(default_factory=S3)
    ssm: Ssm = field(default_factory=Ssm)
    sts: Sts = field(default_factory=Sts)

    def __post_init__(self) -> None:
        self.sqs = Sqs(self.eventual)
        self.sns = Sns(self.sqs)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one HTTP request."""
        call = await _read(request)
        if call.path.startswith(START):
            return _response(control(self, call))
        service, fate = self._service(call), UNHARMED
        try:
            subject = service.subject(call)
            self._count(subject)
            fate = self.faults.meet(subject)
            await self._travel(fate)
            answer = await _effect(service, call, subject, fate)
        except Refusal as refusal:
            answer = service.refuse(refusal, call)
        await self._travel(fate)
        if fate.cut is not None:
            _cut(request, answer, fate)
        return _response(answer)

    async def _travel(self, fate: Fate) -> None:
        """The way there, or the way back."""
        if seconds := self.latency + fate.seconds:
            await asyncio.sleep(seconds / 2)

    def _service(self, call: Call) -> Service:
        if "x-amz-target" in call.headers:
            return self.ssm if call.headers["x-amz-target"].startswith(SSM_TARGET) else self.sqs
        if call.headers.get("content-type", "").startswith("application/x-www-form-urlencoded") and call.path == "/":
            return self.sts if f"Action={STS_ACTION}&".encode() in call.body + b"&" else self.sns
        return self.s3

    def _count(self, subject: Subject) -> None:
        name, now = f"{subject.operation} {subject.resource}".rstrip(), time.time()
        known = self.calls.setdefault(name, CallCount(0, now, now))
        known.count += 1
        known.last = now


async def _effect(service: Service, call: Call, subject: Subject, fate: Fate) -> Answer:
    if fate.cut == "cut_request":
        return Answer()
    if fate.refusal is not None:
        raise fate.refusal
    return await service.answer(call, subject, twice=fate.twice)


async def _read(request: web.BaseRequest) -> Call:
    if request.transport is not None and "Expect" in request.headers:
        request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    path, _, query = request.raw_path.partition("?")
    return Call(
        method=request.method,
        host=request.host,
        path=unquote(path),
        query=dict(parse_qsl(query, keep_blank_values=True)) if query else {},
        headers={name.lower(): value for name, value in request.headers.items()},
        body=await request.content.read() if request.can_read_body else b"",
    )


def _response(answer: Answer) -> web.Response:
    return web.Response(status=answer.status, body=answer.body, headers=answer.headers)


def _cut(request: web.BaseRequest, answer: Answer, fate: Fate) -> None:
    """Break the connection: at once, or after half of the answer. What is returned afterwards goes nowhere."""
    if request.transport is None:
        return
    if fate.cut == "cut_answer":
        told = {**answer.headers, "Content-Length": str(len(answer.body))}
        lines = [
            f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}",
            *(f"{k}: {v}" for k, v in told.items()),
        ]
        head = "\r\n".join(lines).encode() + b"\r\n\r\n"
        # Without a body to break in the middle of, break in the head.
        half = head + answer.body[: len(answer.body) // 2] if answer.body else head[: len(head) // 2]
        request.transport.write(half)
        request.transport.close()
    else:
        request.transport.abort()


async def listen(standin: Standin, port: int = 0) -> tuple[web.ServerRunner, str]:
    """Listen on loopback, on a free port if `port` is 0; the runner to clean up, and the URL."""
    # A caller who hangs up takes nothing: an abandoned long poll must not swallow a message.
    server = web.Server(standin.handle, handler_cancellation=True, access_log=None)
    runner = web.ServerRunner(server, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, backlog=1024).start()
    address: Any = runner.addresses[0]
    return runner, f"http://127.0.0.1:{address[1]}"
