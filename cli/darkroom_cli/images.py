"""Local image files in a request: which of its texts name one, and the request with addresses in their places.

Pure but for a look at the disk.
"""

from collections.abc import Collection, Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

from darkroom_contract.api import INPUT_TYPES, MAX_INPUT_BYTES

from .failures import Refused

type Place = tuple[str | int, ...]

IMAGE_FIELDS = frozenset({"init_images", "mask", "image", "data", "input_image", "mask_image"})
"""What fields that hold images are called: the WebUI's, ControlNet's, and those of ComfyUI's loaders."""
_SUFFIXES = frozenset({*(f".{extension}" for extension in INPUT_TYPES.values()), ".jpeg"})
_ELSEWHERE = ("http:", "https:", "s3:", "data:")
_SIGNATURES = (
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF8", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (4, b"ftypavif", "image/avif"),
    (4, b"ftypavis", "image/avif"),
)


def local_images(body: Any, folder: Path, fields: Collection[str] = IMAGE_FIELDS) -> dict[Place, Path]:
    """The files that a request's image fields name, looked for from `folder`.

    A bare name that is no file here is left alone: it may lie in ComfyUI's own input folder.

    Raises:
        Refused: a path that leads nowhere.
    """
    found = {}
    for place, text in _texts(body, (), fields, inside=False):
        path = folder / Path(text).expanduser()
        if path.is_file():
            found[place] = path
        elif "/" in text:
            raise Refused(f"{'.'.join(map(str, place))}: there is no file {path}")
    return found


def may_hold_files(params: Any) -> bool:
    """Whether a named workflow's parameters hold a text that could name an image file."""
    texts = params.values() if isinstance(params, dict) else ()
    return any(isinstance(text, str) and _may_be_file(text) for text in texts)


def with_images(body: Any, urls: Mapping[Place, str]) -> Any:
    """The request with an address at each of these places; the original stays as it is."""
    changed = deepcopy(body) if urls else body
    for place, url in urls.items():
        inner = changed
        for step in place[:-1]:
            inner = inner[step]
        inner[place[-1]] = url
    return changed


def content_type(file: Path) -> str:
    """What an image is, by its own first bytes.

    Raises:
        Refused: it cannot be read, is too large, or is none of the types that jobs take.
    """
    try:
        size = file.stat().st_size
        with file.open("rb") as opened:
            head = opened.read(16)
    except OSError as error:
        raise Refused(f"{file}: {error.strerror}") from error
    if size > MAX_INPUT_BYTES:
        raise Refused(f"{file} has {size:,} bytes; an input image may have {MAX_INPUT_BYTES:,}")
    for at, signature, kind in _SIGNATURES:
        if head[at : at + len(signature)] == signature:
            return kind
    raise Refused(f"{file} is no image that can be sent: {', '.join(sorted(INPUT_TYPES.values()))} are")


def _may_be_file(text: str) -> bool:
    return Path(text).suffix.lower() in _SUFFIXES and not text.lower().startswith(_ELSEWHERE)


def _texts(value: Any, place: Place, fields: Collection[str], *, inside: bool) -> Iterator[tuple[Place, str]]:
    """Texts in image fields that may be a file's name."""
    if isinstance(value, str):
        if inside and _may_be_file(value):
            yield place, value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _texts(inner, (*place, name), fields, inside=name in fields)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _texts(inner, (*place, index), fields, inside=inside)
