"""What the imagined WebUI makes: pictures in their encodings, and the account that it gives of them."""

import base64
import random
import time
from typing import Any

from PIL import Image, ImageOps

from . import sdwebui_data as data
from .draw import draw, encode_jpeg, encode_png
from .sdwebui_checks import decode_image


class Images:
    """Makes the images of a request. With `image_bytes`, for benchmarks, the same ones for all, made once."""

    def __init__(self, image_bytes: int) -> None:
        self._image_bytes = image_bytes
        self._encoded: dict[str, str] = {}

    def make(self, asked: dict[str, Any], settings: dict[str, Any]) -> tuple[list[str], dict[str, Any]]:
        """Images as base64, and `info`. `settings` are the options in force, the loaded checkpoint among them."""
        seed = asked["seed"] if asked["seed"] != -1 else random.SystemRandom().randrange(2**32)
        count = asked["batch_size"] * asked["n_iter"]
        seeds = [seed + index for index in range(count)]
        texts = [_infotext(asked, settings, one) for one in seeds]
        pictures = [self._encode(asked, one, text, settings) for one, text in zip(seeds, texts, strict=True)]
        grid = bool(settings["return_grid"]) and count > 1
        info = _info(asked, settings, seeds, texts, first=1 if grid else 0)
        return ([pictures[0], *pictures] if grid else pictures), info

    def _encode(self, asked: dict[str, Any], seed: int, text: str, settings: dict[str, Any]) -> str:
        width, height = asked["width"] // 8 * 8, asked["height"] // 8 * 8
        if self._image_bytes:
            # For benchmarks: the same bytes for all, made once.
            key = f"{width}x{height}"
            if key not in self._encoded:
                png = encode_png(draw("bench", 1, width, height), {"parameters": text}, self._image_bytes)
                self._encoded[key] = base64.b64encode(png).decode()
            return self._encoded[key]
        picture = _picture(asked, seed, width, height)
        jpeg = settings["samples_format"] in ("jpg", "jpeg")
        encoded = encode_jpeg(picture, text) if jpeg else encode_png(picture, {"parameters": text})
        return base64.b64encode(encoded).decode()


def _picture(asked: dict[str, Any], seed: int, width: int, height: int) -> Image.Image:
    drawn = draw(asked["prompt"], seed, width, height)
    if not asked.get("init_images"):
        return drawn
    source = ImageOps.fit(decode_image(asked["init_images"][0]).convert("RGB"), (width, height))
    strength = asked["denoising_strength"] if asked["denoising_strength"] is not None else 0.75
    return Image.blend(source, drawn, min(max(float(strength), 0.0), 1.0))


def _infotext(asked: dict[str, Any], settings: dict[str, Any], seed: int) -> str:
    size = f"{asked['width'] // 8 * 8}x{asked['height'] // 8 * 8}"
    negative = f"\nNegative prompt: {asked['negative_prompt']}" if asked["negative_prompt"] else ""
    return (
        f"{asked['prompt']}{negative}\nSteps: {asked['steps']}, Sampler: {_sampler(asked['sampler_name'])}, "
        f"Schedule type: Automatic, CFG scale: {float(asked['cfg_scale'])}, Seed: {seed}, Size: {size}, "
        f"Model: {stem(settings['sd_model_checkpoint'])}, Version: {data.VERSION}"
    )


def _info(
    asked: dict[str, Any], settings: dict[str, Any], seeds: list[int], texts: list[str], first: int
) -> dict[str, Any]:
    count = len(seeds)
    strength = asked["denoising_strength"]
    return {
        "prompt": asked["prompt"],
        "all_prompts": [asked["prompt"]] * count,
        "negative_prompt": asked["negative_prompt"],
        "all_negative_prompts": [asked["negative_prompt"]] * count,
        "seed": seeds[0],
        "all_seeds": seeds,
        "subseed": seeds[0] ^ 0x5EED,
        "all_subseeds": [seed ^ 0x5EED for seed in seeds],
        "subseed_strength": asked["subseed_strength"],
        "width": asked["width"] // 8 * 8,
        "height": asked["height"] // 8 * 8,
        "sampler_name": _sampler(asked["sampler_name"]),
        "cfg_scale": float(asked["cfg_scale"]),
        "steps": asked["steps"],
        "batch_size": asked["batch_size"],
        "restore_faces": False,
        "face_restoration_model": None,
        "sd_model_name": stem(settings["sd_model_checkpoint"]),
        "sd_model_hash": None,
        "sd_vae_name": None,
        "sd_vae_hash": None,
        "seed_resize_from_w": -1,
        "seed_resize_from_h": -1,
        "denoising_strength": strength,
        "extra_generation_params": {} if strength is None else {"Denoising strength": strength},
        "index_of_first_image": first,
        "infotexts": [texts[0]] * first + texts,
        "styles": [],
        "job_timestamp": time.strftime("%Y%m%d%H%M%S"),
        "clip_skip": 1,
        "is_using_inpainting_conditioning": False,
        "version": data.VERSION,
    }


def _sampler(name: Any) -> str:
    """An unknown sampler is replaced in silence (recorded)."""
    return name if name in data.SAMPLERS else "DPM++ 2M" if name else "Euler"


def stem(name: str) -> str:
    """A checkpoint's name without folder and ending."""
    return name.rpartition("/")[2].rsplit(".", 1)[0]


def upscaled(image: Image.Image, body: dict[str, Any]) -> str:
    """An image made larger, as base64."""
    factor = float(body.get("upscaling_resize", 2))
    large = image.resize((round(image.width * factor), round(image.height * factor)), Image.Resampling.LANCZOS)
    text = f"Postprocess upscale by: {factor}, Postprocess upscaler: {body.get('upscaler_1', 'None')}"
    return base64.b64encode(encode_png(large, {"postprocessing": text})).decode()
