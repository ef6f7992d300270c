"""Results are converted as the job's `output` says, with what the runtime wrote into them kept or stripped."""

import asyncio
import io
import json
import subprocess
import sys
import threading

import pytest
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from darkroom_agent import convert as module
from darkroom_agent.convert import convert
from darkroom_agent.errors import RuntimeFailed
from darkroom_agent.media import Media, sniff
from darkroom_contract.job import Format, Metadata, Output

STRIP = Metadata.STRIP
PARAMETERS = "a cat, ein Kätzchen, 猫\nNegative prompt: dog\nSteps: 20, Seed: 7"
PROMPT, WORKFLOW = json.dumps({"1": {"class_type": "KSampler"}}), json.dumps({"nodes": [], "title": "grün"})
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
USER_COMMENT, MODEL, MAKE = 0x9286, 0x0110, 0x010F


def saved(image: Image.Image, format_: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format_, **options)
    return buffer.getvalue()


def png(mode: str = "RGB", colour: object = 0, **texts: str) -> bytes:
    info = PngInfo()
    for name, text in texts.items():
        info.add_text(name, text)
    return saved(Image.new(mode, (16, 8), colour), pnginfo=info)  # type: ignore[arg-type]


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def comment(data: bytes) -> str | None:
    told = opened(data).getexif().get_ifd(0x8769).get(USER_COMMENT)
    return None if told is None else told.removeprefix(b"UNICODE\0").decode("utf-16-be")


@pytest.mark.parametrize("wanted", Format)
@pytest.mark.parametrize("source", ["PNG", "JPEG", "WEBP", "AVIF", "BMP", "TIFF", "GIF"])
async def test_every_image_becomes_every_format(source: str, wanted: Format) -> None:
    """Whatever still image a runtime made, it is stored in the format that was asked for, of the same size."""
    data = saved(Image.new("RGB", (16, 8), "red"), source)
    image = opened(await convert(data, Output(format=wanted)))
    assert (image.format, image.size) == (wanted.value.upper(), (16, 8))
    red, green, blue = image.convert("RGB").getpixel((8, 4))  # type: ignore[misc]
    assert red > 240
    assert max(green, blue) < 15


@pytest.mark.parametrize(
    "output",
    [Output(), Output(format=Format.PNG), Output(format=Format.PNG, quality=50)],
    ids=["nothing", "same format", "quality of a PNG"],
)
async def test_what_is_as_asked_is_not_touched(output: Output) -> None:
    """The very bytes come back: nothing is decoded."""
    data = png(parameters=PARAMETERS) + b"tail"
    assert await convert(data, output) is data


@pytest.mark.parametrize("data", [b"\0\0\0\x18ftypisom" + bytes(99), b"OggS" + bytes(99), b"{}", b"what", b""])
async def test_what_is_no_image_is_not_touched(data: bytes) -> None:
    """Video, audio and text are stored as they are, whatever is asked of images."""
    assert await convert(data, Output(format=Format.WEBP, metadata=STRIP)) is data


async def test_animations_are_not_flattened_but_can_be_stripped() -> None:
    """A GIF or WebP that moves goes on moving."""
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    for format_ in ("GIF", "WEBP", "PNG"):
        data = saved(frames[0], format_, save_all=True, append_images=frames[1:])
        assert await convert(data, Output(format=Format.JPEG)) == data
    moving = saved(frames[0], "WEBP", save_all=True, append_images=frames[1:], xmp=b"secret")
    stripped = await convert(moving, Output(format=Format.JPEG, metadata=STRIP))
    assert b"secret" not in stripped
    assert getattr(opened(stripped), "n_frames", 1) == 2


async def test_quality_is_kept_to() -> None:
    """A lower quality makes a smaller file, of the same format too."""
    noise = saved(Image.effect_noise((64, 64), 90).convert("RGB"), "JPEG", quality=95)
    low, high = [len(await convert(noise, Output(format=Format.JPEG, quality=quality))) for quality in (10, 90)]
    assert low < high < len(noise)


@pytest.mark.parametrize("wanted", [Format.JPEG, Format.WEBP, Format.AVIF])
async def test_a1111_parameters_go_where_a1111_itself_puts_them(wanted: Format) -> None:
    """In JPEG, WebP and AVIF they stand in the EXIF UserComment, in Unicode, and come back into a PNG."""
    there = await convert(png(parameters=PARAMETERS), Output(format=wanted))
    assert comment(there) == PARAMETERS
    back = opened(await convert(there, Output(format=Format.PNG)))
    assert back.info["parameters"] == PARAMETERS


