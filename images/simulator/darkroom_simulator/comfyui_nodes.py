"""The nodes that the imagined ComfyUI has: their inputs as `/object_info` tells them, and what they make."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from PIL import Image, ImageOps

from .draw import draw

_SIZE = {"default": 512, "min": 1, "max": 16384, "step": 1}
_SAMPLERS = [
    "euler",
    "euler_cfg_pp",
    "euler_ancestral",
    "heun",
    "dpm_2",
    "dpmpp_2m",
    "dpmpp_sde",
    "ddim",
    "uni_pc",
    "lcm",
]
_SCHEDULERS = ["simple", "sgm_uniform", "karras", "exponential", "ddim_uniform", "beta", "normal", "linear_quadratic"]
_SEED = {"default": 0, "min": 0, "max": 0xFFFFFFFFFFFFFFFF, "control_after_generate": True}

type Make = Callable[[dict[str, Any]], tuple[Any, ...]]


@dataclass(frozen=True)
class Node:
    """One class of nodes: `required` and `optional` map an input to its `[type, config]`, `make` inputs to results."""

    returns: tuple[str, ...]
    required: dict[str, list[Any]]
    make: Make
    output: str = ""
    samples: bool = False
    optional: dict[str, list[Any]] = field(default_factory=dict)


def _int(**config: Any) -> list[Any]:
    return ["INT", config]


def _empty_image(inputs: dict[str, Any]) -> tuple[Any, ...]:
    colour = f"#{int(inputs['color']):06x}"
    return ([Image.new("RGB", (int(inputs["width"]), int(inputs["height"])), colour)] * int(inputs["batch_size"]),)


def _empty_latent(inputs: dict[str, Any]) -> tuple[Any, ...]:
    return ({"size": (int(inputs["width"]), int(inputs["height"])), "batch": int(inputs["batch_size"])},)


def _sample(inputs: dict[str, Any]) -> tuple[Any, ...]:
    return ({**inputs["latent_image"], "prompt": inputs["positive"], "seed": int(inputs["seed"])},)


def _decode(inputs: dict[str, Any]) -> tuple[Any, ...]:
    latent = inputs["samples"]
    prompt, seed = latent.get("prompt", ""), latent.get("seed", 0)
    return ([draw(prompt, seed + index, *latent["size"]) for index in range(latent["batch"])],)


def _encode(inputs: dict[str, Any]) -> tuple[Any, ...]:
    return ({"size": inputs["pixels"][0].size, "batch": len(inputs["pixels"])},)


def _scale(inputs: dict[str, Any]) -> tuple[Any, ...]:
    size = (int(inputs["width"]), int(inputs["height"]))
    return ([image.resize(size) for image in inputs["image"]],)


def _first(name: str) -> Make:
    return lambda inputs: (inputs[name],)


_MODEL_LINK = ["MODEL", {"tooltip": "The model used for denoising the input latent."}]
_PREFIX = ["STRING", {"default": "ComfyUI"}]

NODES: dict[str, Node] = {
    "EmptyImage": Node(
        ("IMAGE",),
        {
            "width": ["INT", _SIZE],
            "height": ["INT", _SIZE],
            "batch_size": _int(default=1, min=1, max=4096),
            "color": _int(default=0, min=0, max=0xFFFFFF, step=1, display="color"),
        },
        _empty_image,
    ),
    "EmptyLatentImage": Node(
        ("LATENT",),
        {
            "width": _int(default=512, min=16, max=16384, step=8),
            "height": _int(default=512, min=16, max=16384, step=8),
            "batch_size": _int(default=1, min=1, max=4096),
        },
        _empty_latent,
    ),
    "CheckpointLoaderSimple": Node(
        ("MODEL", "CLIP", "VAE"),
        {"ckpt_name": [[], {"tooltip": "The name of the checkpoint (model) to load."}]},
        lambda inputs: (inputs["ckpt_name"],) * 3,
    ),
    "CLIPTextEncode": Node(
        ("CONDITIONING",),
        {"text": ["STRING", {"multiline": True, "dynamicPrompts": True}], "clip": ["CLIP", {}]},
        _first("text"),
    ),
    "KSampler": Node(
        ("LATENT",),
        {
            "model": _MODEL_LINK,
            "seed": ["INT", _SEED],
            "steps": _int(default=20, min=1, max=10000),
            "cfg": ["FLOAT", {"default": 8.0, "min": 0.0, "max": 100.0, "step": 0.1, "round": 0.01}],
            "sampler_name": [_SAMPLERS, {}],
            "scheduler": [_SCHEDULERS, {}],
            "positive": ["CONDITIONING", {}],
            "negative": ["CONDITIONING", {}],
            "latent_image": ["LATENT", {}],
            "denoise": ["FLOAT", {"default": 1.0, "min": 0.0, "max": 1.0, "step": 0.01}],
        },
        _sample,
        samples=True,
    ),
    "VAEDecode": Node(("IMAGE",), {"samples": ["LATENT", {}], "vae": ["VAE", {}]}, _decode),
    "VAEEncode": Node(("LATENT",), {"pixels": ["IMAGE", {}], "vae": ["VAE", {}]}, _encode),
    "LoadImage": Node(("IMAGE", "MASK"), {"image": [[], {"image_upload": True}]}, _first("image")),
    "LoadImageMask": Node(
        ("MASK",),
        {"image": [[], {"image_upload": True}]},
        _first("image"),
        optional={"channel": [["alpha", "red", "green", "blue"], {}]},
    ),
    "ImageInvert": Node(
        ("IMAGE",),
        {"image": ["IMAGE", {}]},
        lambda inputs: ([ImageOps.invert(i.convert("RGB")) for i in inputs["image"]],),
    ),
    "ImageScale": Node(
        ("IMAGE",),
        {
            "image": ["IMAGE", {}],
            "upscale_method": [["nearest-exact", "bilinear", "area", "bicubic", "lanczos"], {}],
            "width": ["INT", _SIZE],
            "height": ["INT", _SIZE],
            "crop": [["disabled", "center"], {}],
        },
        _scale,
    ),
    "SaveImage": Node(
        (),
        {"images": ["IMAGE", {"tooltip": "The images to save."}], "filename_prefix": _PREFIX},
        _first("images"),
        "images",
    ),
    "PreviewImage": Node((), {"images": ["IMAGE", {}]}, _first("images"), "preview"),
    "SaveAnimation": Node((), {"images": ["IMAGE", {}], "filename_prefix": _PREFIX}, _first("images"), "gifs"),
    "SaveVideo": Node((), {"images": ["IMAGE", {}], "filename_prefix": _PREFIX}, _first("images"), "video"),
    "SaveAudio": Node((), {"images": ["IMAGE", {}], "filename_prefix": _PREFIX}, _first("images"), "audio"),
    "ProbeSleep": Node(
        ("IMAGE",),
        {
            "image": ["IMAGE", {}],
            "seconds": ["FLOAT", {"default": 1.0, "min": 0.0, "max": 600.0}],
            "steps": _int(default=10, min=1, max=10000),
            "interruptible": ["BOOLEAN", {"default": True}],
            "nonce": _int(default=0, min=0, max=2**63),
        },
        _first("image"),
    ),
    "ProbeRaise": Node(
        ("IMAGE",),
        {
            "image": ["IMAGE", {}],
            "kind": ["STRING", {"default": "ValueError"}],
            "nonce": _int(default=0, min=0, max=2**63),
        },
        _first("image"),
    ),
}
"""SaveAnimation, SaveVideo and SaveAudio stand for the many custom nodes whose outputs are no images."""


def object_info(name: str, checkpoints: list[str]) -> dict[str, Any]:
    """A class of nodes as `/object_info` tells it."""
    node = NODES[name]
    required = dict(node.required)
    if name == "CheckpointLoaderSimple":
        required["ckpt_name"] = [checkpoints, node.required["ckpt_name"][1]]
    inputs = {"required": required} | ({"optional": node.optional} if node.optional else {})
    return {
        "input": inputs,
        "input_order": {kind: list(named) for kind, named in inputs.items()},
        "is_input_list": False,
        "output": list(node.returns),
        "output_is_list": [False] * len(node.returns),
        "output_name": list(node.returns),
        "name": name,
        "display_name": name,
        "description": "",
        "python_module": "nodes",
        "category": "simulator",
        "output_node": bool(node.output),
        "has_intermediate_output": False,
    }
