"""Where AUTOMATIC1111 refuses a request, in its order and its words (recorded). Pure."""

import base64
import binascii
import io
import json
from typing import Any

from PIL import Image, UnidentifiedImageError

from .sdwebui_data import SCRIPTS, TYPES, UPSCALERS

_MOST_PIXELS = 64_000_000


class Refused(Exception):
    """An answer other than 200: its status and its body."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(f"{status} {body}")
        self.status = status
        self.body = body


def raised(kind: str, said: str, status: int = 500) -> Refused:
    """What an exception inside the server becomes."""
    return Refused(status, {"error": kind, "detail": "", "body": "", "errors": said})


def http_error(status: int, detail: str) -> Refused:
    """What the server refuses by itself."""
    return Refused(status, {"error": "HTTPException", "detail": detail, "body": "", "errors": ""})


def invalid(place: list[str | int], said: str, kind: str) -> Refused:
    """What pydantic refuses."""
    return Refused(422, {"detail": [{"loc": place, "msg": said, "type": kind}]})


def parse_body(text: str) -> dict[str, Any]:
    """The fields of a request's body; raises what pydantic would."""
    if not text:
        raise invalid(["body"], "field required", "value_error.missing")
    try:
        body = json.loads(text)
    except json.JSONDecodeError as error:
        said = f"{error.msg}: line {error.lineno} column {error.colno} (char {error.pos})"
        context = {"msg": error.msg, "doc": text, "pos": error.pos, "lineno": error.lineno, "colno": error.colno}
        place = {"loc": ["body", error.pos], "msg": said, "type": "value_error.jsondecode", "ctx": context}
        raise Refused(422, {"detail": [place]}) from error
    if not isinstance(body, dict):
        raise invalid(["body"], "value is not a valid dict", "type_error.dict")
    return body


def check_types(body: dict[str, Any]) -> None:
    """Raise what pydantic would."""
    for name, value in body.items():
        if name not in TYPES or value is None:
            continue
        wanted, said, kind = TYPES[name]
        if not isinstance(value, wanted) or isinstance(value, bool):
            raise invalid(["body", name], said, kind)


def check_generation(body: dict[str, Any], options: dict[str, Any], *, from_image: bool) -> None:
    """Raise what generating would, before any step is made."""
    check_types(body)
    if from_image and body.get("init_images") is None:
        raise http_error(404, "Init image not found")
    for name in (*(body.get("alwayson_scripts") or {}), *([body["script_name"]] if body.get("script_name") else [])):
        if name.lower() not in SCRIPTS:
            raise http_error(422, f"Script '{name}' not found")
    for image in body.get("init_images") or () if from_image else ():
        decode_image(image)
    if from_image and body.get("mask"):
        decode_image(body["mask"])
    if from_image and body["init_images"] == []:
        raise raised(
            "RuntimeError", "Expected 3D (unbatched) or 4D (batched) input to conv2d, but got input of size: [0]"
        )
    for key in body.get("override_settings") or {}:
        if key not in options:
            raise raised("KeyError", f"'{key}'")
    _check_sizes(body)


def _check_sizes(body: dict[str, Any]) -> None:
    width, height = body.get("width", 512), body.get("height", 512)
    if body.get("batch_size") == 0:
        raise raised("IndexError", "list index out of range")
    if body.get("steps") == 0:
        raise raised("ZeroDivisionError", "integer division or modulo by zero")
    if width < 0 or height < 0:
        side = min(width, height) // 8
        raise raised("RuntimeError", f"Trying to create tensor with negative dimension {side}: [4, 8, {side}]")
    if min(width, height) < 8:
        said = "Calculated padded input size per channel: (10 x 2). Kernel size: (3 x 3)."
        raise raised("RuntimeError", f"{said} Kernel size can't be greater than actual input size")
    if width * height > _MOST_PIXELS:
        said = f"you tried to allocate {width * height} bytes. Error code 12 (Cannot allocate memory)"
        raise raised(
            "RuntimeError",
            f"[enforce fail at alloc_cpu.cpp:83] err == 0. DefaultCPUAllocator: can't allocate memory: {said}",
        )


def check_extras(body: dict[str, Any]) -> None:
    """Raise what an upscale would."""
    for name in ("upscaler_1", "upscaler_2"):
        wanted = body.get(name, "None")
        if wanted not in UPSCALERS:
            raise raised("AssertionError", f"could not find upscaler named {wanted}")


def decode_image(text: Any) -> Image.Image:
    """An image of a request, as base64 or a data URI."""
    if not isinstance(text, str) or not text:
        raise http_error(500, "Invalid encoded image")
    if text.startswith(("http://", "https://")):
        raise http_error(500, "Request to local resource not allowed")
    try:
        data = base64.b64decode(text.partition("base64,")[2] if text.startswith("data:") else text, validate=True)
        image = Image.open(io.BytesIO(data))
        image.load()
    except (binascii.Error, ValueError, UnidentifiedImageError, OSError, SyntaxError) as error:
        raise http_error(500, "Invalid encoded image") from error
    return image
