"""The sdwebui adapter against the simulator: every task, checkpoints, settings, and what goes wrong.

What both adapters have in common is in test_adapters.py.
"""

import asyncio
import base64
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from PIL import Image

from darkroom_agent.errors import RuntimeFailed, RuntimeGone, RuntimeWedged
from darkroom_agent.ports import Result, RuntimeLimits, ignore_progress
from darkroom_agent.runtimes.sdwebui import SDWebUI
from darkroom_contract.job import Job, Task
from tests.simulators import Simulator, simulator, simulator_here

from .recorded_server import PNG

LIMITS = RuntimeLimits(poll_seconds=0.05, stall_seconds=0.6, interrupt_seconds=0.5)
SMALL = {"prompt": "x", "width": 64, "height": 64, "seed": 1}


@asynccontextmanager
async def webui(
    *, dynamic: bool = False, crashes: bool = False, **options: Any
) -> AsyncIterator[tuple[Simulator, SDWebUI]]:
    async with (simulator if crashes else simulator_here)("sdwebui", **{"latency": 0.01, **options}) as running:
        adapter = SDWebUI(running.url, LIMITS, dynamic_model=dynamic)
        try:
            yield running, adapter
        finally:
            await adapter.close()


async def run(adapter: SDWebUI, task: Task, body: dict[str, Any]) -> Result:
    job = Job(id="a", runtime="r", task=task, input=body)
    async with asyncio.timeout(15):
        return await (await adapter.run(await adapter.prepare(job, 1, {}), ignore_progress))


def sizes(result: Result) -> list[tuple[int, int]]:
    return [Image.open(io.BytesIO(file.data)).size for file in result.files]


async def test_every_task_is_run() -> None:
    """Each gives its images, and a response without them."""
    batch = {"imageList": [{"data": PNG, "name": "a"}, {"data": PNG, "name": "b"}], "upscaling_resize": 2}
    async with webui() as (_, adapter):
        made = [
            await run(adapter, Task.TEXT_TO_IMAGE, {**SMALL, "batch_size": 2}),
            await run(adapter, Task.IMAGE_TO_IMAGE, {**SMALL, "init_images": [PNG]}),
            await run(adapter, Task.EXTRA_SINGLE_IMAGE, {"image": PNG, "upscaling_resize": 2}),
            await run(adapter, Task.EXTRA_BATCH_IMAGES, batch),
        ]
    assert [sizes(result)[-1] for result in made] == [(64, 64), (64, 64), (128, 128), (128, 128)]
    assert [len(result.files) for result in made[1:]] == [1, 1, 2]
    assert all(file.data not in base64.b64decode(PNG) for result in made for file in result.files)
    assert all(len(str(result.response)) < 5000 for result in made)


async def test_a_batch_answers_its_grid_first_and_texts_in_its_order() -> None:
    """So that `info.infotexts[i]` is of file i."""
    body = {**SMALL, "n_iter": 2, "override_settings": {"return_grid": True}}
    async with webui() as (_, adapter):
        result = await run(adapter, Task.TEXT_TO_IMAGE, body)
    info = result.response["info"]
    assert info["index_of_first_image"] == 1
    assert len(result.files) == len(info["infotexts"]) == 3


async def test_settings_of_one_job_are_not_those_of_the_next() -> None:
    """Nor of any later one, whether the job went well or not."""
    override = {"samples_format": "jpg", "CLIP_stop_at_last_layers": 2}
    async with webui() as (running, adapter):
        first = await run(adapter, Task.TEXT_TO_IMAGE, {**SMALL, "override_settings": override})
        broken = {"override_settings": {"sd_vae": "x"}, "simulator": {"fault": "runtime-error"}}
        with pytest.raises(RuntimeFailed):
            await run(adapter, Task.TEXT_TO_IMAGE, {**SMALL, **broken})
        second = await run(adapter, Task.TEXT_TO_IMAGE, SMALL)
        async with aiohttp.ClientSession() as session, session.get(f"{running.url}/sdapi/v1/options") as reply:
            options = await reply.json()
    assert first.files[0].data.startswith(b"\xff\xd8")
    assert second.files[0].data.startswith(b"\x89PNG")
    assert options["CLIP_stop_at_last_layers"] == 1
    assert options["sd_vae"] == "Automatic"


async def test_checkpoints_take_turns() -> None:
    """Every answer is of the checkpoint that its job names, also while an earlier result still travels."""
    async with webui(dynamic=True, load_seconds=0.01) as (_, adapter):
        for name in ("sharp", "dreamy", "sharp", "sharp", "dreamy"):
            body = {**SMALL, "override_settings": {"sd_model_checkpoint": name}}
            job = Job(id="a", runtime="r", task=Task.TEXT_TO_IMAGE, input=body)
            running = await adapter.run(await adapter.prepare(job, 1, {}), ignore_progress)
            assert adapter.loaded_model == name
            assert (await running).response["info"]["sd_model_name"] == name


async def test_a_job_that_hangs_is_interrupted_and_the_next_one_runs() -> None:
    """The server is well but for that job: no restart."""
    async with webui() as (_, adapter):
        with pytest.raises(RuntimeFailed, match="the job was interrupted"):
            await run(adapter, Task.TEXT_TO_IMAGE, {**SMALL, "simulator": {"fault": "hang"}})
        await adapter.probe()
        assert (await run(adapter, Task.TEXT_TO_IMAGE, SMALL)).files


async def test_a_wedged_server_stays_wedged_for_the_probe() -> None:
    """Though its HTTP answers."""
    async with webui() as (_, adapter):
        with pytest.raises(RuntimeWedged):
            await run(adapter, Task.TEXT_TO_IMAGE, {**SMALL, "simulator": {"fault": "wedge"}})
        with pytest.raises(RuntimeWedged):
            await adapter.probe()


async def test_a_server_that_crashed_is_gone_for_the_probe() -> None:
    """Until another one listens there."""
    async with webui(crashes=True) as (running, adapter):
        with pytest.raises(RuntimeGone):
            await run(adapter, Task.TEXT_TO_IMAGE, {**SMALL, "simulator": {"fault": "crash"}})
        await running.process.wait()
        with pytest.raises(RuntimeGone):
            await adapter.probe()


async def test_the_ghost_of_an_agent_that_died_gives_way() -> None:
    """The job of a client that left would go on for a minute; the new agent's probe ends it."""
    async with webui() as (running, adapter):
        started = asyncio.Event()
        dead = SDWebUI(running.url, LIMITS)
        body = {**SMALL, "simulator": {"latency": 60}}
        prepared = await dead.prepare(Job(id="a", runtime="r", task=Task.TEXT_TO_IMAGE, input=body), 1, {})
        ghost = asyncio.create_task(dead.run(prepared, lambda _: started.set()))
        async with asyncio.timeout(10):
            await started.wait()
            await adapter.probe()
            assert (await run(adapter, Task.TEXT_TO_IMAGE, SMALL)).files
        await (await ghost)
        await dead.close()
