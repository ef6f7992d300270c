"""The ComfyUI API, as ComfyUI 0.33.0 was recorded to speak it."""

import asyncio
import json
import os
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from aiohttp import BodyPartReader, web

from .comfyui_execute import Executor
from .comfyui_jobs import job_of
from .comfyui_nodes import NODES, object_info
from .comfyui_queue import Clients, Item, PromptQueue
from .comfyui_validate import Malformed, check_prompt_id, error, validate
from .faults import Faults
from .faulty import apply_before
from .gpu import Gpu
from .options import Options

MAX_UPLOAD = 104_857_600
_STATES = ("pending", "in_progress", "completed", "failed", "cancelled")
_FOLDERS = ("checkpoints", "configs", "loras", "vae")


class ComfyUI:
    """One imagined ComfyUI, with its folders below `folder`."""

    def __init__(self, options: Options, gpu: Gpu, faults: Faults, folder: Path) -> None:
        self._options = options
        self._gpu = gpu
        self._faults = faults
        self._folder = folder
        self._clients = Clients()
        self._queue = PromptQueue(self._clients)
        self._executor = Executor(self._queue, self._clients, gpu, folder, options.image_bytes)
        for name in ("input", "output", "temp"):
            (folder / name).mkdir(parents=True, exist_ok=True)

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
            ("GET", "/object_info", self._object_info),
            ("GET", "/object_info/{name}", self._one_object_info),
            ("GET", "/system_stats", self._system_stats),
            ("POST", "/free", self._free),
            ("GET", "/models", self._models),
            ("GET", "/models/{folder}", self._models_of),
            ("GET", "/embeddings", _empty),
            ("GET", "/features", _features),
        ]
        jobs = [
            ("GET", "/api/jobs", self._jobs),
            ("GET", "/api/jobs/{prompt_id}", self._job),
            ("POST", "/api/jobs/{prompt_id}/cancel", self._cancel_job),
        ]
        both = [(method, before + path, handler) for method, path, handler in plain for before in ("", "/api")]
        return [web.route(method, path, handler) for method, path, handler in [*both, *jobs]]

    async def working(self, _: web.Application) -> Any:
        """Run the worker for as long as the application lives."""
        worker = asyncio.create_task(self._executor.work())
        yield
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)

    async def _ws(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        client_id = request.query.get("clientId") or uuid.uuid4().hex
        self._clients.add(client_id, socket)
        status = {"status": {"exec_info": {"queue_remaining": self._queue.remaining()}}, "sid": client_id}
        await socket.send_json({"type": "status", "data": status})
        try:
            async for _ in socket:
                pass
        finally:
            self._clients.remove(client_id, socket)
        return socket

    async def _post_prompt(self, request: web.Request) -> web.StreamResponse:
        body = await _json(request)
        asked = (body.get("extra_data") or {}).get("simulator") if isinstance(body, dict) else None
        fault = self._faults.meet(asked)
        await apply_before(request, fault, Gpu(0))
        if not isinstance(body, dict) or "prompt" not in body:
            return _refused(error("no_prompt", "No prompt provided", "No prompt provided"))
        if "prompt_id" in body and (wrong := check_prompt_id(body["prompt_id"])) is not None:
            return _refused(wrong)
        number = body.get("number")
        if number is not None and not isinstance(number, int | float):
            raise Malformed
        targets = body.get("partial_execution_targets")
        result = validate(body["prompt"], targets, self._has_input, list(self._options.models))
        if result.error is not None:
            return _refused(result.error, result.node_errors)
        extra = {**(body.get("extra_data") or {}), "client_id": body.get("client_id", "")}
        item = Item(
            number=float(number) if number is not None else self._queue.next_number(front=bool(body.get("front"))),
            prompt_id=body.get("prompt_id") or str(uuid.uuid4()),
            graph=body["prompt"],
            extra_data=extra,
            outputs=result.outputs,
            fault=fault,
        )
        await self._queue.put(item)
        return web.json_response(
            {"prompt_id": item.prompt_id, "number": item.number, "node_errors": result.node_errors}
        )

    def _has_input(self, name: str) -> bool:
        path = (self._folder / "input" / name).resolve()
        return path.is_relative_to((self._folder / "input").resolve()) and path.is_file()

    async def _get_prompt(self, _: web.Request) -> web.Response:
        return web.json_response({"exec_info": {"queue_remaining": self._queue.remaining()}})

    async def _get_queue(self, _: web.Request) -> web.Response:
        running = [self._queue.running.as_queue_entry()] if self._queue.running else []
        pending = [item.as_queue_entry() for item in self._queue.pending]
        return web.json_response({"queue_running": running, "queue_pending": pending})

    async def _post_queue(self, request: web.Request) -> web.Response:
        body = await _json(request)
        if body.get("clear"):
            await self._queue.delete([item.prompt_id for item in self._queue.pending])
        await self._queue.delete(body.get("delete", []))
        return web.Response()

    async def _interrupt(self, request: web.Request) -> web.Response:
        """Targeted, if a prompt_id is given (since about 0.3.56)."""
        wanted = (await _json(request)).get("prompt_id") if request.can_read_body else None
        running = self._queue.running
        if running is not None and wanted in (None, running.prompt_id):
            self._executor.interrupt()
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
        if not request.content_type.startswith("multipart/"):
            return web.Response(status=400)
        fields, name, data = await _parts(request)
        if data is None or not name:
            return web.Response(status=400)
        root = (self._folder / fields.get("type", "input")).resolve()
        folder = (root / fields.get("subfolder", "")).resolve()
        if not folder.is_relative_to(root):
            return web.Response(status=400)
        folder.mkdir(parents=True, exist_ok=True)
        path = _place(folder, Path(name).name, data, overwrite=fields.get("overwrite") in ("true", "1"))
        path.write_bytes(data)
        answer = {"name": path.name, "subfolder": fields.get("subfolder", ""), "type": fields.get("type", "input")}
        return web.json_response(answer)

    async def _view(self, request: web.Request) -> web.StreamResponse:
        root = (self._folder / request.query.get("type", "output")).resolve()
        path = (root / request.query.get("subfolder", "") / request.query.get("filename", "")).resolve()
        if not path.is_relative_to(root):
            return web.Response(status=403)
        return web.FileResponse(path) if path.is_file() else web.Response(status=404)

    async def _object_info(self, _: web.Request) -> web.Response:
        return web.json_response({name: object_info(name, list(self._options.models)) for name in NODES})

    async def _one_object_info(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        return web.json_response({name: object_info(name, list(self._options.models))} if name in NODES else {})

    async def _system_stats(self, _: web.Request) -> web.Response:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        free = total - self._gpu.used_bytes
        system = {
            "os": "linux",
            "ram_total": total,
            "ram_free": free,
            "comfyui_version": "0.33.0",
            "python_version": "3.13",
            "pytorch_version": "none: a simulator",
            "embedded_python": False,
            "argv": ["main.py"],
        }
        device = {
            "name": "simulated",
            "type": "cuda",
            "index": 0,
            "vram_total": total,
            "vram_free": free,
            "torch_vram_total": total,
            "torch_vram_free": free,
        }
        return web.json_response({"system": system, "devices": [device]})

    async def _free(self, _: web.Request) -> web.Response:
        return web.Response()

    async def _models(self, _: web.Request) -> web.Response:
        return web.json_response(list(_FOLDERS))

    async def _models_of(self, request: web.Request) -> web.Response:
        folder = request.match_info["folder"]
        if folder not in _FOLDERS:
            return web.Response(status=404)
        return web.json_response(list(self._options.models) if folder == "checkpoints" else [])

    async def _jobs(self, request: web.Request) -> web.Response:
        wanted = [state for state in request.query.get("status", "").split(",") if state]
        unknown = [state for state in wanted if state not in _STATES]
        if unknown:
            said = f"Invalid status value(s): {', '.join(unknown)}. Valid values: {', '.join(_STATES)}"
            return web.json_response({"error": said}, status=400)
        ids = [*self._queue.history, *([self._queue.running.prompt_id] if self._queue.running else [])]
        jobs = [job_of(self._queue, one) for one in [*ids, *(item.prompt_id for item in self._queue.pending)]]
        jobs = [job for job in jobs if job is not None and (not wanted or job["status"] in wanted)]
        pages = {"offset": 0, "limit": None, "total": len(jobs), "has_more": False}
        return web.json_response({"jobs": jobs, "pagination": pages})

    async def _job(self, request: web.Request) -> web.Response:
        job = job_of(self._queue, request.match_info["prompt_id"])
        return web.json_response({"error": "Job not found"}, status=404) if job is None else web.json_response(job)

    async def _cancel_job(self, request: web.Request) -> web.Response:
        prompt_id = request.match_info["prompt_id"]
        job = job_of(self._queue, prompt_id)
        if job is None:
            return web.json_response({"error": "Job not found"}, status=404)
        if job["status"] == "pending":
            await self._queue.delete([prompt_id])
        elif job["status"] == "in_progress":
            self._executor.interrupt()
        return web.json_response({"cancelled": job["status"] in ("pending", "in_progress")})


def _place(folder: Path, name: str, data: bytes, *, overwrite: bool) -> Path:
    """Where an upload goes: the same image again keeps its name, another of that name gets a number (recorded)."""
    path, number = folder / name, 1
    while not overwrite and path.exists() and path.read_bytes() != data:
        path = folder / f"{Path(name).stem} ({number}){Path(name).suffix}"
        number += 1
    return path


async def _parts(request: web.Request) -> tuple[dict[str, str], str, bytes | None]:
    fields: dict[str, str] = {}
    name, data = "", None
    async for part in await request.multipart():
        assert isinstance(part, BodyPartReader)
        if part.name == "image":
            name, data = part.filename or "", bytes(await part.read(decode=False))
        else:
            fields[part.name or ""] = await part.text()
    return fields, name, data


async def _json(request: web.Request) -> Any:
    try:
        return json.loads(await request.text())
    except json.JSONDecodeError as wrong:
        raise Malformed from wrong


def _refused(wrong: dict[str, Any], node_errors: dict[str, Any] | None = None) -> web.Response:
    return web.json_response({"error": wrong, "node_errors": node_errors or {}}, status=400)


async def _empty(_: web.Request) -> web.Response:
    return web.json_response([])


async def _features(_: web.Request) -> web.Response:
    return web.json_response({"supports_preview_metadata": True, "max_upload_size": MAX_UPLOAD})


@web.middleware
async def origins(request: web.Request, handler: Any) -> web.StreamResponse:
    """Refuse a foreign Origin, answer the server's own mistakes, and what is too large."""
    origin = request.headers.get("Origin")
    if origin and urlsplit(origin).netloc != request.host:
        return web.Response(status=403)
    try:
        return await handler(request)  # type: ignore[no-any-return]
    except Malformed:
        text = "500 Internal Server Error\n\nServer got itself in trouble"
        return web.Response(status=500, text=text)
    except web.HTTPNotFound:
        return web.Response(status=404)
    except web.HTTPRequestEntityTooLarge:
        return web.Response(status=413, text=f"Maximum request body size {MAX_UPLOAD} exceeded.")
