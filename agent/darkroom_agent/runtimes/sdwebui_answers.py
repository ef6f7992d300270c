"""What an answer of AUTOMATIC1111 (v1.10.1), Forge, reForge, SD.Next or sd.cpp's server means. Pure."""

from typing import Any

import msgspec

from darkroom_agent.errors import (
    Failure,
    OutOfMemory,
    RuntimeBroken,
    RuntimeBusy,
    RuntimeFailed,
    RuntimeGone,
    RuntimeRefused,
)
from darkroom_contract.job import Task

from . import refusal
from .http import Reply
from .refusal import BROKEN, CLIENT, MEMORY, SERVER, Meaning
from .sdwebui_request import image_fields, with_values

# What the request itself made the server trip over (bad base64, zero steps, empty batch, unknown option, unknown
# upscaler): as a 500, told by its class alone, and for a RuntimeError by words that speak of the request's shapes.
_PERMANENT = ("HTTPException", "KeyError", "ZeroDivisionError", "AssertionError", "IndexError", "ValueError")
_SHAPES = ("negative dimension", "kernel size can't be greater", "expected 3d", "not found", "shape")

# The first that fits. Sources: the recordings; Forge, reForge and SD.Next for `{detail}` and 429.
MEANINGS = (
    Meaning(OutOfMemory, SERVER, words=MEMORY),
    Meaning(RuntimeBroken, SERVER, words=BROKEN),
    Meaning(RuntimeBusy, (429, 503)),
    Meaning(RuntimeGone, (502, 504)),
    Meaning(RuntimeRefused, CLIENT),
    Meaning(RuntimeRefused, classes=(*_PERMANENT, "UnidentifiedImageError")),
    Meaning(RuntimeRefused, classes=("RuntimeError",), words=_SHAPES),
    Meaning(RuntimeRefused, classes=("server_error",), words=("json.exception",)),  # sd.cpp's server
    Meaning(RuntimeFailed),
)


def failure_of(reply: Reply) -> Failure:
    """The failure that an answer other than 200 means."""
    return refusal.failure_of(reply, MEANINGS)


def images_of(answer: dict[str, Any]) -> list[str]:
    """The base64 images of an answer in its order: `images`, or `image` of extra-single-image."""
    images = answer.get("images", [answer["image"]] if isinstance(answer.get("image"), str) else [])
    if not isinstance(images, list) or not all(isinstance(image, str) for image in images):
        raise RuntimeFailed("the runtime's answer has `images` that are none")
    return images


def response_of(task: Task, answer: dict[str, Any]) -> dict[str, Any]:
    """The answer without images: `info` parsed from its JSON string, the request's images not echoed."""
    response = {name: value for name, value in answer.items() if name not in ("images", "image")}
    if isinstance(response.get("info"), str):
        response["info"] = _info(response["info"])
    if isinstance(parameters := response.get("parameters"), dict):
        echoed = image_fields(task, parameters)
        response["parameters"] = with_values(parameters, dict.fromkeys(path for path, _ in echoed))
    return response


def _info(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return text


def told(response: dict[str, Any], name: str) -> str | None:
    """What the answer's own account (`info`) says was used: `sd_model_name`, `sampler_name`."""
    info = response.get("info")
    value = info.get(name) if isinstance(info, dict) else None
    return value if isinstance(value, str) and value else None
