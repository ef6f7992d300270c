"""What the imagined ComfyUI tells of itself: nodes, models, memory, features."""

import os
from typing import Any

from aiohttp import web

from .comfyui_clients import FEATURES
from .comfyui_nodes import NODES, object_info
from .gpu import Gpu

_FOLDERS = ("checkpoints", "configs", "loras", "vae")


class Info:
    """One imagined ComfyUI's account of itself."""

    def __init__(self, models: tuple[str, ...], gpu: Gpu) -> None:
        self._models = list(models)
        self._gpu = gpu

    def routes(self) -> list[tuple[str, str, Any]]:
        """Method, path and handler of each."""
        return [
            ("GET", "/object_info", self._object_info),
            ("GET", "/object_info/{name}", self._one_object_info),
            ("GET", "/system_stats", self._system_stats),
            ("GET", "/models", self._folders),
            ("GET", "/models/{folder}", self._models_of),
            ("GET", "/embeddings", self._embeddings),
            ("GET", "/features", self._features),
        ]

    async def _object_info(self, _: web.Request) -> web.Response:
        return web.json_response({name: object_info(name, self._models) for name in NODES})

    async def _one_object_info(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        return web.json_response({name: object_info(name, self._models)} if name in NODES else {})

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

    async def _folders(self, _: web.Request) -> web.Response:
        return web.json_response(list(_FOLDERS))

    async def _models_of(self, request: web.Request) -> web.Response:
        folder = request.match_info["folder"]
        if folder not in _FOLDERS:
            return web.Response(status=404)
        return web.json_response(self._models if folder == "checkpoints" else [])

    async def _embeddings(self, _: web.Request) -> web.Response:
        return web.json_response([])

    async def _features(self, _: web.Request) -> web.Response:
        return web.json_response(FEATURES)
