"""Files are known by their own bytes, whatever they are called and however broken they are."""

import io
import struct
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from darkroom_agent.media import Media, sniff


def picture(format_: str, size: tuple[int, int] = (37, 23), mode: str = "RGB", **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, size, 1).save(buffer, format_, **options)
    return buffer.getvalue()


PICTURES = {
    "png": (picture("PNG"), "image/png", "png"),
    "jpeg": (picture("JPEG"), "image/jpeg", "jpg"),
    "progressive jpeg": (picture("JPEG", progressive=True), "image/jpeg", "jpg"),
    "jpeg with a long comment": (
        picture("JPEG", comment=b"c" * 60_000, exif=b"Exif\0\0" + bytes(60_000)),
        "image/jpeg",
        "jpg",
    ),
    "webp": (picture("WEBP"), "image/webp", "webp"),
    "lossless webp": (picture("WEBP", lossless=True), "image/webp", "webp"),
    "extended webp": (picture("WEBP", exif=b"Exif\0\0MM"), "image/webp", "webp"),
    "gif": (picture("GIF", mode="L"), "image/gif", "gif"),
    "bmp": (picture("BMP"), "image/bmp", "bmp"),
    "tiff": (picture("TIFF"), "image/tiff", "tiff"),
    "big-endian tiff": (picture("TIFF", mode="I;16B"), "image/tiff", "tiff"),
    "avif": (picture("AVIF"), "image/avif", "avif"),
}
OGG = b"OggS\0\x02" + bytes(22)
OTHERS = {
    b"\0\0\0\x18ftypisom\0\0\0\0": ("video/mp4", "mp4"),
    b"\0\0\0\x14ftypqt  \0\0\0\0": ("video/quicktime", "mov"),
    b"\0\0\0\x14ftypM4A \0\0\0\0": ("audio/mp4", "m4a"),
    b"\0\0\0\x1cftypmif1\0\0\0\0miafheic": ("image/heic", "heic"),
    b"\0\0\0\x1cftypmif1\0\0\0\0miafavif": ("image/avif", "avif"),
    b"\x1aE\xdf\xa3\x9fB\x82\x84webm": ("video/webm", "webm"),
    b"\x1aE\xdf\xa3\xa3B\x82\x88matroska": ("video/matroska", "mkv"),
    b"RIFF\x24\0\0\0WAVEfmt ": ("audio/wav", "wav"),
    b"RIFF\x24\0\0\0AVI LIST": ("video/x-msvideo", "avi"),
    b"ID3\x04\0": ("audio/mpeg", "mp3"),
    b"\xff\xfb\x90\x44": ("audio/mpeg", "mp3"),
    b"fLaC\0": ("audio/flac", "flac"),
    OGG + b"\x01vorbis": ("audio/ogg", "ogg"),
    OGG + b"OpusHead": ("audio/ogg", "opus"),
    b"glTF\x02\0\0\0": ("model/gltf-binary", "glb"),
    b"%PDF-1.7": ("application/pdf", "pdf"),
    b"PK\x03\x04": ("application/zip", "zip"),
    b"\x1f\x8b\x08": ("application/gzip", "gz"),
    b"\n<!DOCTYPE html><html>": ("text/html", "html"),
    b"<HTML lang=en>": ("text/html", "html"),
    b"\xef\xbb\xbf<?xml version='1.0'?>": ("application/xml", "xml"),
    b"<svg xmlns=": ("image/svg+xml", "svg"),
    b'{\n  "error": 1}': ("application/json", "json"),
}


@pytest.mark.parametrize("name", PICTURES)
def test_pictures_tell_their_type_and_size(name: str) -> None:
    """Every image format that runtimes read or write is known with its width and height."""
    data, content_type, extension = PICTURES[name]
    assert sniff(data) == Media(content_type, extension, 37, 23)


@pytest.mark.parametrize("start", OTHERS, ids=lambda start: ascii(start[:24]))
def test_other_files_tell_their_type(start: bytes) -> None:
    """Video, audio, models, and what hosts answer in place of an image."""
    assert sniff(start + bytes(100)) == Media(*OTHERS[start])


@pytest.mark.parametrize("data", [b"", b"BMW is a car maker", b"hello", b"RIFF\0\0\0\0what", b"\x89PN", bytes(1000)])
def test_what_is_unknown_is_none(data: bytes) -> None:
    """No guess is made."""
    assert sniff(data) is None


def test_a_picture_of_no_width_has_no_size() -> None:
    """Zero is not a size that anyone could work with."""
    assert sniff(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", 0, 5)) == Media("image/png", "png")


def test_a_bmp_from_the_top_down_has_a_positive_height() -> None:
    """Its height is written as a negative number."""
    data = b"BM" + bytes(12) + struct.pack("<Iii", 40, 37, -23)
    assert sniff(data) == Media("image/bmp", "bmp", 37, 23)


def test_an_old_bmp_tells_its_size() -> None:
    """The header of OS/2 has 16-bit fields."""
    assert sniff(b"BM" + bytes(12) + struct.pack("<IHHI", 12, 37, 23, 0)) == Media("image/bmp", "bmp", 37, 23)


def test_a_decoy_before_the_header_box_does_not_hide_the_size() -> None:
    """Only the `meta` box is looked into: a small size written elsewhere is no size."""
    data = PICTURES["avif"][0]
    length = int.from_bytes(data[:4], "big")
    decoy = struct.pack(">I4s", 28, b"free") + b"\0\0\0\x14ispe" + struct.pack(">III", 0, 1, 1)
    assert sniff(data[:length] + decoy + data[length:]) == Media("image/avif", "avif", 37, 23)


@given(st.binary(max_size=400))
def test_no_bytes_make_it_raise(data: bytes) -> None:
    """Garbage is unknown or something, never an error."""
    sniff(data)


@given(st.sampled_from(sorted([data for data, *_ in PICTURES.values()] + list(OTHERS))), st.data())
def test_no_damage_makes_it_raise(data: bytes, drawn: st.DataObject) -> None:
    """Real files that are cut anywhere, or changed anywhere, are survived."""
    cut = drawn.draw(st.integers(0, min(len(data), 600)))
    at = drawn.draw(st.integers(0, max(min(len(data), 600) - 1, 0)))
    damaged = bytearray(data)
    damaged[at : at + 4] = drawn.draw(st.binary(min_size=4, max_size=4))
    for broken in (data[:cut], bytes(damaged), data[:cut] + bytes(64)):
        media = sniff(broken)
        assert media is None or (media.width is None) == (media.height is None)


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xd8" + b"\xff" * 30_000_000,
        b"\xff\xd8" + b"\xff\xe1\0\0" * 8_000_000,
        b"\0\0\0\x10ftypavif\0\0\0\0" + b"\0\0\0\x08free" * 4_000_000,
        b"\0\0\0\x10ftypavif\0\0\0\0\0\0\0\0meta" + b"ispe" * 8_000_000,
        b"II*\0\x08\0\0\0\xff\xff" + bytes(30_000_000),
        b"\n" * 30_000_000,
    ],
    ids=["fill bytes", "empty segments", "empty boxes", "sizes", "entries", "blanks"],
)
def test_the_work_is_bounded(data: bytes) -> None:
    """Tens of megabytes that are made to be walked over take no time."""
    start = time.process_time()
    sniff(data)
    assert time.process_time() - start < 0.3
