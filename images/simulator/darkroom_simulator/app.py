"""The application of a simulator: its API, and the control paths beside it."""

import tempfile
from pathlib import Path

import msgspec
from aiohttp import web

from .comfyui import MAX_UPLOAD, ComfyUI, origins
from .faults import KINDS, Fault, Faults
from .faulty import meeting
from .gpu import Gpu
from .openai import OpenAIImages
from .openai import refusals as openai_refusals
from .options import Options
from .sdwebui import SDWebUI, refusals


def make_app(options: Options, folder: Path) -> web.Application:
    """Make it; `folder` is where a ComfyUI keeps its files."""
    gpu, faults = Gpu(options.latency, options.leak_bytes, options.log, options.concurrency), Faults()
    if options.type == "sdwebui":
        app = web.Application(middlewares=[meeting(faults), refusals(options.auth)], client_max_size=MAX_UPLOAD)
        app.add_routes(SDWebUI(options, gpu, faults).routes())
    elif options.type == "openai":
        app = web.Application(middlewares=[meeting(faults), openai_refusals], client_max_size=MAX_UPLOAD)
        app.add_routes(OpenAIImages(options, gpu, faults).routes())
    else:
        app = web.Application(middlewares=[meeting(faults), origins], client_max_size=MAX_UPLOAD)
        comfyui = ComfyUI(options, gpu, faults, folder)
        app.add_routes(comfyui.routes())
        app.cleanup_ctx.append(comfyui.working)
    app.add_routes(_control(gpu, faults))
    return app


def _control(gpu: Gpu, faults: Faults) -> list[web.RouteDef]:
    async def tell_faults(_: web.Request) -> web.Response:
        return web.json_response({"kinds": KINDS, "waiting": msgspec.to_builtins(faults.waiting)})

    async def add_fault(request: web.Request) -> web.Response:
        try:
            faults.add(msgspec.json.decode(await request.read(), type=Fault))
        except (ValueError, msgspec.DecodeError) as error:
            return web.json_response({"error": str(error)}, status=400)
        return web.json_response({"waiting": len(faults.waiting)})

    async def clear_faults(_: web.Request) -> web.Response:
        faults.clear()
        return web.json_response({})

    async def tell_calls(_: web.Request) -> web.Response:
        return web.json_response({"calls": gpu.calls})

    async def clear_calls(_: web.Request) -> web.Response:
        gpu.calls.clear()
        return web.json_response({})

    return [
        web.get("/_simulator/faults", tell_faults),
        web.post("/_simulator/faults", add_fault),
        web.delete("/_simulator/faults", clear_faults),
        web.get("/_simulator/calls", tell_calls),
        web.delete("/_simulator/calls", clear_calls),
    ]


async def start(options: Options) -> tuple[web.AppRunner, str, tempfile.TemporaryDirectory[str]]:
    """Listen; the runner to clean up, the URL, and the folder to remove at the end."""
    folder = tempfile.TemporaryDirectory(prefix="darkroom-simulator-")
    runner = web.AppRunner(make_app(options, Path(folder.name)), access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    site = web.TCPSite(runner, options.host, options.port)
    await site.start()
    host, port = runner.addresses[0][:2]
    return runner, f"http://{host}:{port}", folder
