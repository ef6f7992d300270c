"""Take the metadata out of a PNG, JPEG or WebP without touching a pixel: containers are taken apart, never decoded."""

from collections.abc import Callable

# Chunks that say how an image came about, when, and where (PNG, third edition, 11.3).
_PNG_TOLD = frozenset({b"tEXt", b"iTXt", b"zTXt", b"eXIf", b"tIME"})
_WEBP_TOLD = frozenset({b"EXIF", b"XMP "})
_WEBP_FLAGS = 0b0000_1100  # EXIF and XMP in the flags of VP8X (RFC 9649, 2.7)


def strip_png(data: bytes) -> bytes:
    """The PNG without text, EXIF and time. Colour profile and animation stay.

    Raises:
        ValueError: it is no whole PNG.
    """
    parts, at = [data[:8]], 8
    while at < len(data):
        length, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        end = at + 12 + length  # length, kind, content, checksum
        if end > len(data):
            raise ValueError("a PNG that is cut off")
        if kind not in _PNG_TOLD:
            parts.append(data[at:end])
        if kind == b"IEND":
            return b"".join(parts)
        at = end
    raise ValueError("a PNG without an end")


def strip_jpeg(data: bytes) -> bytes:
    """The JPEG without comments and application segments, but for JFIF, Adobe's colour transform and the ICC profile.

    Segments as in ITU-T T.81, B.1.1.3; they end where the first scan begins.

    Raises:
        ValueError: it is no JPEG.
    """
    parts, at = [data[:2]], 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:  # fill byte
            at += 1
            continue
        if marker == 0xDA:  # start of scan
            return b"".join([*parts, data[at:]])
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if _jpeg_needs(marker, data[at + 4 : at + 16]):
            parts.append(data[at:end])
        at = end
    raise ValueError("a JPEG without a picture")


def _jpeg_needs(marker: int, start: bytes) -> bool:
    if marker == 0xFE:  # comment
        return False
    if not 0xE0 <= marker <= 0xEF:
        return True
    return marker in (0xE0, 0xEE) or (marker == 0xE2 and start == b"ICC_PROFILE\0")


def strip_webp(data: bytes) -> bytes:
    """The WebP without EXIF and XMP. Colour profile and animation stay.

    Raises:
        ValueError: it is no whole WebP.
    """
    parts, at = [], 12
    while at + 8 <= len(data):
        kind, length = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        end = at + 8 + length + length % 2  # chunks are padded to even lengths
        if at + 8 + length > len(data):
            raise ValueError("a WebP that is cut off")
        chunk = data[at:end]
        if kind == b"VP8X" and length >= 10:
            chunk = chunk[:8] + bytes([chunk[8] & ~_WEBP_FLAGS]) + chunk[9:]
        if kind not in _WEBP_TOLD:
            parts.append(chunk)
        at = end
    if not parts:
        raise ValueError("a WebP without a picture")
    body = b"WEBP" + b"".join(parts)
    return b"RIFF" + len(body).to_bytes(4, "little") + body


STRIPPERS: dict[str, Callable[[bytes], bytes]] = {"png": strip_png, "jpg": strip_jpeg, "webp": strip_webp}
"""By the extension that `media.sniff` gives."""
