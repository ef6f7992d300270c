"""The flags of a generation, which have the WebUI's names, as a request of the OpenAI images API. Pure."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .failures import Refused

_NAMES = {
    "prompt": "prompt",
    "negative_prompt": "negative_prompt",
    "steps": "num_inference_steps",
    "cfg_scale": "guidance_scale",
    "seed": "seed",
    "batch_size": "n",
}
_OWN = frozenset({"n", "size", "num_inference_steps", "guidance_scale", "response_format", "output_format", "quality"})


def is_openai(body: Mapping[str, Any]) -> bool:
    """Whether a request is one of this API rather than the WebUI's: by fields that the other does not have."""
    return bool(_OWN & body.keys()) or ("image" in body and "prompt" in body and "init_images" not in body)


def openai_input(fields: Mapping[str, Any], images: Sequence[Path]) -> dict[str, Any]:
    """The request's body; local images stand in `image`, to be uploaded.

    Raises:
        Refused: a flag that this API has no field for.
    """
    rest = dict(fields)
    width, height = rest.pop("width", None), rest.pop("height", None)
    if (width is None) != (height is None):
        raise Refused("--width and --height go together: this runtime takes a size")
    if "sampler_name" in rest:
        raise Refused("--sampler: this runtime's API has no samplers; see --set for fields of its server's own")
    body = {_NAMES[name]: value for name, value in rest.items()}
    if width is not None:
        body["size"] = f"{width}x{height}"
    if images:
        body["image"] = [str(image) for image in images]
    return body
