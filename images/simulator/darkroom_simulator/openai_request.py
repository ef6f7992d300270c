"""What sd.cpp's server reads of an OpenAI images request, and where it refuses one, in its words (recorded). Pure."""

import io
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from PIL import Image, UnidentifiedImageError

_FORMATS = ("png", "jpeg", "webp")
_EXTRA = re.compile(r"<sd_cpp_extra_args>(.*?)</sd_cpp_extra_args>", re.DOTALL)
_SIZE = re.compile(r"(\d+)x(\d+)", re.ASCII)
_SIDE, _SEED, _STRENGTH, _MOST = 512, 42, 0.75, 8  # its defaults, and its most images


class Refused(Exception):
    """An answer other than 200: its status and its body."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(f"{status} {body}")
        self.status = status
        self.body = body


def wrong(said: str) -> Refused:
    """What the server refuses by itself."""
    return Refused(400, {"error": said})


def raised(said: str) -> Refused:
    """What an exception inside the server becomes."""
    return Refused(500, {"error": "server_error", "message": said})


@dataclass(frozen=True)
class Order:
    """What is to be made; `source` is the first image of an edit, `simulator` the failure that the job asks for."""

    prompt: str
    count: int
    size: tuple[int, int]
    seed: int
    steps: int
    output_format: str
    strength: float
    source: Image.Image | None = None
    simulator: Any = None


def order_of_json(text: str) -> Order:
    """A request to make images.

    Raises:
        Refused: as the server does.
    """
    if not text:
        raise wrong("empty body")
    try:
        body = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise raised(f"[json.exception.parse_error.101] parse error: {error}") from error
    if not isinstance(body, dict):
        raise raised("[json.exception.type_error.306] cannot use value() with a value that is no object")
    return _order(body, None)


def order_of_form(fields: Mapping[str, str], files: Mapping[str, list[bytes]]) -> Order:
    """A request to change images.

    Raises:
        Refused: as the server does.
    """
    # Texts are all that a form has: what is a number or an object in JSON is parsed out of them.
    body = {name: text if name == "prompt" else _parsed(text) for name, text in fields.items()}
    if not body.get("prompt"):
        raise wrong("prompt required")
    images = files.get("image[]") or files.get("image") or []
    if not images:
        raise wrong("at least one image[] required")
    sources = [_image(data) for data in (*images, *files.get("mask", []))]
    return _order(body, sources[0])


def _order(body: dict[str, Any], source: Image.Image | None) -> Order:
    prompt = body.get("prompt", "")
    if not isinstance(prompt, str):
        raise raised("[json.exception.type_error.302] type must be string")
    if not prompt:
        raise wrong("prompt required")
    extra = _extra(prompt)
    output_format = body.get("output_format") or "png"
    if output_format not in _FORMATS:
        raise wrong("invalid output_format, must be one of [png, jpeg, webp]")
    sampling = extra.get("sample_params")
    steps = sampling.get("sample_steps") if isinstance(sampling, dict) else body.get("num_inference_steps")
    return Order(
        prompt=_EXTRA.sub("", prompt).strip(),
        count=min(max(_integer(body.get("n"), 1), 1), _MOST),
        size=_size(body.get("size"), source),
        seed=_integer(extra.get("seed", body.get("seed")), _SEED),
        steps=max(_integer(steps, 20), 1),
        output_format=output_format,
        strength=_number(extra.get("strength", body.get("strength")), _STRENGTH),
        source=source,
        simulator=body.get("simulator"),
    )


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _extra(prompt: str) -> dict[str, Any]:
    """The server's own arguments, which travel inside the prompt."""
    found = _EXTRA.search(prompt)
    if found is None:
        return {}
    extra = _parsed(found[1])
    if not isinstance(extra, dict):
        raise wrong("invalid sd_cpp_extra_args")
    return extra


def _integer(value: Any, default: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else default


def _number(value: Any, default: float) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else default


def _size(value: Any, source: Image.Image | None) -> tuple[int, int]:
    found = _SIZE.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return (_SIDE, _SIDE) if source is None else source.size
    width, height = int(found[1]), int(found[2])
    if not 0 < width * height <= 64_000_000:
        raise wrong("width and height must be positive")
    return width, height


def _image(data: bytes) -> Image.Image:
    try:
        image = Image.open(io.BytesIO(data))
        image.load()
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise wrong("failed to decode image") from error
    return image
