"""The sdwebui API of AUTOMATIC1111 v1.10.1, as recorded."""

import asyncio
import contextlib
import json
import os
from typing import Any

import msgspec
from aiohttp import web

from . import sdwebui_data as data
from .faults import Fault, Faults
from .faulty import apply_before, apply_during, finish
from .gpu import STEPS, Gpu, Interrupted
from .options import Options
from .sdwebui_checks import (
    Refused,
    check_extras,
    check_generation,
    decode_image,
    invalid,
    raised,
)
from .sdwebui_images import Images, stem, upscaled

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
        self._options = options
        self._gpu = gpu
        self._faults = faults
        self._images = Images(options.image_bytes)

    def routes(self) -> list[web.RouteDef]:
        """Every path that was recorded."""
        api = "/sdapi/v1"
        lists = [web.get(f"{api}/{name}", _empty) for name in data.EMPTY_LISTS]
        return [
            web.post(f"{api}/txt2img", self._txt2img),
            web.post(f"{api}/img2img", self._img2img),
            web.post(f"{api}/extra-single-image", self._extra_single),
            web.post(f"{api}/extra-batch-images", self._extra_batch),
            web.get(f"{api}/options", self._get_options),
            web.post(f"{api}/options", self._post_options),
            web.get(f"{api}/sd-models", self._models),
            web.get(f"{api}/samplers", _samplers),
            web.get(f"{api}/schedulers", _schedulers),
            web.get(f"{api}/upscalers", _upscalers),
            web.get(f"{api}/progress", self._progress),
            web.get(f"{api}/memory", self._memory),
            web.post(f"{api}/interrupt", self._interrupt),
            web.post(f"{api}/skip", self._skip),
            web.post(f"{api}/unload-checkpoint", _nothing),
            web.post(f"{api}/reload-checkpoint", _nothing),
            *(web.post(f"{api}/refresh-{name}", _null) for name in ("checkpoints", "embeddings", "vae")),
            *lists,
            web.get(f"{api}/embeddings", _embeddings),
        ]

    async def _txt2img(self, request: web.Request) -> web.StreamResponse:
        return await self._generate(request, data.TXT2IMG, from_image=False)

    async def _img2img(self, request: web.Request) -> web.StreamResponse:
        return await self._generate(request, data.IMG2IMG, from_image=True)

    async def _generate(
        self, request: web.Request, defaults: dict[str, Any], *, from_image: bool
    ) -> web.StreamResponse:
        body = await _json(request)
        fault = self._faults.meet(body.get("simulator"))
        await apply_before(request, fault, self._gpu)
        check_generation(body, self._settings, from_image=from_image)
        asked = {**defaults, **{name: value for name, value in body.items() if name in defaults}}
        overrides = asked["override_settings"] or {}
        settings = {**self._settings, **{k: v for k, v in overrides.items() if k != "sd_model_checkpoint"}}
        self._leak_settings(overrides)
        await self._switch(overrides.get("sd_model_checkpoint"))
        # An interrupted job is answered 200 with what there is, and no mark (recorded).
        with contextlib.suppress(Interrupted):
            await self._work(str(body.get("prompt", "")), fault)
        if fault.fault == "no-outputs":
            return web.json_response({"images": [], "parameters": {}, "info": "{}"})
        settings["sd_model_checkpoint"] = self._settings["sd_model_checkpoint"]
        if self._options.image_bytes:
            images, info = self._images.make(asked, settings)  # cached: a thread would cost more
        else:
            images, info = await asyncio.to_thread(self._images.make, asked, settings)
        shown = {name: None if name in ("init_images", "mask") else value for name, value in asked.items()}
        answer = {"images": images if asked["send_images"] else [], "parameters": shown, "info": json.dumps(info)}
        return await finish(request, msgspec.json.encode(answer), fault)

    async def _work(self, name: str, fault: Fault) -> None:
        await apply_during(fault, self._gpu, name)
        if fault.fault in _RAISED:
            raise raised(*_RAISED[fault.fault])

    def _leak_settings(self, overrides: dict[str, Any]) -> None:
        """Only keys that had been set before are restored afterwards; the others stay (recorded)."""
        for key, value in overrides.items():
            if key not in self._set and key != "sd_model_checkpoint":
                self._settings[key] = value

    async def _switch(self, wanted: Any) -> None:
        """An unknown checkpoint is passed over in silence (recorded)."""
        known = [name for name in self._options.models if stem(name) == stem(str(wanted))]
        if known and known[0] != self._settings["sd_model_checkpoint"]:
            await self._gpu.work("load", self._options.load_seconds)
            self._settings["sd_model_checkpoint"] = known[0]

    async def _extra_single(self, request: web.Request) -> web.StreamResponse:
        body = await _json(request)
        fault = self._faults.meet(body.get("simulator"))
        await apply_before(request, fault, self._gpu)
        image = decode_image(body.get("image"))
        check_extras(body)
        await self._work("extra-single-image", fault)
        answer = {"html_info": _html(body), "image": await asyncio.to_thread(upscaled, image, body)}
        return await finish(request, msgspec.json.encode(answer), fault)

    async def _extra_batch(self, request: web.Request) -> web.StreamResponse:
        body = await _json(request)
        fault = self._faults.meet(body.get("simulator"))
        await apply_before(request, fault, self._gpu)
        if "imageList" not in body:
            raise invalid(["body", "imageList"], "field required", "value_error.missing")
        images = [decode_image(one.get("data")) for one in body["imageList"]]
        check_extras(body)
        await self._work("extra-batch-images", fault)
        made = [await asyncio.to_thread(upscaled, image, body) for image in images]
        return await finish(request, msgspec.json.encode({"html_info": _html(body), "images": made}), fault)

    async def _get_options(self, _: web.Request) -> web.Response:
        return web.json_response(self._settings)

    async def _post_options(self, request: web.Request) -> web.Response:
        body = await _json(request)
        for key, value in body.items():
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

    async def _models(self, _: web.Request) -> web.Response:
        def entry(name: str) -> dict[str, Any]:
            filename = f"/models/Stable-diffusion/{name}"
            return {
                "title": name,
                "model_name": stem(name),
                "hash": None,
                "sha256": None,
                "filename": filename,
                "config": None,
            }

        return web.json_response([entry(name) for name in self._options.models])

    async def _progress(self, _: web.Request) -> web.Response:
        busy = self._gpu.job is not None
        state = {
            "skipped": False,
            "interrupted": False,
            "stopping_generation": False,
            "job": "scripts_txt2img" if busy else "",
            "job_count": 1 if busy else 0,
            "job_timestamp": self._gpu.since if busy else "0",
            "job_no": 0,
            "sampling_step": self._gpu.step if busy else 0,
            "sampling_steps": STEPS if busy else 0,
        }
        progress = self._gpu.step / STEPS if busy else 0.0
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
        self._gpu.interrupt()
        return web.json_response(None)


