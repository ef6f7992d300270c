"""What a file is, by its own bytes: media type, extension, and the size of a picture. Never raises, never decodes.

The work is bounded whatever the bytes say: a fixed number of steps, each of a fixed length.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

_LOOK = 64 * 1024  # bytes that are searched for what has no fixed place
_MOST_STEPS = 512  # segments, boxes or entries that are walked over


@dataclass(frozen=True, slots=True)
class Media:
    """A media type, the extension of its files, and pixels where the format tells them in its header."""

    content_type: str
    extension: str
    width: int | None = None
    height: int | None = None


UNKNOWN = Media("application/octet-stream", "bin")

type _Size = tuple[int, int] | None

# Signatures at the start of a file, from the formats' own specifications.
_STARTS: tuple[tuple[bytes, str, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png", "png"),
    (b"\xff\xd8\xff", "image/jpeg", "jpg"),
    (b"GIF87a", "image/gif", "gif"),
    (b"GIF89a", "image/gif", "gif"),
    (b"II*\x00", "image/tiff", "tiff"),
    (b"MM\x00*", "image/tiff", "tiff"),
    (b"fLaC", "audio/flac", "flac"),
    (b"ID3", "audio/mpeg", "mp3"),
    (b"\xff\xfb", "audio/mpeg", "mp3"),
    (b"\xff\xf3", "audio/mpeg", "mp3"),
    (b"\xff\xf2", "audio/mpeg", "mp3"),
    (b"glTF", "model/gltf-binary", "glb"),
    (b"%PDF-", "application/pdf", "pdf"),
    (b"PK\x03\x04", "application/zip", "zip"),
    (b"\x1f\x8b", "application/gzip", "gz"),
)
_RIFF = {b"WEBP": ("image/webp", "webp"), b"WAVE": ("audio/wav", "wav"), b"AVI ": ("video/x-msvideo", "avi")}
# Brands of the ISO base media format (ISO/IEC 14496-12); whatever else is in it plays as MP4.
_BRANDS = {
    b"avif": ("image/avif", "avif"),
    b"avis": ("image/avif", "avif"),
    b"heic": ("image/heic", "heic"),
    b"heix": ("image/heic", "heic"),
    b"mif1": ("image/heic", "heic"),
    b"M4A ": ("audio/mp4", "m4a"),
    b"M4B ": ("audio/mp4", "m4a"),
    b"qt  ": ("video/quicktime", "mov"),
}
# What hosts answer in place of an image; anchored, so that nothing is searched.
_TEXTS = (
    (re.compile(rb"(?:\xef\xbb\xbf)?\s{0,64}<(?:!doctype html|html)\b", re.IGNORECASE), "text/html", "html"),
    (re.compile(rb"(?:\xef\xbb\xbf)?\s{0,64}<svg\b", re.IGNORECASE), "image/svg+xml", "svg"),
    (re.compile(rb"(?:\xef\xbb\xbf)?\s{0,64}<\?xml\b"), "application/xml", "xml"),
    (re.compile(rb"(?:\xef\xbb\xbf)?\s{0,64}[\[{]\s{0,64}[\"{}\[\]]"), "application/json", "json"),
)
_BMP_HEADERS = frozenset({12, 40, 52, 56, 64, 108, 124})  # lengths of the second header, of all versions


def sniff(data: bytes) -> Media | None:
    """What these bytes are, or None for what is not known here. The whole file may be given: little of it is read."""
    content_type, extension = _kind(data)
    if not extension:
        return None
    measure = _MEASURES.get(extension)
    size = None if measure is None else measure(data)
    if size is None or 0 in size:
        return Media(content_type, extension)
    return Media(content_type, extension, *size)


def _kind(data: bytes) -> tuple[str, str]:
    if data[:4] == b"RIFF":
        return _RIFF.get(data[8:12], ("", ""))
    if data[4:8] == b"ftyp":
        return _iso_kind(data)
    if data[:4] == b"OggS":
        return "audio/ogg", "opus" if data[28:36] == b"OpusHead" else "ogg"
    if data[:4] == b"\x1aE\xdf\xa3":  # EBML (RFC 8794); the document type tells which
        return ("video/webm", "webm") if b"webm" in data[:64] else ("video/matroska", "mkv")
    if data[:2] == b"BM" and _little(data, 14, 4) in _BMP_HEADERS:
        return "image/bmp", "bmp"
    known = next(((kind, ending) for start, kind, ending in _STARTS if data.startswith(start)), None)
    return known or next(((kind, ending) for text, kind, ending in _TEXTS if text.match(data)), ("", ""))


def _iso_kind(data: bytes) -> tuple[str, str]:
    """By the major brand; where that names only the family of image files, a compatible one tells AVIF from HEIC."""
    length = min(_big(data, 0, 4), 256)
    compatible = [data[at : at + 4] for at in range(16, length, 4)]
    if data[8:12] == b"mif1" and b"avif" in compatible:
        return _BRANDS[b"avif"]
    return _BRANDS.get(data[8:12], ("video/mp4", "mp4"))


def _big(data: bytes, at: int, length: int) -> int:
    return int.from_bytes(data[at : at + length], "big")


def _little(data: bytes, at: int, length: int) -> int:
    return int.from_bytes(data[at : at + length], "little")


def _png(data: bytes) -> _Size:
    return (_big(data, 16, 4), _big(data, 20, 4)) if data[12:16] == b"IHDR" and len(data) >= 24 else None


def _gif(data: bytes) -> _Size:
    return (_little(data, 6, 2), _little(data, 8, 2)) if len(data) >= 10 else None


def _bmp(data: bytes) -> _Size:
    if len(data) < 26:
        return None
    if _little(data, 14, 4) == 12:
        return _little(data, 18, 2), _little(data, 20, 2)
    # The height is negative where rows run from the top.
    return _little(data, 18, 4), abs(int.from_bytes(data[22:26], "little", signed=True))


def _jpeg(data: bytes) -> _Size:
    """Walk the segments to the frame header (SOF, ITU-T T.81 B.2.2)."""
    at = 2
    for _ in range(_MOST_STEPS):
        if at + 9 > len(data) or data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return _big(data, at + 7, 2), _big(data, at + 5, 2)
        if marker == 0xFF:  # fill bytes
            at += 1
        else:
            at += 2 + (0 if marker == 0x01 or 0xD0 <= marker <= 0xD8 else _big(data, at + 2, 2))
    return None


def _webp(data: bytes) -> _Size:
    """The three kinds of WebP (RFC 9649)."""
    if len(data) < 30:
        return None
    match data[12:16]:
        case b"VP8X":
            return _little(data, 24, 3) + 1, _little(data, 27, 3) + 1
        case b"VP8L":
            bits = _little(data, 21, 4)
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8 ":
            return _little(data, 26, 2) & 0x3FFF, _little(data, 28, 2) & 0x3FFF
    return None


def _iso(data: bytes) -> _Size:
    """The image's spatial extents (box `ispe`, ISO/IEC 23008-12); the largest, for tiles and thumbnails have theirs."""
    meta = _box(data, b"meta")
    sizes, at = [], meta.find(b"ispe")
    while at >= 0 and at + 16 <= len(meta):
        sizes.append((_big(meta, at + 8, 4), _big(meta, at + 12, 4)))
        at = meta.find(b"ispe", at + 16)
    return max(sizes, default=None, key=lambda size: size[0] * size[1])


