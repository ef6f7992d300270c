"""Metadata is taken out of containers; pixels, colours and animation stay to the bit."""

import io
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from darkroom_agent.strip import STRIPPERS, strip_jpeg, strip_png, strip_webp

SECRET = "a secret prompt"
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def noise(seed: int = 0) -> Image.Image:
    return Image.frombytes("RGB", (32, 16), bytes((index * 73 + seed) % 256 for index in range(32 * 16 * 3)))


def exif() -> bytes:
    told = Image.Exif()
    told[0x0110] = SECRET
    return told.tobytes()


def saved(image: Image.Image, format_: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format_, **options)
    return buffer.getvalue()


def png(**options: object) -> bytes:
    info = PngInfo()
    info.add_text("parameters", SECRET)
    info.add_itxt("prompt", SECRET)
    info.add_text("workflow", SECRET, zip=True)
    return saved(noise(), "PNG", pnginfo=info, exif=exif(), icc_profile=PROFILE, **options)


def jpeg() -> bytes:
    xmp = b"<x>" + SECRET.encode() + b"</x>"
    return saved(noise(), "JPEG", exif=exif(), comment=SECRET, xmp=xmp, icc_profile=PROFILE)


def webp(**options: object) -> bytes:
    return saved(noise(), "WEBP", exif=exif(), xmp=SECRET.encode(), icc_profile=PROFILE, **options)


CASES: list[tuple[Callable[[bytes], bytes], bytes]] = [
    (strip_png, png()),
    (strip_png, png(save_all=True, append_images=[noise(9)])),
    (strip_jpeg, jpeg()),
    (strip_webp, webp()),
    (strip_webp, webp(lossless=True)),
    (strip_webp, webp(save_all=True, append_images=[noise(9)])),
]
IDS = ["png", "animated png", "jpeg", "webp", "lossless webp", "animated webp"]


def frames(data: bytes) -> list[bytes]:
    image = Image.open(io.BytesIO(data))
    found = []
    for index in range(getattr(image, "n_frames", 1)):
        image.seek(index)
        found.append(image.convert("RGBA").tobytes())
    return found


@pytest.mark.parametrize(("strip", "data"), CASES, ids=IDS)
def test_what_was_told_is_gone_and_what_is_seen_stays(strip: Callable[[bytes], bytes], data: bytes) -> None:
    """Text, EXIF, XMP and comments go; every frame's pixels and the colour profile stay as they were."""
    stripped = strip(data)
    image = Image.open(io.BytesIO(stripped))
    assert frames(stripped) == frames(data)
    assert image.info["icc_profile"] == PROFILE
    assert not image.getexif()
    assert not {"parameters", "prompt", "workflow", "comment", "xmp", "exif"} & set(image.info)
    assert SECRET.encode() not in stripped
    assert strip(stripped) == stripped


def test_what_comes_after_the_end_of_a_png_goes_too() -> None:
    """Bytes behind the last chunk could tell anything."""
    assert strip_png(png() + SECRET.encode()) == strip_png(png())


def test_an_adobe_jpeg_keeps_its_colours() -> None:
    """The segment that tells how colours were transformed is no metadata."""
    data = saved(noise().convert("CMYK"), "JPEG", exif=exif())
    assert frames(strip_jpeg(data)) == frames(data)
    assert b"\xff\xee\0\x0eAdobe" in strip_jpeg(data)


def test_a_webp_does_not_announce_what_is_gone() -> None:
    """The flags of EXIF and XMP in its header are cleared, that of the colour profile is not."""
    before, after = webp()[20], strip_webp(webp())[20]
    assert (before, after) == (0b0010_1100, 0b0010_0000)


def test_the_time_of_making_goes_too() -> None:
    """A PNG may tell when it was made, in a chunk of its own."""
    data = saved(noise(), "PNG")
    time = b"tIME" + bytes([7, 230, 1, 2, 3, 4, 5])
    chunk = (7).to_bytes(4, "big") + time + zlib.crc32(time).to_bytes(4, "big")
    assert strip_png(data[:33] + chunk + data[33:]) == data


@pytest.mark.parametrize(("strip", "data"), [CASES[0], CASES[2], CASES[3]], ids=["png", "jpeg", "webp"])
def test_a_file_that_is_cut_off_is_refused(strip: Callable[[bytes], bytes], data: bytes) -> None:
    """Half a file is not passed on as a whole one."""
    with pytest.raises(ValueError, match=r"cut off|without"):
        strip(data[:200])


@given(st.sampled_from([CASES[0], CASES[2], CASES[3]]), st.data())
def test_damage_is_refused_or_survived(case: tuple[Callable[[bytes], bytes], bytes], drawn: st.DataObject) -> None:
    """No bytes make it raise anything but ValueError, or make more of what is there."""
    strip, data = case
    broken = bytearray(data)
    at = drawn.draw(st.integers(0, len(data) - 1))
    broken[at : at + 4] = drawn.draw(st.binary(max_size=8))
    try:
        assert len(strip(bytes(broken))) <= len(broken) + 1
    except ValueError:
        return


def test_each_format_has_one() -> None:
    """The table is by the extensions that bytes are known by."""
    assert set(STRIPPERS) == {"png", "jpg", "webp"}