async def test_what_a1111_wrote_is_read(recorded_jpeg: bytes) -> None:
    """The EXIF of a JPEG as A1111 writes it is understood: its text is carried into WebP and PNG."""
    told = comment(recorded_jpeg)
    assert told is not None
    assert "Steps: 1" in told
    assert comment(await convert(recorded_jpeg, Output(format=Format.WEBP))) == told
    assert opened(await convert(recorded_jpeg, Output(format=Format.PNG))).info["parameters"] == told


@pytest.fixture
def recorded_jpeg() -> bytes:
    """An 8 × 8 JPEG with EXIF as A1111 writes it: big-endian, a UserComment alone."""
    told = b"UNICODE\0" + "a cat\nSteps: 1, Seed: 5".encode("utf-16-be")
    entry = b"\x92\x86\0\x07" + len(told).to_bytes(4, "big") + (44).to_bytes(4, "big")
    exif = b"MM\0*\0\0\0\x08\0\x01\x87\x69\0\x04\0\0\0\x01\0\0\0\x1a\0\0\0\0\0\x01" + entry + bytes(4) + told
    return saved(Image.new("RGB", (8, 8)), "JPEG", exif=b"Exif\0\0" + exif)


async def test_upscaled_images_keep_their_text_too() -> None:
    """A1111's extras write `postprocessing` in place of parameters."""
    assert comment(await convert(png(postprocessing="by 2"), Output(format=Format.JPEG))) == "by 2"


@pytest.mark.parametrize("wanted", [Format.JPEG, Format.WEBP, Format.AVIF])
async def test_comfyui_workflows_go_where_comfyui_looks_for_them(wanted: Format) -> None:
    """Prompt and workflow stand in the EXIF tags that ComfyUI writes and reads, and come back into a PNG."""
    there = await convert(png(prompt=PROMPT, workflow=WORKFLOW), Output(format=wanted))
    exif = opened(there).getexif()
    assert (exif[MODEL], exif[MAKE]) == (f"prompt:{PROMPT}", f"workflow:{WORKFLOW}")
    back = opened(await convert(there, Output(format=Format.PNG)))
    assert (back.info["prompt"], back.info["workflow"]) == (PROMPT, WORKFLOW)


async def test_a_workflow_in_any_script_comes_back() -> None:
    """EXIF has room for ASCII alone there; what is beyond it is carried as UTF-8."""
    there = await convert(png(workflow='{"title": "grün, 猫"}'), Output(format=Format.JPEG))
    assert opened(await convert(there, Output(format=Format.PNG))).info["workflow"] == '{"title": "grün, 猫"}'


async def test_a_workflow_too_large_for_a_jpeg_is_left_out_whole() -> None:
    """A JPEG has room for 64 KiB: what fits is kept, and the image is stored all the same. A WebP has room."""
    data = png(parameters="short", prompt=PROMPT, workflow="w" * 70_000)
    jpeg = await convert(data, Output(format=Format.JPEG))
    assert comment(jpeg) == "short"
    assert opened(jpeg).getexif()[MODEL] == f"prompt:{PROMPT}"
    assert MAKE not in opened(jpeg).getexif()
    assert len(opened(await convert(data, Output(format=Format.WEBP))).getexif()[MAKE]) > 70_000


@pytest.mark.parametrize("wanted", [None, *Format])
@pytest.mark.parametrize("source", ["PNG", "JPEG", "WEBP", "AVIF", "TIFF", "GIF"])
async def test_strip_leaves_nothing_told(source: str, wanted: Format | None) -> None:
    """Neither text nor EXIF nor comment of any format survives `strip`, whatever the target."""
    exif = Image.Exif()
    exif[MODEL] = "secret"
    info = PngInfo()
    info.add_text("parameters", "secret")
    told: dict[str, object] = {"comment": "secret"} if source == "GIF" else {"exif": exif, "comment": "secret"}
    data = saved(Image.new("RGB", (8, 8)), source, **told, pnginfo=info)
    assert b"secret" in data
    assert b"secret" not in await convert(data, Output(format=wanted, metadata=STRIP))


