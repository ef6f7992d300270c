"""The demo's jobs: one of each kind, in Darkroom's format and the predecessor's, with what must become of each."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class DemoJob:
    """A request to the API at `path`, and how its job must end."""

    id: str
    about: str
    runtime: str
    body: dict[str, Any]
    state: str = "completed"
    attempt: int = 1
    artifacts: int = 1
    error: str | None = None
    path: str = "/v1/jobs"

    @property
    def tells(self) -> bool:
        """Whether its end is sent by webhook."""
        return "webhook" in self.body


def workflow(prompt: str, seed: int) -> dict[str, Any]:
    """A ComfyUI workflow in API format with two outputs: the picture, and the same picture inverted."""
    return {
        "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "dreamy.safetensors"}},
        "5": {"class_type": "EmptyLatentImage", "inputs": {"width": 640, "height": 512, "batch_size": 1}},
        "6": {"class_type": "CLIPTextEncode", "inputs": {"text": prompt, "clip": ["4", 1]}},
        "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "blurry", "clip": ["4", 1]}},
        "3": {
            "class_type": "KSampler",
            "inputs": {
                "model": ["4", 0],
                "seed": seed,
                "steps": 20,
                "cfg": 7.0,
                "sampler_name": "euler",
                "scheduler": "normal",
                "positive": ["6", 0],
                "negative": ["7", 0],
                "latent_image": ["5", 0],
                "denoise": 1.0,
            },
        },
        "8": {"class_type": "VAEDecode", "inputs": {"samples": ["3", 0], "vae": ["4", 2]}},
        "9": {"class_type": "SaveImage", "inputs": {"images": ["8", 0], "filename_prefix": "picture"}},
        "10": {"class_type": "ImageInvert", "inputs": {"image": ["8", 0]}},
        "11": {"class_type": "SaveImage", "inputs": {"images": ["10", 0], "filename_prefix": "negative"}},
    }


def demo_jobs(sketch: str, hook: str, sdwebui: str, comfyui: str, openai: str) -> list[DemoJob]:
    """The demo's jobs; `sketch` is an input image's address, `hook` takes webhooks, the others name the runtimes."""
    size = {"width": 640, "height": 512, "steps": 20}

    def job(job_id: str, runtime: str, task: str, request: dict[str, Any]) -> dict[str, Any]:
        return {"id": job_id, "runtime": runtime, "task": task, "prefix": "demo", "input": request}

    fails_once = {"fault": "runtime-error", "times": 1, "key": "second-try"}
    return [
        DemoJob(
            "text-to-image",
            "text to image",
            sdwebui,
            job("text-to-image", sdwebui, "text-to-image", {"prompt": "a quiet lake at dawn", "seed": 7, **size})
            | {"webhook": {"url": hook}},
        ),
        DemoJob(
            "image-to-image",
            "image to image, input in S3",
            sdwebui,
            job(
                "image-to-image",
                sdwebui,
                "image-to-image",
                {
                    "prompt": "the same lake in autumn",
                    "seed": 8,
                    "init_images": [sketch],
                    "denoising_strength": 0.5,
                    **size,
                },
            ),
        ),
        DemoJob(
            "comfyui-workflow",
            "ComfyUI workflow, two outputs",
            comfyui,
            job("comfyui-workflow", comfyui, "pipeline", workflow("a lighthouse in a storm", 11)),
            artifacts=2,
        ),
        DemoJob(
            "openai-edit",
            "OpenAI images API, two edits",
            openai,
            job(
                "openai-edit",
                openai,
                "image-to-image",
                {"prompt": "the lake by night", "image": [sketch], "n": 2, "size": "640x512", "seed": 13},
            ),
            artifacts=2,
        ),
        DemoJob(
            "named-workflow",
            "named workflow: portrait",
            sdwebui,
            {"id": "named-workflow", "workflow": "portrait", "params": {"prompt": "an old sailor"}, "prefix": "demo"},
        ),
        DemoJob(
            "v1alpha2",
            "predecessor's v1alpha2",
            sdwebui,
            {
                "task": {
                    "metadata": {
                        "id": "v1alpha2",
                        "runtime": sdwebui,
                        "tasktype": "text-to-image",
                        "prefix": "demo",
                        "context": {"order": 42},
                    },
                    "content": {"prompt": "a village under the stars", "seed": 9, "alwayson_scripts": {}, **size},
                }
            },
            path="/v1alpha2",
        ),
        DemoJob(
            "v1alpha1",
            "predecessor's v1alpha1",
            sdwebui,
            {
                "task": {
                    "alwayson_scripts": {
                        "task": "text-to-image",
                        "id_task": "v1alpha1",
                        "sd_model_checkpoint": "sharp.safetensors",
                        "uid": "1",
                        "save_dir": "demo",
                    },
                    "prompt": "a desert at noon",
                    "seed": 10,
                    **size,
                }
            },
            path="/v1alpha1",
        ),
        DemoJob(
            "second-try",
            "fails once, then succeeds",
            comfyui,
            job(
                "second-try",
                comfyui,
                "pipeline",
                {"prompt": workflow("an island of gulls", 12), "extra_data": {"simulator": fails_once}},
            ),
            attempt=2,
            artifacts=2,
        ),
        DemoJob(
            "must-fail",
            "must fail: no such sampler",
            sdwebui,
            job("must-fail", sdwebui, "text-to-image", {"prompt": "nothing", "sampler_name": "Oiler", **size})
            | {"webhook": {"url": hook}},
            state="failed",
            artifacts=0,
            error="runtime_refused",
        ),
    ]
