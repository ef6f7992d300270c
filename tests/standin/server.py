"""The stand-in's one port: SQS by X-Amz-Target, SNS by form, S3 by path; with latency added to each call."""

import asyncio
import hashlib
import json
import re
import time
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

import msgspec
from aiohttp import web

from .queues import AwsError, Queues
from .topics import Topics, error_xml


class Standin:
    """All of it. `latency` (seconds) is added to every call."""

    def __init__(self, latency: float = 0.0) -> None:
        self.latency = latency
        self.queues = Queues()
        self.topics = Topics(self.queues)
        self.objects: dict[str, dict[str, tuple[bytes, str]]] = {}
        self.calls: dict[str, dict[str, float]] = {}

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one call."""
        if request.path == "/_calls":
            return web.json_response(self.calls)
        if self.latency:
            await asyncio.sleep(self.latency)
        target = request.headers.get("X-Amz-Target")
        if target is not None:
            return await self._sqs(target.rsplit(".", 1)[-1], await request.read())
        if request.method == "POST" and request.path == "/":
            self._count("SNS")
            return web.Response(text=self.topics.call(await request.text()), content_type="text/xml")
        return await self._s3(request)

    def _count(self, name: str) -> None:
        call = self.calls.setdefault(name, {"count": 0, "first": time.time()})
        call["count"] += 1

    async def _sqs(self, operation: str, body: bytes) -> web.Response:
        request = msgspec.json.decode(body)
        self._count(f"{operation} {request.get('QueueUrl', '').rsplit('/', 1)[-1]}".rstrip())
        try:
            answer = await self.queues.call(operation, request)
        except AwsError as error:
            told = {"__type": f"com.amazonaws.sqs#{error.code}", "message": error.message}
            return web.Response(body=json.dumps(told), status=error.status, content_type="application/x-amz-json-1.0")
        return web.Response(body=msgspec.json.encode(answer), content_type="application/x-amz-json-1.0")

    async def _s3(self, request: web.Request) -> web.Response:
        bucket, _, key = request.path.removeprefix("/").partition("/")
        self._count(f"S3 {request.method}")
        body = await request.read()
        if not key:
            return self._bucket(request, bucket, body)
        objects = self.objects.setdefault(bucket, {})
        if request.method == "PUT":
            return _put(objects, key, body, request)
        if request.method == "DELETE":
            objects.pop(key, None)
            return web.Response(status=204)
        if key not in objects:
            return _error("NoSuchKey", 404, empty=request.method == "HEAD")
        data, content_type = objects[key]
        headers = {"ETag": _etag(data), "Content-Type": content_type}
        return web.Response(body=data, headers=headers)

    def _bucket(self, request: web.Request, bucket: str, body: bytes) -> web.Response:
        if request.method == "PUT":
            self.objects.setdefault(bucket, {})
            return web.Response()
        if bucket not in self.objects:
            return _error("NoSuchBucket", 404)
        objects = self.objects[bucket]
        if request.method == "POST" and "delete" in request.query:
            for one in ET.fromstring(body).iter():  # noqa: S314 (from our own client)
                if one.tag.rsplit("}", 1)[-1] == "Key":
                    objects.pop(one.text or "", None)
            return _xml("<DeleteResult/>")
        prefix = request.query.get("prefix", "")
        found = "".join(
            f"<Contents><Key>{escape(key)}</Key><Size>{len(objects[key][0])}</Size></Contents>"
            for key in sorted(objects)
            if key.startswith(prefix)
        )
        return _xml(f"<ListBucketResult><IsTruncated>false</IsTruncated>{found}</ListBucketResult>")


def _put(objects: dict[str, tuple[bytes, str]], key: str, body: bytes, request: web.Request) -> web.Response:
    """Conditional as S3 is: 412 where the condition does not hold, 404 where there is nothing to match."""
    there = objects.get(key)
    if "If-None-Match" in request.headers and there is not None:
        return _error("PreconditionFailed", 412)
    wanted = request.headers.get("If-Match")
    if wanted is not None:
        if there is None:
            return _error("NoSuchKey", 404)
        if _etag(there[0]) != wanted:
            return _error("PreconditionFailed", 412)
    if request.headers.get("Content-Encoding") == "aws-chunked":
        body = _unchunked(body)
    objects[key] = (body, request.headers.get("Content-Type", "binary/octet-stream"))
    return web.Response(headers={"ETag": _etag(body)})


def _unchunked(body: bytes) -> bytes:
    parts, at = [], 0
    while (found := re.compile(rb"([0-9a-f]+)(?:;[^\r]*)?\r\n").match(body, at)) and (size := int(found[1], 16)):
        parts.append(body[found.end() : found.end() + size])
        at = found.end() + size + 2
    return b"".join(parts)


def _etag(data: bytes) -> str:
    return f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"'


def _xml(text: str) -> web.Response:
    return web.Response(text=f'<?xml version="1.0" encoding="UTF-8"?>{text}', content_type="application/xml")


def _error(code: str, status: int, *, empty: bool = False) -> web.Response:
    return web.Response(text="" if empty else error_xml(code, code), status=status, content_type="application/xml")


async def listen(standin: Standin) -> tuple[web.AppRunner, str]:
    """Listen on a free port of loopback; the runner to clean up, and the URL."""
    app = web.Application(client_max_size=1 << 30)
    app.router.add_route("*", "/{path:.*}", standin.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    standin.queues.base_url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    return runner, standin.queues.base_url
