"""How an image came about: the texts that runtimes write into it, and how they are carried from format to format.

| runtime | PNG text chunk | EXIF of JPEG, WebP and AVIF |
|---|---|---|
| A1111 | `parameters`, `extras`, `postprocessing` | UserComment, as A1111 itself writes it |
| ComfyUI | `prompt`, `workflow` | Model `prompt:…`, Make `workflow:…`, where ComfyUI looks for them in a WebP |

Only these cross over to EXIF; from PNG to PNG nothing is touched at all.
"""

import sys
from typing import TYPE_CHECKING

from darkroom_contract.job import Format

if TYPE_CHECKING:
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

_EXIF_IFD, _USER_COMMENT = 0x8769, 0x9286
_UNICODE = b"UNICODE\0"  # the character code that a UserComment begins with (Exif 2.3, 4.6.5); A1111's is big-endian
_COMMENTS = ("parameters", "extras", "postprocessing")
_TAGS = {"prompt": 0x0110, "workflow": 0x010F}
_JPEG_ROOM = 65_000  # a segment's length has 16 bits; some of it goes for the directory


def texts_of(image: "Image.Image") -> dict[str, str]:
    """The texts by their names in a PNG, from a decoded image of any format."""
    texts = dict(getattr(image, "text", {}))
    exif = image.getexif()
    comment = exif.get_ifd(_EXIF_IFD).get(_USER_COMMENT)
    if isinstance(comment, bytes) and comment.startswith(_UNICODE):
        texts.setdefault("parameters", comment[len(_UNICODE) :].decode("utf-16-be", "replace"))
    for name, tag in _TAGS.items():
        value = exif.get(tag)
        if isinstance(value, str) and value.startswith(f"{name}:"):
            text = value.removeprefix(f"{name}:").encode("latin-1", "replace").decode("utf-8", "replace")
            texts.setdefault(name, text)
    return texts


def png_of(texts: dict[str, str]) -> "PngInfo":
    """Text chunks: `tEXt` where Latin-1 will do, `iTXt` where not."""
    from PIL.PngImagePlugin import PngInfo  # noqa: PLC0415

    info = PngInfo()
    for name, text in texts.items():
        info.add_text(name, text)  # chooses between the two by itself
    return info


def exif_of(texts: dict[str, str], wanted: Format) -> bytes:
    """EXIF with the texts, or nothing where there are none.

    A JPEG has room for 64 KiB: the parameters come first, then ComfyUI's prompt, then its workflow; what does not fit
    is left out whole, for half a workflow is none.
    """
    from PIL import Image  # noqa: PLC0415

    room = _JPEG_ROOM if wanted is Format.JPEG else sys.maxsize
    exif = Image.Exif()
    told = False
    for tag, text in _entries(texts):
        if len(text) > room:
            continue
        room -= len(text)
        told = True
        directory = exif.get_ifd(_EXIF_IFD) if tag == _USER_COMMENT else exif
        directory[tag] = text
    return exif.tobytes() if told else b""


def _entries(texts: dict[str, str]) -> list[tuple[int, bytes]]:
    """EXIF tags and what to write there, the most important one first."""
    comments = [texts[name] for name in _COMMENTS if name in texts][:1]
    return [(_USER_COMMENT, _UNICODE + comment.encode("utf-16-be", "replace")) for comment in comments] + [
        (tag, f"{name}:{texts[name]}".encode("utf-8", "replace")) for name, tag in _TAGS.items() if name in texts
    ]
