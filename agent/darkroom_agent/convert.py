"""Convert images as a job's `output` asks, off the event loop. Pillow is imported at the first use.

What the runtimes write into their images is kept or stripped as asked (`generation.py` says how it is carried from
format to format). Where only the metadata goes, no pixel changes: `strip.py`.
"""

import asyncio
import functools
import io
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from darkroom_contract.job import Format, Metadata, Output

from .errors import RuntimeFailed
from .generation import exif_of, png_of, texts_of
from .media import Media, sniff
from .strip import STRIPPERS

if TYPE_CHECKING:
    from PIL import Image

_MOST_PIXELS = 200_000_000  # a decoded image takes up to four bytes for each
_QUALITY = {Format.JPEG: 90, Format.WEBP: 90, Format.AVIF: 75}
_EXTENSIONS = {Format.PNG: "png", Format.JPEG: "jpg", Format.WEBP: "webp", Format.AVIF: "avif"}
_STILLS = frozenset({"png", "jpg", "webp", "avif", "bmp", "tiff", "gif"})
# Pillow's modes that a format takes as they are.
_MODES = {
    Format.PNG: frozenset({"1", "L", "LA", "P", "RGB", "RGBA", "I;16", "I;16B"}),
    Format.JPEG: frozenset({"L", "RGB"}),
    Format.WEBP: frozenset({"RGB", "RGBA"}),
    Format.AVIF: frozenset({"RGB", "RGBA"}),
}


async def convert(data: bytes, output: Output) -> bytes:
    """The image as asked; what is there already, and what is no still image (video, audio, text), comes back as it is.

    Animations are not converted, but lose their metadata where that is asked of a PNG or WebP. Metadata of other
    formats than PNG, JPEG and WebP can only be stripped by writing the image anew: it becomes a PNG unless the job
    names a format. One image is converted at a time, for pixels take memory.

    Raises:
        RuntimeFailed: it cannot be decoded: the runtime wrote it wrong.
    """
    media = sniff(data)
    if media is None or media.extension not in _STILLS:
        return data
    if not _rewrites(media, output) and output.metadata is Metadata.KEEP:
        return data
    return await asyncio.get_running_loop().run_in_executor(_worker(), _convert, data, media, output)


@functools.cache
def _worker() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, "convert")


def _rewrites(media: Media, output: Output) -> bool:
    """Whether the pixels have to be encoded anew."""
    if output.metadata is Metadata.STRIP and media.extension not in STRIPPERS:
        return True
    if output.format is None:
        return False
    if _EXTENSIONS[output.format] != media.extension:
        return True
    return output.quality is not None and output.format is not Format.PNG


def _convert(data: bytes, media: Media, output: Output) -> bytes:
    if not _rewrites(media, output):
        return _stripped(data, media)
    image = _decode(data, media)
    if getattr(image, "is_animated", False):
        return _stripped(data, media) if output.metadata is Metadata.STRIP and media.extension in STRIPPERS else data
    return _encode(image, output)


def _stripped(data: bytes, media: Media) -> bytes:
    try:
        return STRIPPERS[media.extension](data)
    except ValueError as error:
        raise _unreadable(media, error) from error


def _unreadable(media: Media, error: object) -> RuntimeFailed:
    return RuntimeFailed(f"the runtime's {media.content_type} is no image that can be converted: {error}")


def _decode(data: bytes, media: Media) -> "Image.Image":
    # Imported here: it costs 10 MB that only those pay who convert.
    from PIL import Image  # noqa: PLC0415

    if (media.width or 0) * (media.height or 0) > _MOST_PIXELS:
        raise _unreadable(media, f"{media.width} × {media.height} pixels are too many")
    Image.MAX_IMAGE_PIXELS = _MOST_PIXELS
    try:
        image = Image.open(io.BytesIO(data))
        image.load()
    except Exception as error:  # Pillow's decoders raise whatever comes to pass on broken bytes
        raise _unreadable(media, error) from error
    return image


def _encode(image: "Image.Image", output: Output) -> bytes:
    wanted = output.format or Format.PNG
    texts = {} if output.metadata is Metadata.STRIP else texts_of(image)
    picture = _picture(image, wanted)
    options: dict[str, Any] = {"icc_profile": image.info.get("icc_profile") if _same_colours(image, picture) else None}
    # Pillow writes of its own accord some of what it read.
    picture.info = {name: value for name, value in picture.info.items() if name == "transparency"}
    if wanted is Format.PNG:
        options["pnginfo"] = png_of(texts)
    else:
        options["exif"] = exif_of(texts, wanted)
        options["quality"] = output.quality or _QUALITY[wanted]
    buffer = io.BytesIO()
    picture.save(buffer, wanted.value.upper(), **options)
    return buffer.getvalue()


def _picture(image: "Image.Image", wanted: Format) -> "Image.Image":
    """The image upright and in a mode that the format takes: of 16 bits the upper 8, on white where it has no alpha."""
    from PIL import Image, ImageOps  # noqa: PLC0415

    image = ImageOps.exif_transpose(image)
    if image.mode in _MODES[wanted] and (wanted is Format.PNG or not image.has_transparency_data):
        return image
    if image.mode.startswith("I"):
        # 16 bits; `convert` alone would cut off all that is brighter than 255.
        image = image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if not image.has_transparency_data:
        return image if image.mode in _MODES[wanted] else image.convert("RGB")
    whole = image.convert("RGBA")
    if wanted is not Format.JPEG:
        return whole
    white = Image.new("RGBA", whole.size, "white")
    return Image.alpha_composite(white, whole).convert("RGB")


def _same_colours(before: "Image.Image", after: "Image.Image") -> bool:
    """Whether a colour profile still fits: one of CMYK or grey says nothing of RGB."""
    return before.mode == after.mode or before.mode in ("RGB", "RGBA", "P")
