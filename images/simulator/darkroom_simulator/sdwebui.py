"""The sdwebui API of AUTOMATIC1111 v1.10.1, as recorded."""

import asyncio
import base64
import json
import os
import random
from typing import Any

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from . import sdwebui_data as data
from .faults import Fault, Faults
from .faulty import do_work, finish, refuse
from .gpu import Gpu, Interrupted
from .options import Options
from .sdwebui_checks import (
    Refused,
    check_extras,
    check_generation,
    decode_image,
    http_error,
    invalid,
    parse_body,
    raised,
)
from .sdwebui_images import Order, make_images, make_info, make_padded, upscale, upscale_text
from .sdwebui_lists import list_routes, stem

_OUT_OF_MEMORY = "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 7.79 GiB"
_RAISED = {
    "out-of-memory": ("OutOfMemoryError", _OUT_OF_MEMORY),
    "cuda-error": ("RuntimeError", "CUDA error: an illegal memory access was encountered"),
    "value-error": ("ValueError", "the simulator was asked for a ValueError"),
    "runtime-error": ("RuntimeError", "the simulator was asked for a RuntimeError"),
}


class SDWebUI:
    """One imagined WebUI."""

    def __init__(self, options: Options, gpu: Gpu, faults: Faults) -> None:
        self._settings = {**data.OPTIONS, "sd_model_checkpoint": options.models[0]}
        self._set: set[str] = set()
        self._loaded = True
        self._skipping = False
        self._options = options
        self._gpu = gpu
        self._faults = faults
        self._padded: dict[tuple[int, int], str] = {}

    def routes(self) -> list[web.RouteDef]:
        """Every path that was recorded, but for those that no agent asks for."""
        api = "/sdapi/v1"
        return [
            web.post(f"{api}/txt2img", self._txt2img),
            web.post(f"{api}/img2img", self._img2img),
            web.post(f"{api}/extra-single-image", self._extra_single),
            web.post(f"{api}/extra-batch-images", self._extra_batch),
            web.get(f"{api}/options", self._get_options),
            web.post(f"{api}/options", self._post_options),
            web.get(f"{api}/progress", self._progress),
            web.get(f"{api}/memory", self._memory),
            web.post(f"{api}/interrupt", self._interrupt),
            web.post(f"{api}/skip", self._skip),
            web.post(f"{api}/unload-checkpoint", self._unload),
            web.post(f"{api}/reload-checkpoint", self._reload),
            *list_routes(self._options.models),
        ]

    async def _txt2img(self, request: web.Request) -> web.StreamResponse:
        return await self._generate(request, data.TXT2IMG, from_image=False)

    async def _img2img(self, request: web.Request) -> web.StreamResponse:
        return await self._generate(request, data.IMG2IMG, from_image=True)

    async def _generate(
        self, request: web.Request, defaults: dict[str, Any], *, from_image: bool
    ) -> web.StreamResponse:
        body = parse_body(await request.text())
        fault = self._faults.meet_job(body.get("simulator"))
        if (refused := refuse(fault)) is not None:
            return refused
        check_generation(body, self._settings, from_image=from_image)
        asked = {**defaults, **{name: value for name, value in body.items() if name in defaults}}
        settings = self._override(asked["override_settings"] or {})
        await self._switch((asked["override_settings"] or {}).get("sd_model_checkpoint"))
        done = await self._work(str(asked["prompt"]), fault, asked["steps"])
        if fault.fault == "no-outputs":
            return web.json_response({"images": [], "parameters": {}, "info": "{}"})
        order = Order(asked, settings, stem(self._settings["sd_model_checkpoint"]), _seeds(asked))
        images, info = await self._images(order, done)
        hidden = () if asked.get("include_init_images") else ("init_images", "mask")
        shown = {name: None if name in hidden else value for name, value in asked.items()}
        answer = {"images": images if asked["send_images"] else [], "parameters": shown, "info": json.dumps(info)}
        return await finish(request, msgspec.json.encode(answer), fault)

    async def _work(self, job: str, fault: Fault, steps: int) -> float:
        """Work, and tell how much was done: an interrupted job is answered 200 with what there is (recorded)."""
        self._skipping = False
        try:
            await do_work(self._gpu, fault, job, steps)
        except Interrupted:
            return self._gpu.step / self._gpu.steps
        if fault.fault in _RAISED:
            raise raised(*_RAISED[fault.fault])
        return 1.0

    async def _images(self, order: Order, done: float) -> tuple[list[str], dict[str, Any]]:
        """The images and their info. Interrupting drops the later iterations, skipping only shortens (recorded)."""
        asked = order.asked
        iterations = asked["n_iter"] if self._skipping else min(asked["n_iter"], int(done * asked["n_iter"]) + 1)
        count = asked["batch_size"] * iterations
        info = make_info(order, count)
        if self._options.image_bytes:
            # For benchmarks: the same bytes for all, made once.
            if order.size not in self._padded:
                self._padded[order.size] = make_padded(order, self._options.image_bytes)
            return [self._padded[order.size]] * (count + info["index_of_first_image"]), info
        return await asyncio.to_thread(make_images, order, count, done), info

    def _override(self, overrides: dict[str, Any]) -> dict[str, Any]:
        """The settings of one job. Those that had not been set before are not restored after it (recorded)."""
        mine = {key: value for key, value in overrides.items() if key != "sd_model_checkpoint"}
        settings = {**self._settings, **mine}
        self._settings.update({key: value for key, value in mine.items() if key not in self._set})
        return settings

    async def _switch(self, wanted: Any) -> None:
        """Load another checkpoint, or the one that was unloaded. An unknown one is passed over (recorded)."""
        known = [name for name in self._options.models if wanted is not None and stem(name) == stem(str(wanted))]
        if self._loaded and (not known or known[0] == self._settings["sd_model_checkpoint"]):
            return
        await self._gpu.work("load", self._options.load_seconds)
        self._loaded = True
        if known:
            self._settings["sd_model_checkpoint"] = known[0]

    async def _extra_single(self, request: web.Request) -> web.StreamResponse:
        body = parse_body(await request.text())
        fault = self._faults.meet_job(body.get("simulator"))
        if (refused := refuse(fault)) is not None:
            return refused
        image = decode_image(body.get("image"))
        check_extras(body)
        await self._work("extra-single-image", fault, 1)
        html, upscaled = f"<p>{upscale_text(body)}</p>", await asyncio.to_thread(upscale, image, body)
        return await finish(request, msgspec.json.encode({"html_info": html, "image": upscaled}), fault)

    async def _extra_batch(self, request: web.Request) -> web.StreamResponse:
        body = parse_body(await request.text())
        fault = self._faults.meet_job(body.get("simulator"))
        if (refused := refuse(fault)) is not None:
            return refused
        if "imageList" not in body:
            raise invalid(["body", "imageList"], "field required", "value_error.missing")
        images = [decode_image(one.get("data")) for one in body["imageList"]]
        check_extras(body)
        await self._work("extra-batch-images", fault, 1)
        html = f"<p>{upscale_text(body)}</p>"
        upscaled = [await asyncio.to_thread(upscale, image, body) for image in images]
        return await finish(request, msgspec.json.encode({"html_info": html, "images": upscaled}), fault)

    async def _get_options(self, _: web.Request) -> web.Response:
        return web.json_response(self._settings)

    async def _post_options(self, request: web.Request) -> web.Response:
        for key, value in parse_body(await request.text()).items():
            if key not in self._settings:
                raise raised("KeyError", f"'{key}'")
            if key == "sd_model_checkpoint":
                if stem(str(value)) not in {stem(name) for name in self._options.models}:
                    raise raised("RuntimeError", f"model '{value}' not found")
                await self._switch(value)
            else:
                self._settings[key] = value
                self._set.add(key)
        return web.json_response(None)

    async def _progress(self, _: web.Request) -> web.Response:
        gpu = self._gpu
        busy = gpu.job is not None
        state = {
            "skipped": gpu.interrupted and self._skipping,
            "interrupted": gpu.interrupted and not self._skipping,
            "stopping_generation": False,
            "job": "scripts_txt2img" if busy else "",
            "job_count": 1 if busy else 0,
            "job_timestamp": gpu.since if busy else "0",
            "job_no": 0,
            "sampling_step": gpu.step if busy else 0,
            "sampling_steps": gpu.steps if busy else 0,
        }
        # A job that has made no step yet is told as 0.01 (recorded).
        progress = max(0.01, gpu.step / gpu.steps) if busy else 0.0
        answer = {"progress": progress, "eta_relative": 0.0, "state": state, "current_image": None, "textinfo": None}
        return web.json_response(answer)

    async def _memory(self, _: web.Request) -> web.Response:
        total = float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
        used = self._gpu.used_bytes
        ram = {"free": total - used, "used": used, "total": total}
        return web.json_response({"ram": ram, "cuda": {"error": "unavailable"}})

    async def _interrupt(self, _: web.Request) -> web.Response:
        self._gpu.interrupt()
        return web.json_response({})

    async def _skip(self, _: web.Request) -> web.Response:
        self._skipping = self._gpu.job is not None
        self._gpu.interrupt()
        return web.json_response(None)

    async def _unload(self, _: web.Request) -> web.Response:
        self._loaded = False
        return web.json_response({})

    async def _reload(self, _: web.Request) -> web.Response:
        await self._switch(None)
        return web.json_response({})


def _seeds(asked: dict[str, Any]) -> tuple[int, ...]:
    first = asked["seed"] if asked["seed"] != -1 else random.SystemRandom().randrange(2**32)
    return tuple(first + index for index in range(asked["batch_size"] * asked["n_iter"]))


def refusals(auth: str | None) -> Middleware:
    """A middleware that asks for `auth` (user:password), and answers refusals and unknown paths as FastAPI does."""
    wanted = None if auth is None else f"Basic {base64.b64encode(auth.encode()).decode()}"

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            if (
                wanted is not None
                and request.path.startswith("/sdapi/")
                and request.headers.get("Authorization") != wanted
            ):
                raise http_error(401, "Incorrect username or password")
            return await handler(request)
        except Refused as refused:
            return web.json_response(refused.body, status=refused.status)
        except web.HTTPNotFound:
            return web.json_response({"detail": "Not Found"}, status=404)
        except web.HTTPMethodNotAllowed:
            return web.json_response({"detail": "Method Not Allowed"}, status=405)

    return middleware
