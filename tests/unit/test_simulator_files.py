"""Files of the simulated ComfyUI."""

import json
from pathlib import Path

from PIL import Image

from darkroom_simulator.comfyui_files import Files, texts_of
from darkroom_simulator.draw import draw

PICTURE = draw("x", 1, 16, 16)


def test_outputs_are_numbered_by_their_prefix(tmp_path: Path) -> None:
    """Below a folder, if the prefix names one."""
    files = Files(tmp_path)
    for prefix, name, folder in [("a", "a_00001_.png", ""), ("a", "a_00002_.png", ""), ("b/c", "c_00001_.png", "b")]:
        saved = files.save("images", [PICTURE], prefix, {})
        assert saved == {"images": [{"filename": name, "subfolder": folder, "type": "output"}]}
        assert (tmp_path / "output" / folder / name).is_file()


def test_a_prefix_that_leads_outside_saves_nothing(tmp_path: Path) -> None:
    """As the real one refuses it."""
    assert Files(tmp_path).save("images", [PICTURE], "../../x", {}) is None
    assert not (tmp_path.parent / "x_00001_.png").exists()


def test_images_carry_prompt_and_workflow(tmp_path: Path) -> None:
    """As texts that ComfyUI can load again; previews carry nothing."""
    files = Files(tmp_path)
    texts = texts_of({"1": {}}, {"extra_pnginfo": {"workflow": {"id": "w"}}})
    files.save("images", [PICTURE], "a", texts)
    files.save("preview", [PICTURE], "a", texts)
    with Image.open(tmp_path / "output" / "a_00001_.png") as image:
        image.load()
        assert json.loads(image.info["prompt"]) == {"1": {}}
        assert json.loads(image.info["workflow"]) == {"id": "w"}
    with Image.open(tmp_path / "temp" / "a_00001_.png") as image:
        image.load()
        assert "prompt" not in image.info


def test_padded_images_are_one_file(tmp_path: Path) -> None:
    """A benchmark writes no megabytes a job."""
    files = Files(tmp_path, image_bytes=50_000)
    for _ in range(2):
        files.save("images", [PICTURE], "a", {})
    first, second = sorted((tmp_path / "output").iterdir())
    assert first.stat().st_ino == second.stat().st_ino
    assert first.stat().st_size == 50_000


def test_nothing_is_looked_for_outside(tmp_path: Path) -> None:
    """Neither by names nor by places."""
    files = Files(tmp_path)
    (tmp_path / "secret.png").write_bytes(b"x")
    assert not files.has_input("../secret.png")
    assert files.path("output", "", "../secret.png") is None
    assert files.path("..", "secret.png") is None
    assert files.upload("input", "../..", "a.png", b"x", overwrite=True) is None
