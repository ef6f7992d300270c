"""What a file is, by its own bytes: media type, extension, and the size of a picture. Never raises, never decodes."""

from collections.abc import Callable
from dataclasses import dataclass

_LOOK = 256 * 1024  # bytes that are looked at: headers come first in every format here


@dataclass(frozen=True, slots=True)
class Media:
    """A media type, the extension of its files, and pixels where the format tells them in its header."""

    content_type: str
    extension: str
    width: int | None = None
    height: int | None = None


UNKNOWN = Media("application/octet-stream", "bin")

# Signatures at the start of a file (IANA media types; Gary Kessler's table for the bytes).
_STARTS: tuple[tuple[bytes, str, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png", "png"),
    (b"\xff\xd8\xff", "image/jpeg", "jpg"),
    (b"GIF87a", "image/gif", "gif"),
    (b"GIF89a", "image/gif", "gif"),
    (b"BM", "image/bmp", "bmp"),
    (b"II*\x00", "image/tiff", "tiff"),
    (b"MM\x00*", "image/tiff", "tiff"),
    (b"\x1aE\xdf\xa3", "video/webm", "webm"),
    (b"OggS", "audio/ogg", "ogg"),
    (b"fLaC", "audio/flac", "flac"),
    (b"ID3", "audio/mpeg", "mp3"),
    (b"\xff\xfb", "audio/mpeg", "mp3"),
    (b"\xff\xf3", "audio/mpeg", "mp3"),
    (b"glTF", "model/gltf-binary", "glb"),
)
_RIFF = {b"WEBP": ("image/webp", "webp"), b"WAVE": ("audio/wav", "wav"), b"AVI ": ("video/x-msvideo", "avi")}
_FTYP = {
    b"avif": ("image/avif", "avif"),
    b"avis": ("image/avif", "avif"),
    b"heic": ("image/heic", "heic"),
    b"mif1": ("image/heic", "heic"),
    b"M4A ": ("audio/mp4", "m4a"),
    b"qt  ": ("video/quicktime", "mov"),
}


def sniff(data: bytes) -> Media | None:
    """What these bytes are, or None for what is not known here."""
    head = data[:_LOOK]
    content_type, extension = _kind(head)
    if not extension:
        return None
    measure = _MEASURES.get(extension)
    size = None if measure is None else measure(head)
    if size is None or 0 in size:
        return Media(content_type, extension)
    return Media(content_type, extension, *size)


def _kind(head: bytes) -> tuple[str, str]:
    if head[:4] == b"RIFF":
        return _RIFF.get(head[8:12], ("", ""))
    if head[4:8] == b"ftyp":
        # Whatever else is in the ISO base media format plays as MP4.
        return _FTYP.get(head[8:12], ("video/mp4", "mp4"))
    return next(((kind, ending) for start, kind, ending in _STARTS if head.startswith(start)), ("", ""))


def _big(head: bytes, at: int, length: int) -> int:
    return int.from_bytes(head[at : at + length], "big")


def _little(head: bytes, at: int, length: int) -> int:
    return int.from_bytes(head[at : at + length], "little")


def _png(head: bytes) -> tuple[int, int] | None:
    return (_big(head, 16, 4), _big(head, 20, 4)) if head[12:16] == b"IHDR" else None


def _gif(head: bytes) -> tuple[int, int]:
    return _little(head, 6, 2), _little(head, 8, 2)


def _bmp(head: bytes) -> tuple[int, int]:
    # The height is negative where rows run from the top.
    return _little(head, 18, 4), abs(int.from_bytes(head[22:26], "little", signed=True))


def _jpeg(head: bytes) -> tuple[int, int] | None:
    """Walk the segments to the frame header (SOF, ITU-T T.81 B.2.2)."""
    at = 2
    while at + 9 < len(head) and head[at] == 0xFF:
        marker = head[at + 1]
        if marker == 0xFF:
            at += 1
        elif 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return _big(head, at + 7, 2), _big(head, at + 5, 2)
        elif marker == 0x01 or 0xD0 <= marker <= 0xD8:
            at += 2
        else:
            at += 2 + max(_big(head, at + 2, 2), 2)
    return None


def _webp(head: bytes) -> tuple[int, int] | None:
    """The three kinds of WebP (developers.google.com/speed/webp: RIFF container)."""
    match head[12:16]:
        case b"VP8X":
            return _little(head, 24, 3) + 1, _little(head, 27, 3) + 1
        case b"VP8L":
            bits = _little(head, 21, 4)
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8 ":
            return _little(head, 26, 2) & 0x3FFF, _little(head, 28, 2) & 0x3FFF
    return None


def _isobmff(head: bytes) -> tuple[int, int] | None:
    """The image's spatial extents (box `ispe`, ISO/IEC 23008-12); the largest, for tiles and thumbnails have theirs."""
    sizes = []
    at = head.find(b"ispe")
    while at >= 0 and at + 16 <= len(head):
        sizes.append((_big(head, at + 8, 4), _big(head, at + 12, 4)))
        at = head.find(b"ispe", at + 4)
    return max(sizes, default=None, key=lambda size: size[0] * size[1])


_MEASURES: dict[str, Callable[[bytes], tuple[int, int] | None]] = {
    "png": _png,
    "gif": _gif,
    "bmp": _bmp,
    "jpg": _jpeg,
    "webp": _webp,
    "avif": _isobmff,
    "heic": _isobmff,
}
