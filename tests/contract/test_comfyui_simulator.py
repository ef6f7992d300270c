"""The comfyui adapter against the simulator: what is ComfyUI's alone (see also test_adapters)."""

from collections.abc import AsyncIterator

import pytest

from darkroom_agent.errors import RuntimeRefused
from darkroom_agent.ports import InputImage, RuntimeLimits, ignore_progress
from darkroom_agent.runtimes.comfyui import ComfyUI
from darkroom_contract.job import Job, Task
from darkroom_local.jobs import workflow
from darkroom_simulator.draw import draw, encode_png
from tests.simulators import simulator_here

LIMITS = RuntimeLimits(poll_seconds=0.05, stall_seconds=5, interrupt_seconds=1)


@pytest.fixture
async def adapter() -> AsyncIterator[ComfyUI]:
    """An adapter and its simulator."""
    async with simulator_here("comfyui", latency=0.1) as running:
        adapter = ComfyUI(running.url, LIMITS)
        yield adapter
        await adapter.close()


async def test_an_identical_workflow_gives_files_of_its_own(adapter: ComfyUI) -> None:
    """Though everything before the saving is cached: the names are this attempt's, and the files are there."""
    job = Job(id="a", runtime="r", task=Task.PIPELINE, input=workflow("x", 1))
    results = [await (await adapter.run(await adapter.prepare(job, n, {}), ignore_progress)) for n in (1, 2)]
    names = [[file.name for file in result.files] for result in results]
    assert [len(some) for some in names] == [2, 2]
    assert not set(names[0]) & set(names[1])
    for result in results:
        picture, negative = result.files
        assert picture.name.startswith("picture-")
        assert negative.name.startswith("negative-")


async def test_an_uploaded_image_is_what_the_loader_loads(adapter: ComfyUI) -> None:
    """Twice, for the same image keeps its name; and other pixels give another result."""
    graph = {
        "1": {"class_type": "LoadImage", "inputs": {"image": "s3://bucket/key"}},
        "2": {"class_type": "ImageInvert", "inputs": {"image": ["1", 0]}},
        "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": "out"}},
    }
    job = Job(id="a", runtime="r", task=Task.PIPELINE, input=graph)
    [(path, _)] = adapter.image_fields(job)
    uploads: list[str] = []
    for seed in (1, 1, 2):
        image = InputImage(encode_png(draw("x", seed, 64, 64), {}), "image/png", "key")
        prepared = await adapter.prepare(job, 1, {path: image})
        uploads.append(prepared.payload.split(b'"image":"')[1].split(b'"')[0].decode())
        result = await (await adapter.run(prepared, ignore_progress))
        assert result.files[0].data.startswith(b"\x89PNG")
    assert uploads[0] == uploads[1] != uploads[2]
    assert uploads[0].startswith("darkroom/")


async def test_only_the_asked_outputs_are_made(adapter: ComfyUI) -> None:
    """`partial_execution_targets` of a whole request goes along."""
    request = {"prompt": workflow("x", 1), "partial_execution_targets": ["11"]}
    job = Job(id="a", runtime="r", task=Task.PIPELINE, input=request)
    result = await (await adapter.run(await adapter.prepare(job, 1, {}), ignore_progress))
    assert [file.name.split("-")[0] for file in result.files] == ["negative"]


async def test_a_workflow_that_loses_an_output_is_refused(adapter: ComfyUI) -> None:
    """The simulator, as the real server, would run the rest; the next job finds it idle."""
    graph = workflow("x", 1)
    broken = {**graph, "30": {"class_type": "SaveImage", "inputs": {"filename_prefix": "bad"}}}
    with pytest.raises(RuntimeRefused, match="node 30 SaveImage"):
        await adapter.run(
            await adapter.prepare(Job(id="a", runtime="r", task=Task.PIPELINE, input=broken), 1, {}), ignore_progress
        )
    job = Job(id="b", runtime="r", task=Task.PIPELINE, input=graph)
    assert (await (await adapter.run(await adapter.prepare(job, 1, {}), ignore_progress))).files
