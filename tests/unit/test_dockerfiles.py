"""Dockerfiles name what there is: a part that is renamed would break an image's build, and nothing else."""

import importlib.util
import re

import pytest
from scripts.bootstrap import ROOT
from scripts.image_inputs import sources

_IMAGES = ROOT / "images"
_OURS = ("agent", "simulator", "local")


@pytest.mark.parametrize("name", _OURS)
def test_what_it_takes_from_the_repository_exists(name: str) -> None:
    """And is not kept from it: .dockerignore lets in what is named there."""
    taken = sources((_IMAGES / name / "Dockerfile").read_text())
    let_in = re.findall(r"^!(\S+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE)
    assert taken
    for path in taken:
        assert (ROOT / path).exists(), path
        assert any(ROOT.joinpath(path).full_match(ROOT / one) or path.startswith(f"{one}/") for one in let_in), path


@pytest.mark.parametrize("name", ["agent", "simulator"])
def test_the_module_that_it_runs_exists(name: str) -> None:
    """In its entry point."""
    (module,) = re.findall(r'^ENTRYPOINT .*"-m", "(\w+)"\]$', (_IMAGES / name / "Dockerfile").read_text(), re.MULTILINE)
    assert importlib.util.find_spec(module)
