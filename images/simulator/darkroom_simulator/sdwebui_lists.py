"""What the imagined WebUI has to offer: the lists that its API tells."""

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from . import sdwebui_data as data

type Handler = Callable[[web.Request], Awaitable[web.Response]]


def list_routes(models: tuple[str, ...]) -> list[web.RouteDef]:
    """A route for each list."""
    fixed_scheduler = {"aliases": None, "default_rho": -1.0, "need_inner_model": False}
    fixed_upscaler = {"model_name": None, "model_path": None, "model_url": None, "scale": 4.0}
    lists: dict[str, Any] = {
        "sd-models": [_model(name) for name in models],
        "samplers": [_sampler(name, aliases) for name, aliases in data.SAMPLERS.items()],
        "schedulers": [{"name": name, "label": label, **fixed_scheduler} for name, label in data.SCHEDULERS.items()],
        "upscalers": [{"name": name, **fixed_upscaler} for name in data.UPSCALERS],
        "embeddings": {"loaded": {}, "skipped": {}},
        "cmd-flags": data.COMMAND_FLAGS,
        **{name: [] for name in data.EMPTY_LISTS},
    }
    refreshed = [web.post(f"/sdapi/v1/refresh-{name}", _telling(None)) for name in ("checkpoints", "embeddings", "vae")]
    return [*(web.get(f"/sdapi/v1/{name}", _telling(answer)) for name, answer in lists.items()), *refreshed]


def stem(name: str) -> str:
    """A checkpoint's name without folder and extension, by which all its names are the same."""
    return name.rpartition("/")[2].rsplit(".", 1)[0]


def _telling(answer: Any) -> Handler:
    async def tell(_: web.Request) -> web.Response:
        return web.json_response(answer)

    return tell


def _model(name: str) -> dict[str, Any]:
    filename = f"/models/Stable-diffusion/{name}"
    return {
        "title": name,
        "model_name": stem(name),
        "hash": None,
        "sha256": None,
        "filename": filename,
        "config": None,
    }


def _sampler(name: str, aliases: list[str]) -> dict[str, Any]:
    return {"name": name, "aliases": aliases, "options": {"scheduler": "karras"} if name.startswith("DPM++") else {}}