def _box(data: bytes, name: bytes) -> bytes:
    """The beginning of the first box of this name at the top level, or nothing."""
    at = 0
    for _ in range(_MOST_STEPS):
        length = _big(data, at, 4)
        if data[at + 4 : at + 8] == name:
            return data[at : at + min(length or _LOOK, _LOOK)]
        if length < 8:  # 0: to the end of the file; 1: a box above 4 GB; else nonsense
            return b""
        at += length
    return b""


def _tiff(data: bytes) -> _Size:
    """ImageWidth and ImageLength of the first directory (TIFF 6.0, section 2)."""
    read = _little if data[:2] == b"II" else _big
    start = read(data, 4, 4)
    sizes: dict[int, int] = {}
    for index in range(min(read(data, start, 2), _MOST_STEPS)):
        at = start + 2 + 12 * index
        entry = data[at : at + 12]
        if (tag := read(entry, 0, 2)) in (256, 257):
            sizes[tag] = read(entry, 8, 2 if read(entry, 2, 2) == 3 else 4)
    return (sizes[256], sizes[257]) if len(sizes) == 2 else None


_MEASURES: dict[str, Callable[[bytes], _Size]] = {
    "png": _png,
    "gif": _gif,
    "bmp": _bmp,
    "jpg": _jpeg,
    "webp": _webp,
    "avif": _iso,
    "heic": _iso,
    "tiff": _tiff,
}
