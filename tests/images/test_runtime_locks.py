"""Locks of the runtimes' images can be installed as their Dockerfiles say: by wheels, but for what has none."""

import re
import subprocess

import pytest
from scripts.bootstrap import ROOT, uv


@pytest.mark.parametrize(
    ("image", "flavour", "python"),
    [("comfyui", "comfyui", "3.13"), ("sdwebui", "sdwebui", "3.10"), ("sdwebui", "forge", "3.10")],
)
def test_every_package_has_a_wheel_or_is_built(image: str, flavour: str, python: str) -> None:
    """For the image's Python and platform; nothing is downloaded but descriptions."""
    dockerfile = (ROOT / "images" / image / "Dockerfile").read_text()
    built = re.findall(r"--no-binary (\S+)", dockerfile)
    command = [
        *(str(uv()), "pip", "compile", "--quiet", "--no-deps", "--no-header", "--only-binary", ":all:"),
        *(word for package in built for word in ("--no-binary", package)),
        *("--python-version", python, "--python-platform", "x86_64-manylinux_2_28"),
        str(ROOT / "requirements" / f"{flavour}.txt"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