async def _json(request: web.Request) -> dict[str, Any]:
    text = await request.text()
    if not text:
        raise invalid(["body"], "field required", "value_error.missing")
    try:
        body = json.loads(text)
    except json.JSONDecodeError as error:
        said = f"{error.msg}: line {error.lineno} column {error.colno} (char {error.pos})"
        context = {"msg": error.msg, "doc": text, "pos": error.pos, "lineno": error.lineno, "colno": error.colno}
        place = {"loc": ["body", error.pos], "msg": said, "type": "value_error.jsondecode", "ctx": context}
        raise Refused(422, {"detail": [place]}) from error
    if not isinstance(body, dict):
        raise invalid(["body"], "value is not a valid dict", "type_error.dict")
    return body


@web.middleware
async def refusals(request: web.Request, handler: Any) -> web.StreamResponse:
    """Answer what was refused, and unknown paths as FastAPI does."""
    try:
        return await handler(request)  # type: ignore[no-any-return]
    except Refused as refused:
        return web.json_response(refused.body, status=refused.status)
    except web.HTTPNotFound:
        return web.json_response({"detail": "Not Found"}, status=404)
    except web.HTTPMethodNotAllowed:
        return web.json_response({"detail": "Method Not Allowed"}, status=405)


async def _empty(_: web.Request) -> web.Response:
    return web.json_response([])


async def _embeddings(_: web.Request) -> web.Response:
    return web.json_response({"loaded": {}, "skipped": {}})


async def _nothing(_: web.Request) -> web.Response:
    return web.json_response({})


async def _null(_: web.Request) -> web.Response:
    return web.json_response(None)


async def _samplers(_: web.Request) -> web.Response:
    def entry(name: str, aliases: list[str]) -> dict[str, Any]:
        options = {"scheduler": "karras"} if name.startswith("DPM++") else {}
        return {"name": name, "aliases": aliases, "options": options}

    return web.json_response([entry(name, aliases) for name, aliases in data.SAMPLERS.items()])


async def _schedulers(_: web.Request) -> web.Response:
    fixed = {"aliases": None, "default_rho": -1.0, "need_inner_model": False}
    return web.json_response([{"name": name, "label": label, **fixed} for name, label in data.SCHEDULERS.items()])


async def _upscalers(_: web.Request) -> web.Response:
    fixed = {"model_name": None, "model_path": None, "model_url": None, "scale": 4.0}
    return web.json_response([{"name": name, **fixed} for name in data.UPSCALERS])


def _html(body: dict[str, Any]) -> str:
    factor = float(body.get("upscaling_resize", 2))
    return f"<p>Postprocess upscale by: {factor}, Postprocess upscaler: {body.get('upscaler_1', 'None')}</p>"
