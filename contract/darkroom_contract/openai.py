"""Checks of an OpenAI images request before any GPU wakes: known fields of the right type and within bounds. Pure.

Only what would fail or be abuse is refused: servers add fields of their own (vLLM-Omni: `seed`, `negative_prompt`,
`num_inference_steps`), which pass. Addresses instead of images, and streams of partial ones, cannot be had: images go
to the bucket.
"""

import re
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from .decode import ContractError, convert, show
from .job import Task

MAX_IMAGES = 64
"""Most images of one job: `n`."""
MAX_INPUTS = 16
"""Most images to edit, as OpenAI has it."""

_SIZE = re.compile(r"(\d{1,5})x(\d{1,5})", re.ASCII)
_LEAST, _MOST = 64, 4096  # pixels of a side
_FIELD = re.compile(r"[A-Za-z0-9_.\-]{1,64}(\[\])?", re.ASCII)


class Generation(Struct, frozen=True, kw_only=True):
    """Fields of `/v1/images/generations` and `/v1/images/edits` that have bounds; null is "not said"."""

    prompt: Annotated[str, Meta(min_length=1, max_length=32_000)]
    model: Annotated[str, Meta(max_length=200)] | None = None
    n: Annotated[int, Meta(ge=1, le=MAX_IMAGES)] | None = None
    size: str | None = None
    response_format: Literal["b64_json"] | None = None
    output_format: Literal["png", "jpeg", "webp"] | None = None
    output_compression: Annotated[int, Meta(ge=0, le=100)] | None = None
    quality: str | None = None
    background: str | None = None
    style: str | None = None
    user: str | None = None
    stream: Literal[False] | None = None
    seed: int | None = None
    negative_prompt: Annotated[str, Meta(max_length=32_000)] | None = None
    num_inference_steps: Annotated[int, Meta(ge=1, le=1000)] | None = None
    guidance_scale: Annotated[float, Meta(ge=0, le=100)] | None = None
    image: str | list[str] | None = None
    mask: str | None = None


def check_request(task: Task, request: dict[str, Any]) -> None:
    """Check a job's input for this task.

    Raises:
        ContractError: the first mistake, at `$.input.<field>`.
    """
    try:
        known = convert(request, Generation)
    except ContractError as error:
        raise ContractError(f"$.input{error.path.removeprefix('$')}", error.expected, error.got) from error
    _check_size(known.size)
    if task is Task.IMAGE_TO_IMAGE:
        _check_edit(known, request)


def _check_size(size: str | None) -> None:
    if size in (None, "", "auto"):
        return
    found = _SIZE.fullmatch(size)
    if found is None or not all(_LEAST <= int(side) <= _MOST for side in found.groups()):
        raise ContractError("$.input.size", f'"auto" or "<width>x<height>", each {_LEAST} … {_MOST}', show(size))


def _check_edit(known: Generation, request: dict[str, Any]) -> None:
    """What is to be edited, and that every field can be sent in a form."""
    images = [known.image] if isinstance(known.image, str) else known.image or []
    if not images or not all(images) or len(images) > MAX_INPUTS:
        got = f"{len(images)} of them" if images and all(images) else show(request.get("image"))
        raise ContractError(
            "$.input.image", f"an image, or an array of 1 … {MAX_INPUTS}", got if "image" in request else "nothing"
        )
    for name in request:
        if not _FIELD.fullmatch(name):
            raise ContractError("$.input", "names of form fields (letters, digits, `_.-`)", show(name))
