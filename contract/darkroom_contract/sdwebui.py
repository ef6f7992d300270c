"""Checks of an AUTOMATIC1111 request before any GPU wakes: known fields of the right type and within bounds. Pure.

Only what would fail or be abuse is refused: extensions add fields of their own, which pass. The server's own refusals
are in its recordings (width 0 and steps 0 are a 500 there, a text for a number a 422).
"""

from typing import Annotated, Any

from msgspec import Meta, Struct

from .decode import ContractError, convert, show
from .job import Task

MAX_IMAGES = 64
"""Most images of one job: `batch_size` × `n_iter`."""

Pixels = Annotated[int, Meta(ge=64, le=4096)]
Steps = Annotated[int, Meta(ge=1, le=150)]
Text = Annotated[str, Meta(max_length=20_000)]


class Generation(Struct, frozen=True, kw_only=True):
    """Fields of `txt2img` and `img2img` that have bounds; null is what the server takes for "not said"."""

    prompt: Text | None = None
    negative_prompt: Text | None = None
    width: Pixels | None = None
    height: Pixels | None = None
    steps: Steps | None = None
    cfg_scale: Annotated[float, Meta(ge=0, le=100)] | None = None
    seed: int | None = None
    subseed: int | None = None
    batch_size: Annotated[int, Meta(ge=1, le=MAX_IMAGES)] | None = None
    n_iter: Annotated[int, Meta(ge=1, le=MAX_IMAGES)] | None = None
    denoising_strength: Annotated[float, Meta(ge=0, le=1)] | None = None
    sampler_name: str | None = None
    scheduler: str | None = None
    styles: list[str] | None = None
    override_settings: dict[str, Any] | None = None
    alwayson_scripts: dict[str, Any] | None = None
    script_name: str | None = None
    script_args: list[Any] | None = None
    enable_hr: bool | None = None
    hr_scale: Annotated[float, Meta(ge=1, le=8)] | None = None
    init_images: list[str] | None = None
    mask: str | None = None


class Extra(Struct, frozen=True, kw_only=True):
    """Fields of the extra tasks that have bounds."""

    image: str | None = None
    imageList: list[dict[str, Any]] | None = None  # noqa: N815 (the server's name)
    upscaling_resize: Annotated[float, Meta(ge=1, le=8)] | None = None
    upscaling_resize_w: Annotated[int, Meta(ge=1, le=16_384)] | None = None
    upscaling_resize_h: Annotated[int, Meta(ge=1, le=16_384)] | None = None


_NEEDS = {
    Task.IMAGE_TO_IMAGE: "init_images",
    Task.EXTRA_SINGLE_IMAGE: "image",
    Task.EXTRA_BATCH_IMAGES: "imageList",
}


def check_request(task: Task, request: dict[str, Any]) -> None:
    """Check a job's input for this task.

    Raises:
        ContractError: the first mistake, at `$.input.<field>`.
    """
    generation = task in (Task.TEXT_TO_IMAGE, Task.IMAGE_TO_IMAGE)
    try:
        known = convert(request, Generation) if generation else convert(request, Extra)
    except ContractError as error:
        raise ContractError(f"$.input{error.path.removeprefix('$')}", error.expected, error.got) from error
    needed = _NEEDS.get(task)
    if needed and not getattr(known, needed):
        what = "an image" if needed == "image" else "an array with at least one image"
        raise ContractError(f"$.input.{needed}", what, show(request[needed]) if needed in request else "nothing")
    if isinstance(known, Generation):
        images = (known.batch_size or 1) * (known.n_iter or 1)
        if images > MAX_IMAGES:
            raise ContractError("$.input.n_iter", f"batch_size × n_iter ≤ {MAX_IMAGES}", f"{images}")
