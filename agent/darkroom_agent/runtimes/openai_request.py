"""The body of an OpenAI images request: where its images stand, and how it is written for either path."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
import msgspec

from darkroom_agent.errors import InvalidRequest
from darkroom_agent.ports import FieldPath, InputImage
from darkroom_contract.job import Task

_IMAGES = ("image", "mask")


@dataclass(frozen=True, slots=True)
class Body:
    """An encoded request."""

    data: bytes
    content_type: str


def image_fields(task: Task, body: dict[str, Any]) -> list[tuple[FieldPath, str]]:
    """`image` (one or a list of them) and `mask` of an edit. Nothing else is ever fetched."""
    if task is not Task.IMAGE_TO_IMAGE:
        return []
    found: list[tuple[FieldPath, Any]] = []
    for name in _IMAGES:
        value = body.get(name)
        found += [((name, i), one) for i, one in enumerate(value)] if isinstance(value, list) else [((name,), value)]
    return [(path, value) for path, value in found if isinstance(value, str) and value]


async def encode(task: Task, body: dict[str, Any], images: Mapping[FieldPath, InputImage]) -> Body:
    """The request as `/v1/images/generations` (JSON) or `/v1/images/edits` (a form) takes it.

    Images are wanted as base64 in one answer, whatever the caller says of that.

    Raises:
        InvalidRequest: a field cannot be written into a form.
    """
    asked = {**body, "response_format": "b64_json"}
    asked.pop("stream", None)
    if task is not Task.IMAGE_TO_IMAGE:
        return Body(msgspec.json.encode(asked), "application/json")
    form = aiohttp.FormData(default_to_multipart=True)
    try:
        for name, value in _texts(asked):
            form.add_field(name, value)
        for number, (path, image) in enumerate(images.items()):
            # Every server reads `image[]`, also of one image; sd.cpp's read nothing else until 2026.
            field = "mask" if path[0] == "mask" else "image[]"
            file = f"{path[0]}-{number}.{image.content_type.rpartition('/')[2]}"
            form.add_field(field, image.data, filename=file, content_type=image.content_type)
        parts = form()
        return Body(await parts.as_bytes(), parts.headers["Content-Type"])
    except (ValueError, TypeError) as error:  # control characters in a name, half a surrogate in a text
        raise InvalidRequest(f"$.input: a field cannot be sent in a form: {error}") from error


def _texts(body: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The fields that are no images, as texts: numbers and truth as in JSON, what is nested as JSON."""
    for name, value in body.items():
        if name not in _IMAGES and value is not None:
            yield name, value if isinstance(value, str) else msgspec.json.encode(value).decode()
