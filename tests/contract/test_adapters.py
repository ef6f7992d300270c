"""One contract for every adapter, against the simulator: what the pipeline relies on."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from darkroom_agent.errors import (
    Failure,
    OutOfMemory,
    ResultTooLarge,
    RuntimeBroken,
    RuntimeBusy,
    RuntimeFailed,
    RuntimeGone,
    RuntimeRefused,
    RuntimeWedged,
)
from darkroom_agent.ports import Result, Runtime, RuntimeLimits, ignore_progress
from darkroom_agent.runtimes.comfyui import ComfyUI
from darkroom_agent.runtimes.openai import OpenAIImages
from darkroom_agent.runtimes.sdwebui import SDWebUI
from darkroom_contract.job import Job, Task
from darkroom_local.jobs import workflow
from tests.simulators import Simulator, simulator, simulator_here

LIMITS = RuntimeLimits(poll_seconds=0.05, stall_seconds=1.5, interrupt_seconds=1.0, answer_bytes=5_000_000)


MAKE: dict[str, Callable[[str, RuntimeLimits], Runtime]] = {
    "sdwebui": SDWebUI,
    "comfyui": ComfyUI,
    "openai": OpenAIImages,
}
KINDS = list(MAKE)


@asynccontextmanager
async def pair(kind: str, *, crashes: bool = False, **options: Any) -> AsyncIterator[tuple[Simulator, Runtime]]:
    """A simulator and the adapter that drives it; one that `crashes` needs a process to lose."""
    async with (simulator if crashes else simulator_here)(kind, **{"latency": 0.3, **options}) as running:
        adapter = MAKE[kind](running.url, LIMITS)
        try:
            await adapter.probe()
            yield running, adapter
        finally:
            await adapter.close()


def job_of(kind: str, **fault: Any) -> Job:
    if kind != "comfyui":
        size = {"size": "64x64"} if kind == "openai" else {"width": 64, "height": 64}
        body = {"prompt": "x", "seed": 1, **size, **({"simulator": fault} if fault else {})}
        return Job(id="a", runtime="r", task=Task.TEXT_TO_IMAGE, input=body)
    request: dict[str, Any] = {"prompt": workflow("x", 1), "extra_data": {"simulator": fault} if fault else {}}
    return Job(id="a", runtime="r", task=Task.PIPELINE, input=request)


async def run(adapter: Runtime, job: Job) -> Result:
    async with asyncio.timeout(15):
        return await (await adapter.run(await adapter.prepare(job, 1, {}), ignore_progress))


@pytest.mark.parametrize("kind", KINDS)
async def test_a_job_gives_files_a_response_and_progress(kind: str) -> None:
    """Twice: the second, identical one is as good."""
    async with pair(kind, latency=0.5) as (_, adapter):
        for _ in range(2):
            seen: list[float] = []
            result = await (await adapter.run(await adapter.prepare(job_of(kind), 1, {}), seen.append))
            assert all(file.data.startswith(b"\x89PNG") for file in result.files)
            assert result.response
        assert all(0 <= value <= 1 for value in seen)
        assert seen or kind == "openai", "whose API tells of no progress"


MET: list[tuple[str, dict[str, Any], type[Failure]]] = [
    ("sdwebui", {"fault": "out-of-memory"}, OutOfMemory),
    ("comfyui", {"fault": "out-of-memory"}, OutOfMemory),
    ("sdwebui", {"fault": "cuda-error"}, RuntimeBroken),
    ("comfyui", {"fault": "cuda-error"}, RuntimeBroken),
    ("sdwebui", {"fault": "value-error"}, RuntimeRefused),
    ("comfyui", {"fault": "value-error"}, RuntimeRefused),
    ("sdwebui", {"fault": "runtime-error"}, RuntimeFailed),
    ("comfyui", {"fault": "runtime-error"}, RuntimeFailed),
    ("sdwebui", {"fault": "status", "status": 503}, RuntimeBusy),
    ("comfyui", {"fault": "status", "status": 503}, RuntimeBusy),
    ("comfyui", {"fault": "hang"}, RuntimeFailed),
    ("sdwebui", {"fault": "truncated"}, RuntimeGone),
    ("sdwebui", {"fault": "garbage"}, RuntimeFailed),
    ("comfyui", {"fault": "garbage"}, RuntimeFailed),
    ("sdwebui", {"fault": "no-outputs"}, RuntimeFailed),
    ("comfyui", {"fault": "no-outputs"}, RuntimeRefused),
    ("comfyui", {"fault": "blocked"}, RuntimeRefused),
    ("sdwebui", {"fault": "huge", "bytes": 6_000_000}, ResultTooLarge),
    ("sdwebui", {"fault": "crash"}, RuntimeGone),
    ("comfyui", {"fault": "crash"}, RuntimeGone),
    ("sdwebui", {"fault": "wedge"}, RuntimeWedged),
    ("comfyui", {"fault": "wedge"}, RuntimeWedged),
    ("openai", {"fault": "out-of-memory"}, OutOfMemory),
    ("openai", {"fault": "cuda-error"}, RuntimeBroken),
    ("openai", {"fault": "value-error"}, RuntimeRefused),
    ("openai", {"fault": "runtime-error"}, RuntimeFailed),
    ("openai", {"fault": "status", "status": 503}, RuntimeBusy),
    ("openai", {"fault": "status", "status": 429}, RuntimeBusy),
    ("openai", {"fault": "truncated"}, RuntimeGone),
    ("openai", {"fault": "garbage"}, RuntimeFailed),
    ("openai", {"fault": "no-outputs"}, RuntimeFailed),
    ("openai", {"fault": "huge", "bytes": 6_000_000}, ResultTooLarge),
    ("openai", {"fault": "crash"}, RuntimeGone),
]


@pytest.mark.parametrize(("kind", "fault", "failure"), MET)
async def test_every_failure_has_its_class(kind: str, fault: dict[str, Any], failure: type[Failure]) -> None:
    """Each of the simulator's failures, by the table of what is worth another try."""
    async with pair(kind, crashes=fault["fault"] == "crash") as (_, adapter):
        with pytest.raises(failure):
            await run(adapter, job_of(kind, **fault))


