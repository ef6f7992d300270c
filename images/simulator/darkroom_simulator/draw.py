"""Draw a picture from a prompt and a seed: the same ones always give the same picture."""

import colorsys
import functools
import io
import math
import random
import textwrap
import zlib

from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo

_LARGEST = 2048  # pixels of a side; a larger picture is drawn small and scaled


def draw(prompt: str, seed: int, width: int, height: int) -> Image.Image:
    """Hills under a sun, in colours of the seed, with the prompt written below."""
    chance = random.Random(f"{prompt}/{seed}")  # noqa: S311 (art, not a secret)
    scale = max(1.0, max(width, height) / _LARGEST)
    small = (max(1, round(width / scale)), max(1, round(height / scale)))
    image = _sky(small, chance)
    pen = ImageDraw.Draw(image)
    _sun(pen, small, chance)
    for layer in range(4):
        _hill(pen, small, chance, layer)
    _caption(pen, small, prompt)
    return image if image.size == (width, height) else image.resize((width, height))


def _colour(hue: float, saturation: float, value: float) -> tuple[int, int, int]:
    red, green, blue = colorsys.hsv_to_rgb(hue % 1.0, saturation, value)
    return round(red * 255), round(green * 255), round(blue * 255)


def _sky(size: tuple[int, int], chance: random.Random) -> Image.Image:
    hue = chance.random()
    gradient = Image.new("RGB", (1, 3))
    gradient.putdata([_colour(hue, 0.6, 0.35), _colour(hue + 0.06, 0.5, 0.75), _colour(hue + 0.12, 0.35, 0.98)])
    return gradient.resize(size, Image.Resampling.BICUBIC)


def _sun(pen: ImageDraw.ImageDraw, size: tuple[int, int], chance: random.Random) -> None:
    width, height = size
    radius = min(size) * chance.uniform(0.07, 0.13)
    x, y = width * chance.uniform(0.2, 0.8), height * chance.uniform(0.2, 0.45)
    for glow in range(6, 0, -1):
        wide = radius * (1 + glow * 0.12)
        pen.ellipse((x - wide, y - wide, x + wide, y + wide), fill=_colour(0.13, 0.1 + 0.04 * glow, 1.0 - 0.02 * glow))


def _hill(pen: ImageDraw.ImageDraw, size: tuple[int, int], chance: random.Random, layer: int) -> None:
    width, height = size
    base, swing = height * (0.5 + 0.12 * layer), height * 0.09
    waves = [(chance.uniform(0.6, 2.6), chance.uniform(0, 6.3), chance.uniform(0.3, 1.0)) for _ in range(3)]
    step = max(1, width // 128)
    line = [
        (x, base + swing * sum(part * math.sin(often * 6.3 * x / width + start) for often, start, part in waves) / 2)
        for x in range(0, width + step, step)
    ]
    fill = _colour(chance.random() * 0.15 + 0.55, 0.45, 0.55 - 0.12 * layer)
    pen.polygon([*line, (width, height), (0, height)], fill=fill)


def _caption(pen: ImageDraw.ImageDraw, size: tuple[int, int], prompt: str) -> None:
    if min(size) < 96:
        return
    font = ImageFont.load_default(size=max(10, min(size) // 24))
    lines = textwrap.wrap(prompt, 36)[:3]
    place = (size[0] // 2, size[1] - min(size) // 24)
    pen.multiline_text(place, "\n".join(lines), fill="white", font=font, anchor="md", align="center")


def encode_png(image: Image.Image, texts: dict[str, str], size: int = 0) -> bytes:
    """PNG with text chunks, padded to `size` bytes by a private chunk that every reader passes over."""
    info = PngInfo()
    for name, text in texts.items():
        info.add_itxt(name, text) if not text.isascii() else info.add_text(name, text)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", pnginfo=info, compress_level=1)
    data = buffer.getvalue()
    return _padded(data, size - len(data)) if size > len(data) else data


def _padded(data: bytes, missing: int) -> bytes:
    body = _noise(max(0, missing - 12))
    chunk = len(body).to_bytes(4, "big") + b"daRk" + body + zlib.crc32(b"daRk" + body).to_bytes(4, "big")
    return data[:-12] + chunk + data[-12:]


@functools.lru_cache(maxsize=4)
def _noise(length: int) -> bytes:
    return random.Random(length).randbytes(length)  # noqa: S311 (filling)


def encode_jpeg(image: Image.Image, infotext: str) -> bytes:
    """JPEG with the infotext in its EXIF UserComment, as A1111 writes it."""
    buffer = io.BytesIO()
    image.convert("RGB").save(buffer, "JPEG", quality=80, exif=_exif(infotext))
    return buffer.getvalue()


def encode_webp(image: Image.Image, infotext: str) -> bytes:
    """WebP with the infotext where the JPEG has it."""
    buffer = io.BytesIO()
    image.convert("RGB").save(buffer, "WEBP", quality=80, method=0, exif=_exif(infotext))
    return buffer.getvalue()


def _exif(infotext: str) -> bytes:
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9286] = b"UNICODE\0" + infotext.encode("utf-16-be")
    return exif.tobytes()


def encode_animation(frames: list[Image.Image]) -> bytes:
    """An animated GIF."""
    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:], duration=200, loop=0)
    return buffer.getvalue()
