"""Images as base64 in a runtime's JSON."""

import asyncio
import binascii

import pybase64

from darkroom_agent.errors import RuntimeFailed
from darkroom_agent.ports import OutputFile

_BESIDE = 1024 * 1024  # bytes from which coding base64 would be felt by others


async def encode(data: bytes) -> str:
    """An image as base64."""
    if len(data) > _BESIDE:
        return await asyncio.to_thread(pybase64.b64encode_as_string, data)
    return pybase64.b64encode_as_string(data)


async def decode(images: list[str]) -> tuple[OutputFile, ...]:
    """Files of base64 images or data URIs.

    Raises:
        RuntimeFailed: one of them is broken.
    """
    if sum(len(image) for image in images) > _BESIDE:
        return await asyncio.to_thread(files_of, images)
    return files_of(images)


def files_of(images: list[str]) -> tuple[OutputFile, ...]:
    """As `decode`, at once."""
    try:
        files = tuple(OutputFile(pybase64.b64decode(_without_head(image), validate=True)) for image in images)
    except (binascii.Error, ValueError) as error:
        raise RuntimeFailed(f"the runtime's answer holds a broken image: {error}") from error
    if not all(file.data for file in files):
        raise RuntimeFailed("the runtime's answer holds an empty image")
    return files


def _without_head(image: str) -> str:
    return image[image.index(",") + 1 :] if image.startswith("data:") else image
