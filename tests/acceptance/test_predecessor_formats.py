"""The predecessor's clients, unchanged: every task of theirs goes the whole way, and is told as it told.

API or topic → queue → agent → runtime → S3 → notification. The bodies are those of its documentation's examples.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from darkroom_local.emulator import Emulator
from darkroom_local.front import front_door
from darkroom_local.jobs import workflow
from darkroom_simulator.draw import draw, encode_png
from tests.integration.world import World, world

CHECKPOINT = "dreamy.safetensors"
# What its agent puts into a notification: a subscriber of it reads nothing else.
FIELDS = {"id", "runtime", "status", "result", "image_url", "output_url", "context"}
_DREAM = {"prompt": "A dog", "steps": 4, "width": 64, "height": 64}
_EXTRAS = {
    "resize_mode": 0, "show_extras_results": False, "gfpgan_visibility": 0, "codeformer_visibility": 0,
    "codeformer_weight": 0,
    "upscaling_resize": 2, "upscaling_crop": True, "upscaler_1": "Lanczos", "upscaler_2": "None",
    "extras_upscaler_2_visibility": 0, "upscale_first": False,
}  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """A task: its id, its runtime's request, and how many images it makes."""

    id: str
    task: str
    content: dict[str, Any]
    images: int = 1

    @property
    def v1alpha2(self) -> dict[str, Any]:
        """As its clients and its Lambda write it."""
        metadata = {
            "id": self.id,
            "runtime": "sd",
            "tasktype": self.task,
            "prefix": "output",
            "context": {"order": self.id},
        }
        return {"metadata": metadata, "content": self.content}

    @property
    def v1alpha1(self) -> dict[str, Any]:
        """As its clients write it: routed by checkpoint, inside the request."""
        scripts = {
            "task": self.task,
            "sd_model_checkpoint": CHECKPOINT,
            "id_task": self.id,
            "uid": "456",
            "save_dir": "output",
        }
        return {**self.content, "alwayson_scripts": scripts}


def webui_tasks(address: str, prefix: str) -> list[Asked]:
    """Every task of the WebUI; inputs are in S3, where the predecessor could not read them."""
    dog = {"data": address, "name": "dog.png"}
    return [
        Asked(f"{prefix}-t2i", "text-to-image", {**_DREAM, "alwayson_scripts": {}}),
        Asked(f"{prefix}-i2i", "image-to-image", {**_DREAM, "init_images": [address], "denoising_strength": 0.5}),
        Asked(f"{prefix}-extra", "extra-single-image", {**_EXTRAS, "image": address}),
        Asked(f"{prefix}-batch", "extra-batch-images", {**_EXTRAS, "imageList": [dog, {**dog, "name": "b.png"}]}, 2),
    ]


async def source(sd: World) -> str:
    """An input image in the output bucket; its address."""
    await sd.clients["s3"].put_object(
        Bucket=sd.topology.bucket, Key="inputs/dog.png", Body=encode_png(draw("dog", 1, 64, 64), {})
    )
    return f"s3://{sd.topology.bucket}/inputs/dog.png"


async def told_as_it_told(sd: World, asked: Asked, context: Any) -> None:
    """The notification has the predecessor's fields, with its meaning; the images lie where its clients look."""
    told = await sd.notified(asked.id, seconds=120)
    assert told.keys() >= FIELDS
    assert (told["status"], told["result"], told["runtime"]) == ("completed", True, "sd"), told["error"]
    assert told["context"] == context
    assert len(told["image_url"]) == asked.images
    folder = f"s3://{sd.topology.bucket}/output/{asked.id}/"
    assert all(url.startswith(folder) for url in told["image_url"])
    assert set(await sd.keys(f"output/{asked.id}/")) == {
        url.partition(f"{sd.topology.bucket}/")[2] for url in told["image_url"]
    }
    document = await sd.document(asked.id)
    assert told["output_url"].startswith(f"s3://{sd.topology.bucket}/jobs/")
    # What the runtime answered is kept, as its output.json was.
    assert document.response is not None


@pytest.mark.parametrize("kind", ["sdwebui", "comfyui"])
async def test_every_task_by_its_api(emulator: Emulator, tmp_path: Path, kind: str) -> None:
    """Its two paths take its bodies and answer as it did; pipeline, which its API refused, among them."""
    async with world(emulator, tmp_path, kind, (CHECKPOINT,)) as sd, front_door(sd.topology, emulator, tmp_path) as url:
        await sd.agent()
        address = await source(sd)
        newer = (
            webui_tasks(address, "new")
            if kind == "sdwebui"
            else [Asked("new-flow", "pipeline", workflow("a dog", 1), 2)]
        )
        older = webui_tasks(address, "old") if kind == "sdwebui" else []
        async with httpx.AsyncClient(base_url=url, timeout=60) as client:
            for asked in newer:
                said = await client.post("/v1alpha2", json={"task": asked.v1alpha2})
                location = f"s3://{sd.topology.bucket}/output/{asked.id}"
                assert (said.status_code, said.json()) == (
                    200,
                    {"id": asked.id, "runtime": "sd", "output_location": location},
                )
            for asked in older:
                said = await client.post("/v1alpha1", json={"task": asked.v1alpha1})
                location = f"s3://{sd.topology.bucket}/output/{asked.id}"
                answer = {"id_task": asked.id, "sd_model_checkpoint": CHECKPOINT, "output_location": location}
                assert (said.status_code, said.json()) == (200, answer)
        for asked in newer:
            await told_as_it_told(sd, asked, {"order": asked.id})
        for asked in older:
            await told_as_it_told(sd, asked, {})


@pytest.mark.parametrize("kind", ["sdwebui", "comfyui"])
async def test_every_task_straight_on_the_topic(emulator: Emulator, tmp_path: Path, kind: str) -> None:
    """Clients that publish by themselves: v1alpha2 by the attribute `runtime`, v1alpha1 by `sd_model_checkpoint`."""
    async with world(emulator, tmp_path, kind, (CHECKPOINT,)) as sd:
        await sd.agent()
        address = await source(sd)
        flow = {"prompt": workflow("a dog", 1)}
        newer = webui_tasks(address, "new") if kind == "sdwebui" else [Asked("new-flow", "pipeline", flow, 2)]
        older = webui_tasks(address, "old") if kind == "sdwebui" else []
        for asked in newer:
            await publish(sd, asked.v1alpha2, runtime="sd")
        for asked in older:
            await publish(sd, asked.v1alpha1, sd_model_checkpoint=CHECKPOINT)
        for asked in newer:
            await told_as_it_told(sd, asked, {"order": asked.id})
        for asked in older:
            await told_as_it_told(sd, asked, {})


async def publish(sd: World, body: dict[str, Any], **attributes: str) -> None:
    """Put a message on the jobs topic with these attributes, and no others."""
    told = {name: {"DataType": "String", "StringValue": text} for name, text in attributes.items()}
    await sd.clients["sns"].publish(TopicArn=sd.topology.jobs_arn, Message=json.dumps(body), MessageAttributes=told)
