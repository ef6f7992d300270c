"""The imagined ComfyUI's folders: what was uploaded, and what its nodes save."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image

from .draw import draw, encode_animation, encode_png

# A tiny file of each kind: enough for a signature.
_VIDEO = b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41" + b"\0\0\0\x08free"
_AUDIO = b"fLaC\x80\0\0\x22" + bytes(34)


class Files:
    """`input`, `output` and `temp` below one folder."""

    def __init__(self, folder: Path, image_bytes: int = 0) -> None:
        """Saved images are padded to `image_bytes`, if it is not 0."""
        self._folder = folder
        self._image_bytes = image_bytes
        self._counters: dict[Path, int] = {}
        for name in ("input", "output", "temp"):
            (folder / name).mkdir(parents=True, exist_ok=True)

    def path(self, place: str, *parts: str) -> Path | None:
        """Where a file lies in `input`, `output` or `temp`; nowhere if that is outside."""
        root = (self._folder / place).resolve()
        path = root.joinpath(*parts).resolve()
        return path if place in ("input", "output", "temp") and path.is_relative_to(root) else None

    def has_input(self, name: str) -> bool:
        """Whether a file was uploaded."""
        path = self.path("input", name)
        return path is not None and path.is_file()

    def digest(self, name: str) -> str:
        """What tells an input's content from another's."""
        return hashlib.sha256((self._folder / "input" / name).read_bytes()).hexdigest()

    def load(self, name: str) -> Image.Image:
        """An uploaded image.

        Raises:
            PIL.UnidentifiedImageError: it is none.
        """
        with Image.open(self._folder / "input" / name) as image:
            return image.convert("RGB")

    def upload(self, place: str, subfolder: str, name: str, data: bytes, *, overwrite: bool) -> str | None:
        """Keep an upload; its name, or None outside the folder.

        The same image again keeps its name, another of that name gets a number (recorded).
        """
        folder = self.path(place, subfolder)
        if folder is None:
            return None
        folder.mkdir(parents=True, exist_ok=True)
        path, number = folder / name, 1
        while not overwrite and path.exists() and path.read_bytes() != data:
            path = folder / f"{Path(name).stem} ({number}){Path(name).suffix}"
            number += 1
        path.write_bytes(data)
        return path.name

    def save(self, kind: str, images: list[Image.Image], prefix: str, texts: dict[str, str]) -> dict[str, Any] | None:
        """Save a node's results; its output as `/history` tells it, or None if the prefix leads outside the folder."""
        make: dict[str, tuple[str, str, Callable[[], list[bytes]]]] = {
            "images": ("images", "png", lambda: [encode_png(image, texts) for image in images]),
            "preview": ("images", "png", lambda: [encode_png(image, {}) for image in images]),
            "gifs": ("gifs", "gif", lambda: [encode_animation([*images, draw("frame", 2, *images[0].size)])]),
            "video": ("video", "mp4", lambda: [_VIDEO]),
            "audio": ("audio", "flac", lambda: [_AUDIO]),
        }
        key, ending, encode = make[kind]
        place = "temp" if kind == "preview" else "output"
        stem = self.path(place, prefix)
        if stem is None:
            return None
        stem.parent.mkdir(parents=True, exist_ok=True)
        padded = self._padded(images[0]) if kind == "images" and self._image_bytes else None
        contents = encode() if padded is None else [padded] * len(images)
        return {key: [self._write(place, stem, ending, content) for content in contents]}

    def _write(self, place: str, stem: Path, ending: str, content: bytes | Path) -> dict[str, str]:
        number = self._counters[stem] = self._counters.get(stem, 0) + 1
        path = stem.with_name(f"{stem.name}_{number:05}_.{ending}")
        if isinstance(content, Path):
            path.unlink(missing_ok=True)
            path.hardlink_to(content)
        else:
            path.write_bytes(content)
        subfolder = str(path.parent.relative_to((self._folder / place).resolve()))
        return {"filename": path.name, "subfolder": "" if subfolder == "." else subfolder, "type": place}

    def _padded(self, image: Image.Image) -> Path:
        """For benchmarks: one file for all, made once."""
        path = self._folder / "padded.png"
        if not path.exists():
            path.write_bytes(encode_png(image, {"prompt": "{}"}, self._image_bytes))
        return path


def texts_of(graph: dict[str, Any], extra_data: dict[str, Any]) -> dict[str, str]:
    """What SaveImage writes into a PNG: the prompt, and everything under `extra_pnginfo`, such as the workflow."""
    extra = extra_data.get("extra_pnginfo") or {}
    return {"prompt": json.dumps(graph)} | {name: json.dumps(value) for name, value in extra.items()}
