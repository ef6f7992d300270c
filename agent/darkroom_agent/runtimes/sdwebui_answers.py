"""What an answer of AUTOMATIC1111 (v1.10.1), Forge, reForge, SD.Next or sd.cpp's server means. Pure."""

import binascii
from typing import Any

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

from .http import Reply

# Many permanent errors come as 500, told by their class alone: what the request made the server trip over would trip it
# again. (Recorded: bad base64, zero steps, empty batch, unknown option key, unknown upscaler.)
_PERMANENT_CLASSES = {
    "HTTPException",
    "KeyError",
    "ZeroDivisionError",
    "AssertionError",
    "IndexError",
    "TypeError",
    "ValueError",
    "UnidentifiedImageError",
}
# RuntimeErrors that speak of the request's shapes; any other may be the machine's.
_PERMANENT_WORDS = ("negative dimension", "kernel size can't be greater", "expected 3d", "not found", "shape")
_MEMORY_WORDS = ("out of memory", "can't allocate memory", "not enough memory", "outofmemory")
_BROKEN_WORDS = ("cuda error", "cublas", "cudnn_status", "device-side assert")
_KNOWN = ("error", "detail", "errors", "body", "code", "message")
_SHOWN = 500  # characters of the runtime's words in a message


def failure_of(reply: Reply) -> Failure:
    """The failure that an answer other than 200 means."""
    answer = _parsed(reply)
    words, response = _words(answer, reply), {"status": reply.status, **_bounded(answer)}
    lower = f"{answer.get('error', '')} {words}".lower()
    kind: type[Failure]
    if any(word in lower for word in _MEMORY_WORDS):
        kind = OutOfMemory
    elif any(word in lower for word in _BROKEN_WORDS):
        kind = RuntimeBroken
    elif reply.status in (429, 503):
        kind = RuntimeBusy
    elif reply.status in (502, 504):
        kind = RuntimeGone
    elif reply.status < 500 or answer.get("error") in _PERMANENT_CLASSES or _speaks_of_the_request(lower):
        kind = RuntimeRefused
    else:
        kind = RuntimeFailed
    return kind(f"the runtime answered {reply.status}: {words}", response=response)


def _speaks_of_the_request(lower: str) -> bool:
    return "runtimeerror" in lower and any(word in lower for word in _PERMANENT_WORDS)


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
    place = ".".join(str(step) for step in one.get("loc", ()))
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
        return tuple(OutputFile(pybase64.b64decode(_without_head(image), validate=True)) for image in images)
    except (binascii.Error, ValueError) as error:
        raise RuntimeFailed(f"the runtime's answer holds a broken image: {error}") from error


def _without_head(image: str) -> str:
    """An image's base64, whether it is a data URI or not."""
    return image[image.index(",") + 1 :] if image.startswith("data:") else image


def response_of(answer: dict[str, Any]) -> dict[str, Any]:
    """The answer without images: `info` parsed from its JSON string, nothing of the request's images echoed."""
    response = {name: value for name, value in answer.items() if name not in ("images", "image")}
    if isinstance(response.get("info"), str):
        response["info"] = _info(response["info"])
    parameters = response.get("parameters")
    if isinstance(parameters, dict):
        response["parameters"] = {name: value for name, value in parameters.items() if _is_plain(value)}
    return response


def _is_plain(value: Any) -> bool:
    return value is not None and value != {} and _is_short(value)


def _info(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return text


def model_of(response: dict[str, Any]) -> str | None:
    """The checkpoint that made these images, by the answer's own account."""
    info = response.get("info")
    name = info.get("sd_model_name") if isinstance(info, dict) else None
    return name if isinstance(name, str) and name else None


def same_model(one: str, other: str) -> bool:
    """Whether two names mean one checkpoint: titles with or without folder, extension and `[hash]`."""
    return _stem(one) == _stem(other)


def _stem(name: str) -> str:
    stem = name.partition(" [")[0].replace("\\", "/").rpartition("/")[2]
    for ending in (".safetensors", ".ckpt", ".gguf"):
        stem = stem.removesuffix(ending)
    return stem.lower()
