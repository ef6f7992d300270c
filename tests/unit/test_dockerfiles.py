"""Dockerfiles name what there is: a part that is renamed would break an image's build, and nothing else."""

import importlib.util
import re
from pathlib import Path

import pytest

_IMAGES = Path(__file__).parents[2] / "images"


@pytest.mark.parametrize("name", ["agent", "simulator"])
def test_the_modules_that_it_imports_exist(name: str) -> None:
    """Each module whose bytecode the image is to have."""
    lines = re.findall(r"python -c 'import ([\w., ]+)'", (_IMAGES / name / "Dockerfile").read_text())
    modules = [module for line in lines for module in line.split(", ")]
    assert modules
    assert [module for module in modules if importlib.util.find_spec(module) is None] == []