@pytest.mark.parametrize("kind", KINDS)
async def test_after_a_passing_failure_the_next_job_runs(kind: str) -> None:
    """Nothing of the failed one is left in the adapter."""
    async with pair(kind) as (_, adapter):
        with pytest.raises(RuntimeFailed):
            await run(adapter, job_of(kind, fault="runtime-error"))
        assert (await run(adapter, job_of(kind))).files


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "openai"])  # whose API cannot: test_openai.py
async def test_cancelling_stops_the_job_and_leaves_the_runtime_idle(kind: str) -> None:
    """A job of a minute ends at once; the next one has the GPU to itself."""
    async with pair(kind) as (running, adapter):
        started = asyncio.Event()
        prepared = await adapter.prepare(job_of(kind, latency=60), 1, {})
        task = asyncio.create_task(adapter.run(prepared, lambda _: started.set()))
        async with asyncio.timeout(10):
            await started.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await adapter.probe()
            assert (await run(adapter, job_of(kind))).files
        first, *_ = await running.calls()
        assert first["end"] - first["start"] < 10


async def test_a_lost_websocket_loses_no_job() -> None:
    """Progress is gone, the result is there."""
    async with pair("comfyui") as (_, adapter):
        assert (await run(adapter, job_of("comfyui", fault="drop-websocket"))).files


async def test_outputs_of_every_kind_are_saved() -> None:
    """Images, animations, video and audio; previews only where nothing else was made."""
    graph = workflow("x", 1)
    for node_id, kind in (("20", "SaveAnimation"), ("21", "SaveVideo"), ("22", "SaveAudio")):
        graph[node_id] = {"class_type": kind, "inputs": {"images": ["8", 0], "filename_prefix": "out"}}
    graph["23"] = {"class_type": "PreviewImage", "inputs": {"images": ["8", 0]}}
    async with pair("comfyui") as (_, adapter):
        result = await run(adapter, Job(id="a", runtime="r", task=Task.PIPELINE, input=graph))
        endings = [file.name.rsplit(".", 1)[1] for file in result.files]
        assert endings == ["png", "png", "gif", "mp4", "flac"]
        only = {key: graph[key] for key in ("3", "4", "5", "6", "7", "8", "23")}
        result = await run(adapter, Job(id="a", runtime="r", task=Task.PIPELINE, input=only))
        assert len(result.files) == 1


async def test_grids_come_as_the_server_orders_them() -> None:
    """Before index_of_first_image."""
    async with pair("sdwebui") as (_, adapter):
        body = {"prompt": "x", "width": 64, "height": 64, "n_iter": 2, "override_settings": {"return_grid": True}}
        result = await run(adapter, Job(id="a", runtime="r", task=Task.TEXT_TO_IMAGE, input=body))
        assert len(result.files) == 3
        assert result.response["info"]["index_of_first_image"] == 1


async def test_the_checkpoint_is_switched_and_known() -> None:
    """A dynamic WebUI loads what a job names, and says which it has."""
    async with simulator("sdwebui", latency=0.1) as running:
        adapter = SDWebUI(running.url, LIMITS, dynamic_model=True)
        for name in ("sharp", "dreamy"):
            body = {"prompt": "x", "width": 64, "height": 64, "override_settings": {"sd_model_checkpoint": name}}
            result = await run(adapter, Job(id="a", runtime="r", task=Task.TEXT_TO_IMAGE, input=body))
            assert result.response["info"]["sd_model_name"] == name
            assert adapter.loaded_model == name
        await adapter.close()
