"""The ComfyUI API, as ComfyUI 0.33.0 was recorded to speak it."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler

from .comfyui_clients import FEATURES, Clients
from .comfyui_files import Files
from .comfyui_info import Info
from .comfyui_jobs import Jobs
from .comfyui_queue import Item, PromptQueue, Twice
from .comfyui_validate import Malformed, check_prompt_id, error, validate
from .comfyui_worker import Worker
from .faults import Faults
from .faulty import finish, refuse
from .gpu import Gpu
from .options import Options

MAX_UPLOAD = int(str(FEATURES["max_upload_size"]))


class ComfyUI:
    """One imagined ComfyUI, with its folders below `folder`."""

    def __init__(self, options: Options, gpu: Gpu, faults: Faults, folder: Path) -> None:
        self._models = list(options.models)
        self._faults = faults
        self._files = Files(folder, options.image_bytes)
        self._clients = Clients()
        self._queue = PromptQueue(self._clients)
        self._worker = Worker(self._queue, self._clients, gpu, self._files)
        self._jobs = Jobs(self._queue, self._worker.interrupt)
        self._info = Info(options.models, gpu)

    def routes(self) -> list[web.RouteDef]:
        """Every path that was recorded, with and without /api before it."""
        plain = [
            ("GET", "/ws", self._ws),
            ("POST", "/prompt", self._post_prompt),
            ("GET", "/prompt", self._get_prompt),
            ("GET", "/queue", self._get_queue),
            ("POST", "/queue", self._post_queue),
            ("POST", "/interrupt", self._interrupt),
            ("GET", "/history", self._get_history),
            ("POST", "/history", self._post_history),
            ("GET", "/history/{prompt_id}", self._get_one_history),
            ("POST", "/upload/image", self._upload),
            ("GET", "/view", self._view),
            ("POST", "/free", self._free),
            *self._info.routes(),
        ]
        both = [web.route(method, before + path, do) for method, path, do in plain for before in ("", "/api")]
        return [*both, *self._jobs.routes()]

    async def working(self, _: web.Application) -> AsyncIterator[None]:
        """Run the worker for as long as the application lives."""
        worker = asyncio.create_task(self._worker.work())
        yield
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)

    async def _ws(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        client_id = request.query.get("clientId") or uuid.uuid4().hex
        self._clients.add(client_id, socket, request)
        status = {"status": {"exec_info": {"queue_remaining": self._queue.remaining()}}, "sid": client_id}
        await socket.send_json({"type": "status", "data": status})
        if (node := self._worker.node_of(client_id)) is not None:
            # All that a client hears of what it missed.
            await socket.send_json({"type": "executing", "data": {"node": node}})
        try:
            async for message in socket:
                await self._clients.hear(client_id, message)
        finally:
            self._clients.remove(client_id, socket)
        return socket

    async def _post_prompt(self, request: web.Request) -> web.StreamResponse:
        body = await _json(request)
        if not isinstance(body, dict) or "prompt" not in body:
            return _refused(error("no_prompt", "No prompt provided", "No prompt provided"))
        fault = self._faults.meet_job((body.get("extra_data") or {}).get("simulator"))
        if (refused := refuse(fault)) is not None:
            return refused
        number = self._number(body)
        if "prompt_id" in body and (wrong := check_prompt_id(body["prompt_id"])) is not None:
            return _refused(wrong)
        result = validate(body["prompt"], body.get("partial_execution_targets"), self._files.has_input, self._models)
        if result.error is not None:
            return _refused(result.error, result.node_errors)
        client = {"client_id": body["client_id"]} if "client_id" in body else {}
        item = Item(
            number=number,
            prompt_id=body.get("prompt_id") or str(uuid.uuid4()),
            graph=body["prompt"],
            extra_data={**(body.get("extra_data") or {}), **client},
            outputs=result.outputs,
            fault=fault,
        )
        await self._queue.put(item)
        answer = {"prompt_id": item.prompt_id, "number": item.number, "node_errors": result.node_errors}
        return await finish(request, msgspec.json.encode(answer), fault, charset="utf-8")

    def _number(self, body: dict[str, Any]) -> float:
        """Every prompt takes a number, refused ones too (recorded)."""
        if "number" not in body:
            return self._queue.next_number(front=bool(body.get("front")))
        try:
            return float(body["number"])
        except (TypeError, ValueError) as wrong:
            raise Malformed from wrong

    async def _get_prompt(self, _: web.Request) -> web.Response:
        return web.json_response({"exec_info": {"queue_remaining": self._queue.remaining()}})

    async def _get_queue(self, _: web.Request) -> web.Response:
        running = [self._queue.running.as_queue_entry()] if self._queue.running else []
        pending = [item.as_queue_entry() for item in self._queue.pending]
        return web.json_response({"queue_running": running, "queue_pending": pending})

    async def _post_queue(self, request: web.Request) -> web.Response:
        body = await _json(request)
        waiting = [item.prompt_id for item in self._queue.pending] if body.get("clear") else []
        await self._queue.delete([*waiting, *body.get("delete", ())])
        return web.Response()

    async def _interrupt(self, request: web.Request) -> web.Response:
        """Targeted, if a prompt_id is given (since about 0.3.56)."""
        wanted = (await _json(request)).get("prompt_id") if request.can_read_body else None
        running = self._queue.running
        if running is not None and wanted in (None, running.prompt_id):
            self._worker.interrupt()
        return web.Response()

    async def _get_history(self, request: web.Request) -> web.Response:
        items = list(self._queue.history.items())
        most = int(request.query.get("max_items", len(items) or 1))
        return web.json_response(dict(items[-most:]))

    async def _get_one_history(self, request: web.Request) -> web.Response:
        prompt_id = request.match_info["prompt_id"]
        entry = self._queue.history.get(prompt_id)
        return web.json_response({} if entry is None else {prompt_id: entry})

    async def _post_history(self, request: web.Request) -> web.Response:
        body = await _json(request)
        if body.get("clear"):
            self._queue.history.clear()
        for prompt_id in body.get("delete", ()):
            self._queue.history.pop(prompt_id, None)
        return web.Response()

    async def _upload(self, request: web.Request) -> web.Response:
        form = await request.post()
        image = form.get("image")
        if not isinstance(image, web.FileField) or not image.filename:
            return web.Response(status=400)
        place, subfolder = str(form.get("type", "input")), str(form.get("subfolder", ""))
        overwrite = form.get("overwrite") in ("true", "1")
        name, data = Path(image.filename).name, image.file.read()
        kept = await asyncio.to_thread(self._files.upload, place, subfolder, name, data, overwrite=overwrite)
        if kept is None:
            return web.Response(status=400)
        return web.json_response({"name": kept, "subfolder": subfolder, "type": place})

    async def _view(self, request: web.Request) -> web.StreamResponse:
        name = request.query.get("filename", "")
        path = self._files.path(request.query.get("type", "output"), request.query.get("subfolder", ""), name)
        if path is None:
            return web.Response(status=403)
        if not path.is_file():
            return web.Response(status=404)
        headers = {"Content-Disposition": f'filename="{path.name}"', "X-Content-Type-Options": "nosniff"}
        return web.FileResponse(path, headers=headers)

    async def _free(self, _: web.Request) -> web.Response:
        return web.Response()


async def _json(request: web.Request) -> Any:
    try:
        return json.loads(await request.text())
    except json.JSONDecodeError as wrong:
        raise Malformed from wrong


def _refused(wrong: dict[str, Any], node_errors: dict[str, Any] | None = None) -> web.Response:
    return web.json_response({"error": wrong, "node_errors": node_errors or {}}, status=400)


@web.middleware
async def origins(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse a foreign Origin and what is too large, and answer the server's own mistakes."""
    origin = request.headers.get("Origin")
    if origin and urlsplit(origin).netloc != request.host:
        return web.Response(status=403)
    try:
        return await handler(request)
    except (Malformed, Twice):
        return web.Response(status=500, text="500 Internal Server Error\n\nServer got itself in trouble")
    except web.HTTPNotFound:
        return web.Response(status=404, headers={"Content-Type": "application/octet-stream"})
    except web.HTTPRequestEntityTooLarge:
        return web.Response(status=413, text=f"Maximum request body size {MAX_UPLOAD} exceeded.")
