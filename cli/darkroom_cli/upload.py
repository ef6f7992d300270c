"""Sends the local images that requests name, each file once, and puts their addresses into the requests."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .client import Client
from .failures import DarkroomError
from .follow import many
from .images import Place, local_images, may_hold_files, with_images


async def uploaded(darkroom: Client, requests: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The requests without local files: what was one is an `s3://` address now.

    Raises:
        DarkroomError: one of them is no image or could not be sent; nothing is to be submitted then.
    """
    kinds = await _image_parameters(darkroom, requests)
    folder = Path.cwd()
    found = [_files(request, folder, kinds) for request in requests]
    files = sorted({file for places in found for file in places.values()})
    urls: dict[Path, str] = {}
    for file, outcome in zip(files, await many(files, darkroom.upload, "uploading"), strict=True):
        if isinstance(outcome, DarkroomError):
            raise outcome
        urls[file] = outcome
    return [
        with_images(request, {place: urls[file] for place, file in places.items()})
        for request, places in zip(requests, found, strict=True)
    ]


async def _image_parameters(darkroom: Client, requests: Sequence[dict[str, Any]]) -> dict[str, frozenset[str]]:
    """Which parameters hold images, of every named workflow that is called with a text that could name a file."""
    calls = [one for one in requests if "workflow" in one and may_hold_files(one.get("params"))]
    return {
        name: frozenset(
            key for key, one in (await darkroom.workflow(name)).parameters.items() if one.get("type") == "image"
        )
        for name in sorted({str(one["workflow"]) for one in calls})
    }


def _files(request: dict[str, Any], folder: Path, kinds: dict[str, frozenset[str]]) -> dict[Place, Path]:
    part = "params" if "workflow" in request else "input"
    if part == "params":
        found = local_images(request.get(part), folder, kinds.get(str(request["workflow"]), frozenset()))
    else:
        found = local_images(request.get(part), folder)
    return {(part, *place): file for place, file in found.items()}
