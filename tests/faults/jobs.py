"""The campaign's jobs: all kinds, from a seed."""

import json
import random
from dataclasses import dataclass
from typing import Any

INPUT_KEY = "inputs/source.png"


@dataclass(frozen=True, slots=True)
class Sent:
    """A message of the campaign: its job's id (None where nobody can tell), runtime, body, and how often it is sent."""

    id: str | None
    runtime: str
    body: str
    times: int = 1


def make_jobs(count: int, chance: random.Random, bucket: str) -> list[Sent]:
    """`count` messages for the runtimes `webui`, `comfy` and `flux`."""
    return [_make(f"job-{number:04}", chance, bucket) for number in range(count)]


def _make(job_id: str, chance: random.Random, bucket: str) -> Sent:
    runtime = chance.choice(["webui", "comfy", "flux"])
    kind = chance.choices(
        ["plain", "slow", "input", "converted", "twice", "flaky", "memory", "crash", "refused", "wrong", "no JSON"],
        [40, 10, 8, 8, 8, 8, 4, 4, 5, 3, 2],
    )[0]
    if kind == "no JSON":
        return Sent(None, runtime, f"no JSON at all: {job_id}")
    job: dict[str, Any] = {"id": job_id, "runtime": runtime, "task": _TASKS[runtime], "input": {}}
    fault = _fault(kind, job_id, chance)
    job["input"] = _INPUT[runtime](kind, fault, job_id, bucket)
    if kind == "input" and runtime != "comfy":
        job["task"] = "image-to-image"
    if kind == "converted":
        job["output"] = {
            "format": chance.choice(["webp", "jpeg", "avif"]),
            "metadata": chance.choice(["keep", "strip"]),
        }
    if kind == "wrong":
        job["timeout_seconds"] = "soon"
    return Sent(job_id, runtime, json.dumps(job), times=2 if kind == "twice" else 1)


_TASKS = {"webui": "text-to-image", "comfy": "pipeline", "flux": "text-to-image"}


def _fault(kind: str, job_id: str, chance: random.Random) -> dict[str, Any]:
    """What the simulator is asked for; counted by job, so that a later attempt succeeds."""
    match kind:
        case "slow":
            return {"latency": chance.uniform(0.5, 2.5)}
        case "flaky":
            return {"fault": "runtime-error", "times": 1, "key": job_id}
        case "memory":
            return {"fault": "out-of-memory", "times": 1, "key": job_id}
        case "crash":
            return {"fault": "crash", "times": 1, "key": job_id}
    return {}


def _webui(kind: str, fault: dict[str, Any], _: str, bucket: str) -> dict[str, Any]:
    size = {"width": 128, "height": 96, "n_iter": 2}
    asked: dict[str, Any] = {"prompt": kind, "seed": 1, **size}
    if fault:
        asked["simulator"] = fault
    if kind == "input":
        asked["init_images"] = [f"s3://{bucket}/{INPUT_KEY}"]
    if kind == "refused":
        asked["sampler_name"] = "Oiler"
    return asked


def _comfy(kind: str, fault: dict[str, Any], job_id: str, bucket: str) -> dict[str, Any]:
    graph: dict[str, Any] = {
        "1": {
            "class_type": "EmptyImage",
            "inputs": {"width": 128, "height": 96, "batch_size": 1, "color": hash_of(job_id)},
        },
        "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "out"}},
    }
    if kind == "input":
        graph["1"] = {"class_type": "LoadImage", "inputs": {"image": f"s3://{bucket}/{INPUT_KEY}"}}
    if kind == "refused":
        graph["2"]["inputs"] = {"filename_prefix": "out"}
    return {"prompt": graph, "extra_data": {"simulator": fault} if fault else {}}


def _flux(kind: str, fault: dict[str, Any], job_id: str, bucket: str) -> dict[str, Any]:
    asked: dict[str, Any] = {"prompt": job_id, "size": "128x96", "n": 2, **({"simulator": fault} if fault else {})}
    if kind == "input":
        asked["image"] = [f"s3://{bucket}/{INPUT_KEY}"]
    if kind == "refused":
        asked["output_format"] = "bmp"
    return asked


_INPUT = {"webui": _webui, "comfy": _comfy, "flux": _flux}


def hash_of(job_id: str) -> int:
    """A colour of a job's own, for ComfyUI answers what it has made before from its cache."""
    return int(job_id.rsplit("-", 1)[1]) * 7919 % 0xFFFFFF
