"""Versions have a home each, pyproject.toml and versions.toml, and what repeats them says the same."""

import re
import shutil
from pathlib import Path

import pytest
import yaml
from scripts.images import NAMES, versions
from scripts.version import current, set_version

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", NAMES)
def test_a_dockerfile_repeats_the_versions(name: str) -> None:
    """As the defaults of its arguments, so that a plain `docker build` makes the same image."""
    text = (ROOT / "images" / name / "Dockerfile").read_text()
    defaults = dict(re.findall(r"^ARG (\w+)_IMAGE=(\S+)$", text, re.MULTILINE))
    assert defaults
    assert {key.lower(): value for key, value in defaults.items()}.items() <= versions().items()


def test_every_image_is_built() -> None:
    """A folder with a Dockerfile is among those that `make images` makes."""
    assert sorted(NAMES) == sorted(path.parent.name for path in (ROOT / "images").glob("*/Dockerfile"))


@pytest.mark.parametrize("name", ["platform", "runtime"])
def test_a_chart_has_the_distributions_version(name: str) -> None:
    """Its own, and that of the images that it takes by default."""
    chart = yaml.safe_load((ROOT / "charts" / name / "Chart.yaml").read_text())
    assert (chart["version"], chart["appVersion"]) == (current(), current())


def test_the_docs_name_images_of_this_version() -> None:
    """In every command that can be copied."""
    pages = "\n".join(path.read_text() for path in (ROOT / "docs").rglob("*.md"))
    assert set(re.findall(r"darkroom/(?:agent|comfyui|sdwebui|simulator):(\d+\.\d+\.\d+)", pages)) == {current()}


def test_a_version_is_set_everywhere_at_once(tmp_path: Path) -> None:
    """Nothing of ours has the old one then, and dependencies keep theirs."""
    for folder in ("charts", "docs/how-to", "tests/charts"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("upstream", "__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    old, before = current(), yaml.safe_load((ROOT / "charts/platform/Chart.yaml").read_text())
    assert set_version("9.8.7-rc.1", tmp_path)
    assert current(tmp_path) == "9.8.7-rc.1"
    after = yaml.safe_load((tmp_path / "charts/platform/Chart.yaml").read_text())
    assert after == {**before, "version": "9.8.7-rc.1", "appVersion": "9.8.7-rc.1"}
    left = [path for path in tmp_path.rglob("*") if path.is_file() and f":{old}" in path.read_text()]
    assert left == []
    with pytest.raises(ValueError, match=r"write it as 1\.2\.3"):
        set_version("next", tmp_path)


def test_the_homes_of_versions_are_there() -> None:
    """Files that name another as what is moved together with them, and those that versions.toml names."""
    pages = [ROOT / "versions.toml", *(ROOT / "requirements").glob("*.in")]
    path = re.compile(r"\b(?:charts|images|requirements|terraform)/[\w/*-]+\.\w+")
    named = {one for page in pages for one in path.findall(page.read_text())}
    assert "images/sdwebui/sdwebui.txt" in named
    assert [one for one in named if not any(ROOT.glob(one))] == []


def test_the_changelog_keeps_to_its_format() -> None:
    """Unreleased first, then versions with their dates, the newest first; known headings alone."""
    text = (ROOT / "CHANGELOG.md").read_text()
    first, *released = re.findall(r"^## \[(.+)\](.*)$", text, re.MULTILINE)
    assert first == ("Unreleased", "")
    assert all(re.fullmatch(r" - \d{4}-\d\d-\d\d", date) for _, date in released)
    numbers = [tuple(map(int, version.split("."))) for version, _ in released]
    assert numbers == sorted(numbers, reverse=True)
    known = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert set(re.findall(r"^### (.+)$", text, re.MULTILINE)) <= known
