"""The OpenAI images API as sd.cpp's server was recorded to speak it; with `concurrency` it batches, as others do."""

import asyncio
import base64
import time

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler
from PIL import Image, ImageOps

from .draw import draw, encode_jpeg, encode_png, encode_webp
from .faults import Faults
from .faulty import do_work, finish, refuse
from .gpu import Gpu
from .openai_request import Order, Refused, order_of_form, order_of_json, raised, wrong
from .options import Options

_RAISED = {
    "out-of-memory": "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 7.79 GiB",
    "cuda-error": "CUDA error: an illegal memory access was encountered",
    "runtime-error": "the simulator was asked for a RuntimeError",
}


class OpenAIImages:
    """One imagined server."""

    def __init__(self, options: Options, gpu: Gpu, faults: Faults) -> None:
        self._options = options
        self._gpu = gpu
        self._faults = faults

    def routes(self) -> list[web.RouteDef]:
        """What was recorded of it, but for the native API and that of the WebUI."""
        return [
            web.get("/", self._root),
            web.get("/v1/models", self._models),
            web.post("/v1/images/generations", self._generations),
            web.post("/v1/images/edits", self._edits),
        ]

    async def _root(self, _: web.Request) -> web.Response:
        return web.Response(text="Stable Diffusion Server is running", content_type="text/html")

    async def _models(self, _: web.Request) -> web.Response:
        return web.json_response({"data": [{"id": "sd-cpp-local", "object": "model", "owned_by": "local"}]})

    async def _generations(self, request: web.Request) -> web.StreamResponse:
        return await self._make(request, order_of_json(await request.text()))

    async def _edits(self, request: web.Request) -> web.StreamResponse:
        if request.content_type != "multipart/form-data":
            raise wrong("Content-Type must be multipart/form-data")
        fields: dict[str, str] = {}
        files: dict[str, list[bytes]] = {}
        for name, value in (await request.post()).items():
            if isinstance(value, web.FileField):
                files.setdefault(name, []).append(value.file.read())
            else:
                fields[name] = value if isinstance(value, str) else bytes(value).decode()
        return await self._make(request, order_of_form(fields, files))

    async def _make(self, request: web.Request, order: Order) -> web.StreamResponse:
        fault = self._faults.meet_job(order.simulator)
        if (refused := refuse(fault)) is not None:
            return refused
        if fault.fault == "value-error":
            raise wrong("the simulator was asked for a ValueError")
        await do_work(self._gpu, fault, order.prompt, order.steps)
        if fault.fault in _RAISED:
            raise raised(_RAISED[fault.fault])
        images = [] if fault.fault == "no-outputs" else await asyncio.to_thread(_pictures, order, self._options)
        data = [{"b64_json": image} for image in images]
        answer = {"created": int(time.time()), "data": data, "output_format": order.output_format}
        return await finish(request, msgspec.json.encode(answer), fault)


def _pictures(order: Order, options: Options) -> list[str]:
    return [base64.b64encode(_picture(order, order.seed + index, options)).decode() for index in range(order.count)]


def _picture(order: Order, seed: int, options: Options) -> bytes:
    picture = draw(order.prompt, seed, *order.size)
    if order.source is not None:
        source = ImageOps.fit(order.source.convert("RGB"), order.size)
        picture = Image.blend(source, picture, min(max(order.strength, 0.0), 1.0))
    width, height = order.size
    text = f"{order.prompt}\nSteps: {order.steps}, Seed: {seed}, Size: {width}x{height}, Version: stable-diffusion.cpp"
    if order.output_format == "png":
        return encode_png(picture, {"parameters": text}, options.image_bytes)
    return encode_jpeg(picture, text) if order.output_format == "jpeg" else encode_webp(picture, text)


@web.middleware
async def refusals(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer refusals as the server does; of an unknown path it says nothing."""
    try:
        return await handler(request)
    except Refused as refused:
        return web.json_response(refused.body, status=refused.status)
    except web.HTTPNotFound:
        return web.Response(status=404)
