"""Convert images as a job's `output` asks, off the event loop. Pillow is imported at the first use.

What the runtimes write into their images is kept or stripped as asked: A1111's `parameters` (a PNG text chunk, in JPEG
and WebP an EXIF UserComment, as A1111 itself does) and ComfyUI's `prompt` and `workflow` (PNG text chunks).
"""

import asyncio
import io
from typing import TYPE_CHECKING

from darkroom_contract.job import Format, Metadata, Output

from .errors import RuntimeFailed
from .media import sniff

if TYPE_CHECKING:
    from PIL import Image

_MAX_PIXELS = 200_000_000
_QUALITY = {Format.JPEG: 90, Format.WEBP: 90, Format.AVIF: 75}
_EXTENSIONS = {Format.PNG: "png", Format.JPEG: "jpg", Format.WEBP: "webp", Format.AVIF: "avif"}
_STILLS = {"png", "jpg", "webp", "avif", "bmp", "tiff", "gif"}
_USER_COMMENT, _EXIF_IFD = 0x9286, 0x8769
_UNICODE = b"UNICODE\0"  # the character code of an EXIF UserComment (Exif 2.3, 4.6.5)

_one_at_a_time = asyncio.Semaphore(1)  # pixels take memory


async def convert(data: bytes, output: Output) -> bytes:
    """The image as asked; what is no still image (video, audio, animations) comes back as it is.

    Raises:
        RuntimeFailed: it cannot be decoded: the runtime wrote it wrong.
    """
    media = sniff(data)
    if media is None or media.extension not in _STILLS or not _differs(media.extension, output):
        return data
    async with _one_at_a_time:
        return await asyncio.to_thread(_convert, data, output)


def _differs(extension: str, output: Output) -> bool:
    if output.metadata is Metadata.STRIP:
        return True
    return output.format is not None and (_EXTENSIONS[output.format] != extension or output.quality is not None)


def _convert(data: bytes, output: Output) -> bytes:
    # Imported here: it costs 10 MB that only those pay who convert.
    from PIL import Image, UnidentifiedImageError  # noqa: PLC0415

    Image.MAX_IMAGE_PIXELS = _MAX_PIXELS
    try:
        with Image.open(io.BytesIO(data)) as image:
            if getattr(image, "is_animated", False):
                return data
            return _save(image, output)
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError, SyntaxError) as error:
        raise RuntimeFailed(f"the runtime's image cannot be converted: {error}") from error


def _save(image: "Image.Image", output: Output) -> bytes:
    wanted = output.format or Format(_formats()[image.format or "PNG"])
    texts = {} if output.metadata is Metadata.STRIP else _texts(image)
    buffer = io.BytesIO()
    options: dict[str, object] = {"icc_profile": image.info.get("icc_profile")}
    if wanted is Format.PNG:
        from PIL.PngImagePlugin import PngInfo  # noqa: PLC0415

        info = PngInfo()
        for name, text in texts.items():
            info.add_itxt(name, text) if not text.isascii() else info.add_text(name, text)
        options["pnginfo"] = info
    else:
        options["exif"] = _exif(texts)
        options |= _fidelity(image, output, wanted)
    _for_format(image, wanted).save(buffer, wanted.value.upper(), **options)
    return buffer.getvalue()


def _fidelity(image: "Image.Image", output: Output, wanted: Format) -> dict[str, object]:
    """How true to keep the pixels: as asked, as they were where only the metadata goes, or well."""
    if output.format is None and image.format == "JPEG":
        return {"quality": "keep"}
    return {"quality": output.quality or _QUALITY[wanted]}


def _formats() -> dict[str, str]:
    """Pillow's names of what is kept in its own format; everything else becomes PNG."""
    return {"JPEG": "jpeg", "WEBP": "webp", "AVIF": "avif"} | dict.fromkeys(("PNG", "BMP", "TIFF", "GIF"), "png")


def _for_format(image: "Image.Image", wanted: Format) -> "Image.Image":
    if wanted is Format.PNG or (wanted is Format.JPEG and image.mode in ("RGB", "L", "CMYK")):
        return image
    has_alpha = "A" in image.getbands() or "transparency" in image.info
    if not has_alpha:
        return image if image.mode == "RGB" else image.convert("RGB")
    whole = image.convert("RGBA")
    if wanted is not Format.JPEG:
        return whole
    from PIL import Image  # noqa: PLC0415

    white = Image.new("RGB", whole.size, "white")
    white.paste(whole, mask=whole.getchannel("A"))
    return white


def _texts(image: "Image.Image") -> dict[str, str]:
    """What the runtime wrote about the making of this image."""
    texts = {name: value for name, value in image.info.items() if isinstance(name, str) and isinstance(value, str)}
    comment = image.getexif().get_ifd(_EXIF_IFD).get(_USER_COMMENT)
    if isinstance(comment, bytes) and comment.startswith(_UNICODE):
        texts.setdefault("parameters", comment[len(_UNICODE) :].decode("utf-16-be", "replace"))
    return texts


def _exif(texts: dict[str, str]) -> bytes:
    """EXIF with the texts in its UserComment: A1111's alone as it is, several by name, one a line."""
    from PIL import Image  # noqa: PLC0415

    if not texts:
        return b""
    comment = texts.get("parameters") or "\n".join(f"{name}: {text}" for name, text in texts.items())
    exif = Image.Exif()
    exif.get_ifd(_EXIF_IFD)[_USER_COMMENT] = _UNICODE + comment.encode("utf-16-be", "replace")
    return exif.tobytes()