@pytest.mark.parametrize("source", ["PNG", "JPEG", "WEBP"])
async def test_strip_alone_does_not_touch_a_pixel(source: str) -> None:
    """A lossy image is not encoded a second time only to take its text out."""
    data = saved(Image.effect_noise((32, 32), 90).convert("RGB"), source, exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0")
    stripped = await convert(data, Output(metadata=STRIP))
    assert len(stripped) < len(data)
    assert opened(stripped).tobytes() == opened(data).tobytes()


async def test_transparency_becomes_white_in_a_jpeg() -> None:
    """JPEG has no alpha: what was transparent is white, half of it half."""
    for data in (png("RGBA", (255, 0, 0, 0)), png("LA", (0, 0)), saved(_palette(), transparency=0)):
        assert opened(await convert(data, Output(format=Format.JPEG))).convert("RGB").getpixel((8, 4)) == (255,) * 3
    half = opened(await convert(png("RGBA", (0, 0, 0, 128)), Output(format=Format.JPEG))).getpixel((8, 4))
    assert half == pytest.approx((127, 127, 127), abs=2)


def _palette() -> Image.Image:
    image = Image.new("P", (16, 8), 0)
    image.putpalette([255, 0, 0, 0, 255, 0])
    return image


@pytest.mark.parametrize("wanted", [Format.WEBP, Format.AVIF])
async def test_transparency_survives_where_there_is_alpha(wanted: Format) -> None:
    """WebP and AVIF keep it, from a palette too."""
    for data in (png("RGBA", (255, 0, 0, 0)), saved(_palette(), transparency=0)):
        assert opened(await convert(data, Output(format=wanted))).getpixel((8, 4))[3] == 0  # type: ignore[index]


@pytest.mark.parametrize("wanted", [Format.JPEG, Format.WEBP, Format.AVIF])
async def test_16_bits_become_8_without_burning_out(wanted: Format) -> None:
    """Depth maps come in 16 bits: half bright stays half bright."""
    image = opened(await convert(png("I;16", 0x8000), Output(format=wanted))).convert("L")
    assert image.getpixel((8, 4)) == pytest.approx(128, abs=3)


@pytest.mark.parametrize("mode", ["1", "L", "P", "I;16", "I;16B", "CMYK", "YCbCr", "LAB", "F", "I"])
@pytest.mark.parametrize("wanted", Format)
async def test_every_mode_can_be_stored(mode: str, wanted: Format) -> None:
    """Modes that a format does not have are turned into one that it has."""
    data = saved(Image.new(mode, (16, 8)), "TIFF")
    assert opened(await convert(data, Output(format=wanted))).format == wanted.value.upper()


async def test_a_colour_profile_is_kept_where_it_fits() -> None:
    """It belongs to the colours, not to the metadata; but a profile of CMYK says nothing of RGB."""
    rgb = saved(Image.new("RGB", (8, 8)), icc_profile=PROFILE)
    for wanted in (Format.JPEG, Format.WEBP, Format.AVIF):
        assert opened(await convert(rgb, Output(format=wanted, metadata=STRIP))).info["icc_profile"] == PROFILE
    cmyk = saved(Image.new("CMYK", (8, 8)), "JPEG", icc_profile=PROFILE)
    assert "icc_profile" not in opened(await convert(cmyk, Output(format=Format.PNG))).info


async def test_an_image_is_stored_upright() -> None:
    """EXIF may say that an image lies on its side; it is set upright, for that EXIF goes."""
    exif = Image.Exif()
    exif[0x0112] = 6
    data = saved(Image.new("RGB", (16, 8)), "JPEG", exif=exif)
    assert opened(await convert(data, Output(format=Format.WEBP))).size == (8, 16)


@pytest.mark.parametrize("output", [Output(format=Format.WEBP), Output(metadata=STRIP)], ids=["convert", "strip"])
@pytest.mark.parametrize(
    "data",
    [
        saved(Image.effect_noise((64, 64), 90))[:900],
        saved(Image.new("RGB", (8, 8)), "JPEG")[:100],
        b"BM" + bytes(12) + b"\x28",
    ],
)
async def test_what_cannot_be_decoded_is_the_runtimes_failure(data: bytes, output: Output) -> None:
    """A broken image is not stored under the guise of a good one; another attempt may make a good one."""
    data += bytes(3)
    assert sniff(data) is not None
    with pytest.raises(RuntimeFailed, match="is no image that can be converted"):
        await convert(data, output)


async def test_a_decompression_bomb_is_not_decoded() -> None:
    """Its header is enough to refuse it."""
    data = bytearray(png())
    data[16:24] = (60_000).to_bytes(4, "big") * 2
    with pytest.raises(RuntimeFailed, match="60000 × 60000 pixels are too many"):
        await convert(bytes(data), Output(format=Format.WEBP))


async def test_images_are_converted_one_at_a_time_beside_the_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many at once do not take memory for all at once, and nothing else waits for them."""
    threads: list[int] = []
    convert_one = module._convert

    def watched(data: bytes, media: Media, output: Output) -> bytes:
        threads.append(threading.get_ident())
        return convert_one(data, media, output)

    monkeypatch.setattr(module, "_convert", watched)
    await asyncio.gather(*(convert(png(), Output(format=Format.WEBP)) for _ in range(8)))
    assert len(threads) == 8
    assert len(set(threads)) == 1
    assert threading.get_ident() not in threads


def test_pillow_is_not_imported_before_it_is_needed() -> None:
    """An agent whose jobs convert nothing does not pay for it."""
    code = "import sys, darkroom_agent.convert; sys.exit('PIL' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
