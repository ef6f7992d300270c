"""The pictures that the imagined WebUI makes, and what it says of them in `info` and infotext. Pure."""

import base64
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from PIL import Image, ImageOps

from . import sdwebui_data as data
from .draw import draw, encode_jpeg, encode_png, encode_webp
from .sdwebui_checks import decode_image


@dataclass(frozen=True)
class Order:
    """What is to be made: the request with its defaults, the settings that apply, the model, and the seeds."""

    asked: dict[str, Any]
    settings: dict[str, Any]
    model: str
    seeds: tuple[int, ...]

    @property
    def size(self) -> tuple[int, int]:
        """In pixels; the server rounds down to eighths."""
        return self.asked["width"] // 8 * 8, self.asked["height"] // 8 * 8

    @property
    def has_grid(self) -> bool:
        """Whether a grid comes before the images."""
        return bool(self.settings["return_grid"]) and len(self.seeds) > 1


def make_images(order: Order, count: int, done: float) -> list[str]:
    """The first `count` images, base64; the last of them is unfinished if `done` is below 1."""
    finished = [1.0] * (count - 1) + [done]
    pictures = [_picture(order, seed, part) for seed, part in zip(order.seeds, finished, strict=False)]
    texts = [_infotext(order, seed) for seed in order.seeds[:count]]
    if order.has_grid:
        pictures, texts = [_grid(pictures, order.size), *pictures], [texts[0], *texts]
    encode = {"jpg": encode_jpeg, "jpeg": encode_jpeg, "webp": encode_webp}.get(order.settings["samples_format"])
    encoded = [
        encode(picture, text) if encode else encode_png(picture, {"parameters": text})
        for picture, text in zip(pictures, texts, strict=True)
    ]
    return [base64.b64encode(image).decode() for image in encoded]


def make_padded(order: Order, size: int) -> str:
    """For benchmarks: an image of about `size` bytes, base64."""
    png = encode_png(_picture(order, order.seeds[0], 1.0), {"parameters": _infotext(order, order.seeds[0])}, size)
    return base64.b64encode(png).decode()


def make_info(order: Order, count: int) -> dict[str, Any]:
    """What the server says of its images, in its `info`; an interrupted job has fewer infotexts than seeds."""
    asked, seeds = order.asked, list(order.seeds)
    texts = [_infotext(order, seed) for seed in seeds[:count]]
    first = 1 if order.has_grid else 0
    return {
        "prompt": asked["prompt"],
        "all_prompts": [asked["prompt"]] * len(seeds),
        "negative_prompt": asked["negative_prompt"],
        "all_negative_prompts": [asked["negative_prompt"]] * len(seeds),
        "seed": seeds[0],
        "all_seeds": seeds,
        "subseed": seeds[0] ^ 0x5EED,
        "all_subseeds": [seed ^ 0x5EED for seed in seeds],
        "sampler_name": _sampler(asked["sampler_name"]),
        "cfg_scale": float(asked["cfg_scale"]),
        "sd_model_name": order.model,
        "denoising_strength": asked["denoising_strength"],
        "extra_generation_params": _extra(asked),
        "index_of_first_image": first,
        "infotexts": texts[:1] * first + texts,
        "job_timestamp": time.strftime("%Y%m%d%H%M%S"),
        "clip_skip": order.settings["CLIP_stop_at_last_layers"],
        "version": data.VERSION,
        **{name: asked[name] for name in ("width", "height", "steps", "batch_size", "subseed_strength")},
        **data.INFO,
    }


def upscale(image: Image.Image, body: dict[str, Any]) -> str:
    """An image as an upscaler makes it, base64."""
    factor = float(body.get("upscaling_resize", 2))
    large = image.resize((round(image.width * factor), round(image.height * factor)), Image.Resampling.LANCZOS)
    return base64.b64encode(encode_png(large, {"postprocessing": upscale_text(body)})).decode()


def upscale_text(body: dict[str, Any]) -> str:
    """What the server says of an upscale."""
    factor = float(body.get("upscaling_resize", 2))
    return f"Postprocess upscale by: {factor}, Postprocess upscaler: {body.get('upscaler_1', 'None')}"


def _picture(order: Order, seed: int, done: float) -> Image.Image:
    picture = draw(order.asked["prompt"], seed, *order.size)
    if order.asked.get("init_images"):
        source = ImageOps.fit(decode_image(order.asked["init_images"][0]).convert("RGB"), order.size)
        strength = order.asked["denoising_strength"]
        picture = Image.blend(source, picture, min(max(0.75 if strength is None else float(strength), 0.0), 1.0))
    if done >= 1.0:
        return picture
    coarse = picture.resize((max(1, round(picture.width * done / 8)), max(1, round(picture.height * done / 8))))
    return coarse.resize(picture.size, Image.Resampling.NEAREST)


def _grid(pictures: Iterable[Image.Image], size: tuple[int, int]) -> Image.Image:
    tiles = list(pictures)
    columns = round(len(tiles) ** 0.5)
    rows = -(-len(tiles) // columns)
    grid = Image.new("RGB", (size[0] * columns, size[1] * rows))
    for index, tile in enumerate(tiles):
        grid.paste(tile, (index % columns * size[0], index // columns * size[1]))
    return grid


def _infotext(order: Order, seed: int) -> str:
    asked, skip = order.asked, order.settings["CLIP_stop_at_last_layers"]
    negative = f"\nNegative prompt: {asked['negative_prompt']}" if asked["negative_prompt"] else ""
    extra = _extra(asked)
    told = {
        "Steps": asked["steps"],
        "Sampler": _sampler(asked["sampler_name"]),
        "Schedule type": extra.pop("Schedule type", "Automatic"),
        "CFG scale": float(asked["cfg_scale"]),
        "Seed": seed,
        "Size": f"{asked['width']}x{asked['height']}",
        "Model": order.model,
        **extra,
        **({} if skip == 1 else {"Clip skip": skip}),
        "Version": data.VERSION,
    }
    return f"{asked['prompt']}{negative}\n" + ", ".join(f"{name}: {value}" for name, value in told.items())


def _extra(asked: dict[str, Any]) -> dict[str, Any]:
    automatic = "Karras" if _sampler(asked["sampler_name"]).startswith("DPM++") else "Automatic"
    schedule = asked["scheduler"] if asked["scheduler"] in data.SCHEDULERS.values() else automatic
    extra: dict[str, Any] = {} if schedule == "Automatic" else {"Schedule type": schedule}
    if asked["denoising_strength"] is not None:
        extra["Denoising strength"] = asked["denoising_strength"]
    if asked.get("mask"):
        area = "Only masked" if asked["inpaint_full_res"] else "Whole picture"
        blur, padding = asked["mask_blur"] or asked["mask_blur_x"], asked["inpaint_full_res_padding"]
        extra |= {"Mask blur": blur, "Inpaint area": area, "Masked area padding": padding}
    return extra


def _sampler(name: Any) -> str:
    """An unknown sampler is replaced in silence (recorded)."""
    return name if name in data.SAMPLERS else "DPM++ 2M" if name else "Euler"
