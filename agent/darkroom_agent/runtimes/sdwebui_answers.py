"""What an answer of AUTOMATIC1111 (v1.10.1), Forge, reForge, SD.Next or sd.cpp's server means. Pure."""

import binascii
from collections.abc import Collection
from typing import Any, NamedTuple

import msgspec
import pybase64

from darkroom_agent.errors import (
    Failure,
    OutOfMemory,
    RuntimeBroken,
    RuntimeBusy,
    RuntimeFailed,
    RuntimeGone,
    RuntimeRefused,
)
from darkroom_agent.ports import OutputFile
from darkroom_contract.job import Task

from .http import Reply
from .sdwebui_request import image_fields, with_values

_MEMORY = ("out of memory", "outofmemory", "can't allocate memory", "not enough memory")
_BROKEN = ("cuda error", "cublas", "cudnn_status", "device-side assert")
# What the request itself made the server trip over (bad base64, zero steps, empty batch, unknown option, unknown
# upscaler): as a 500, told by its class alone, and for a RuntimeError by words that speak of the request's shapes.
_PERMANENT = ("HTTPException", "KeyError", "ZeroDivisionError", "AssertionError", "IndexError", "ValueError")
_SHAPES = ("negative dimension", "kernel size can't be greater", "expected 3d", "not found", "shape")
_ALL, _SERVER, _CLIENT = range(1000), range(500, 1000), range(500)


class Meaning(NamedTuple):
    """An answer with one of these statuses, classes (any if none) and words (any if none) is this failure."""

    kind: type[Failure]
    statuses: Collection[int] = _ALL
    classes: tuple[str, ...] = ()
    words: tuple[str, ...] = ()


# The first that fits. Sources: the recordings; Forge, reForge and SD.Next for `{detail}` and 429.
MEANINGS = (
    Meaning(OutOfMemory, _SERVER, words=_MEMORY),
    Meaning(RuntimeBroken, _SERVER, words=_BROKEN),
    Meaning(RuntimeBusy, (429, 503)),
    Meaning(RuntimeGone, (502, 504)),
    Meaning(RuntimeRefused, _CLIENT),
    Meaning(RuntimeRefused, classes=(*_PERMANENT, "UnidentifiedImageError")),
    Meaning(RuntimeRefused, classes=("RuntimeError",), words=_SHAPES),
    Meaning(RuntimeRefused, classes=("server_error",), words=("json.exception",)),  # sd.cpp's server
    Meaning(RuntimeFailed),
)
_KNOWN = ("error", "detail", "errors", "body", "code", "message")
_SHOWN = 500  # characters of the runtime's words in a message


def failure_of(reply: Reply) -> Failure:
    """The failure that an answer other than 200 means."""
    answer = _parsed(reply)
    words, response = _words(answer, reply), {"status": reply.status, **_bounded(answer)}
    if reply.status == 401:
        words += " (API_BASE_URL may hold user:password@)"
    kind = next(one.kind for one in MEANINGS if _fits(one, reply.status, str(answer.get("error")), words.lower()))
    return kind(f"the runtime answered {reply.status}: {words}", response=response)


def _fits(meaning: Meaning, status: int, error: str, words: str) -> bool:
    return (
        status in meaning.statuses
        and (not meaning.classes or error in meaning.classes)
        and (not meaning.words or any(word in words for word in meaning.words))
    )


def _parsed(reply: Reply) -> dict[str, Any]:
    try:
        answer = msgspec.json.decode(reply.body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}


def _words(answer: dict[str, Any], reply: Reply) -> str:
    """The runtime's own words, readable: `body.steps: value is not a valid integer`, `KeyError: 'nope'`."""
    detail = answer.get("detail")
    if isinstance(detail, list):
        said = "; ".join(_of_pydantic(one) for one in detail[:5])
    else:
        parts = [answer.get("error"), detail or answer.get("message"), answer.get("errors")]
        said = ": ".join(str(part) for part in parts if part)
    return (said or reply.text() or "nothing")[:_SHOWN]


def _of_pydantic(one: Any) -> str:
    if not isinstance(one, dict):
        return str(one)
    steps = one.get("loc")
    place = ".".join(str(step) for step in steps) if isinstance(steps, list) else "?"
    return f"{place}: {one.get('msg', '')}"


def _bounded(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value if _is_short(value) else "…" for name, value in answer.items() if name in _KNOWN}


def _is_short(value: Any) -> bool:
    return len(msgspec.json.encode(value)) <= 4096


def images_of(answer: dict[str, Any]) -> list[str]:
    """The base64 images of an answer in its order: `images`, or `image` of extra-single-image."""
    images = answer.get("images", [answer["image"]] if isinstance(answer.get("image"), str) else [])
    if not isinstance(images, list) or not all(isinstance(image, str) for image in images):
        raise RuntimeFailed("the runtime's answer has `images` that are none")
    return images


def decode_images(images: list[str]) -> tuple[OutputFile, ...]:
    """Files of base64 images.

    Raises:
        RuntimeFailed: one of them is broken.
    """
    try:
        files = tuple(OutputFile(pybase64.b64decode(_without_head(image), validate=True)) for image in images)
    except (binascii.Error, ValueError) as error:
        raise RuntimeFailed(f"the runtime's answer holds a broken image: {error}") from error
    if not all(file.data for file in files):
        raise RuntimeFailed("the runtime's answer holds an empty image")
    return files


def _without_head(image: str) -> str:
    """An image's base64, whether it is a data URI or not."""
    return image[image.index(",") + 1 :] if image.startswith("data:") else image


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
