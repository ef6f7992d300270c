"""Files of the imagined ComfyUI: inputs that are loaded, outputs that are written in every kind."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image, UnidentifiedImageError

from .comfyui_queue import Item
from .draw import draw, encode_animation, encode_png

# A tiny file of each kind: enough for a signature.
_VIDEO = b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41" + b"\0\0\0\x08free"
_AUDIO = b"fLaC\x80\0\0\x22" + bytes(34)


class NodeFailed(Exception):
    """A node raised."""

    def __init__(self, kind: str, said: str) -> None:
        super().__init__(said)
        self.kind = kind
        self.said = said


class Files:
    """The folders `input`, `output` and `temp`. With `image_bytes`, for benchmarks, all images are the same."""

    def __init__(self, folder: Path, image_bytes: int) -> None:
        self._folder = folder
        self._image_bytes = image_bytes
        self._padded: bytes | None = None
        self._counter = 0

    def load(self, name: str) -> Image.Image:
        """An input image.

        Raises:
            NodeFailed: it is none.
        """
        try:
            with Image.open(self._folder / "input" / name) as image:
                return image.convert("RGB")
        except UnidentifiedImageError as error:
            raise NodeFailed("PIL.UnidentifiedImageError", f"cannot identify image file '{name}'") from error

    def save(self, kind: str, images: list[Image.Image], prefix: str, item: Item) -> dict[str, Any]:
        """Write what an output node of this kind makes of images; its output as the history tells it."""
        encode: dict[str, tuple[str, str, Callable[[], list[bytes]]]] = {
            "images": ("images", "png", lambda: [self._png(image, item) for image in images]),
            "preview": ("images", "png", lambda: [encode_png(image, {}) for image in images]),
            "gifs": ("gifs", "gif", lambda: [encode_animation([*images, draw("frame", 2, *images[0].size)])]),
            "video": ("video", "mp4", lambda: [_VIDEO]),
            "audio": ("audio", "flac", lambda: [_AUDIO]),
        }
        key, ending, make = encode[kind]
        place = "temp" if kind == "preview" else "output"
        files = []
        for data in make():
            self._counter += 1
            path = self._folder / place / f"{prefix}_{self._counter:05}_.{ending}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            subfolder = str(path.parent.relative_to(self._folder / place))
            files.append({"filename": path.name, "subfolder": "" if subfolder == "." else subfolder, "type": place})
        return {key: files}

    def _png(self, image: Image.Image, item: Item) -> bytes:
        if self._image_bytes:
            # For benchmarks: the same bytes for all, made once.
            self._padded = self._padded or encode_png(image, {"prompt": "{}"}, self._image_bytes)
            return self._padded
        texts = {"prompt": json.dumps(item.graph)}
        extra = item.extra_data.get("extra_pnginfo") or {}
        return encode_png(image, texts | {name: json.dumps(value) for name, value in extra.items()})
