"""Pictures of the simulator."""

import io

import pytest
from PIL import Image

from darkroom_simulator.draw import draw, encode_animation, encode_jpeg, encode_png, encode_webp


def test_the_same_prompt_and_seed_give_the_same_picture() -> None:
    """And another prompt or seed another one."""
    picture = draw("a lighthouse", 7, 128, 96).tobytes()
    assert draw("a lighthouse", 7, 128, 96).tobytes() == picture
    assert draw("a lighthouse", 8, 128, 96).tobytes() != picture
    assert draw("a harbour", 7, 128, 96).tobytes() != picture


@pytest.mark.parametrize("size", [(1, 1), (8, 512), (511, 64), (3000, 40)])
def test_pictures_have_the_size_that_was_asked_for(size: tuple[int, int]) -> None:
    """Tiny, odd and huge ones too."""
    assert draw("x", 1, *size).size == size


def test_a_png_carries_its_texts() -> None:
    """Also those that are not ASCII."""
    image = Image.open(io.BytesIO(encode_png(draw("x", 1, 64, 64), {"parameters": "Grüße 猫", "prompt": "{}"})))
    assert isinstance(image.info["parameters"], str)
    assert image.info["parameters"] == "Grüße 猫"
    assert image.info["prompt"] == "{}"


def test_a_png_can_be_padded() -> None:
    """To the byte, and any reader still reads it."""
    picture = draw("x", 1, 64, 64)
    data = encode_png(picture, {}, 100_000)
    assert len(data) == 100_000
    image = Image.open(io.BytesIO(data))
    image.load()
    assert image.tobytes() == picture.tobytes()
    assert len(encode_png(picture, {}, 10)) > 10, "but not cut"


@pytest.mark.parametrize("encode", [encode_jpeg, encode_webp])
def test_other_formats_carry_the_infotext_in_exif(encode: object) -> None:
    """As a UserComment in UTF-16, where A1111 writes it."""
    assert callable(encode)
    image = Image.open(io.BytesIO(encode(draw("x", 1, 64, 64), "Steps: 1 猫")))
    comment = image.getexif().get_ifd(0x8769)[0x9286]
    assert comment == b"UNICODE\0" + "Steps: 1 猫".encode("utf-16-be")


def test_an_animation_moves() -> None:
    """It has as many frames as pictures."""
    data = encode_animation([draw("x", seed, 32, 32) for seed in range(3)])
    assert getattr(Image.open(io.BytesIO(data)), "n_frames", 1) == 3
