"""`make test-cluster`: every test of a cluster is walked through, once."""

from collections import Counter
from pathlib import Path

import pytest
from scripts.go_tools import RECIPES

import darkroom_local.cluster
from tests.cluster.__main__ import CORDONS, FOLDER, LANES, MEASURED, PROGRAMS, worst


def test_every_file_is_in_one_lane() -> None:
    """A file that is in none would never run."""
    walked = Counter(file for lane in (MEASURED, *LANES, CORDONS) for file in lane)
    assert walked == Counter(path.stem for path in FOLDER.glob("test_*.py"))


@pytest.mark.parametrize(("statuses", "expected"), [([0, 0], 0), ([0, 1, 0], 1), ([0, -9], 9)])
def test_a_lane_that_was_killed_is_not_green(statuses: list[int], expected: int) -> None:
    """A signal gives a negative status, which must not count less than 0."""
    assert worst(statuses) == expected


def test_every_program_is_built_before_the_lanes() -> None:
    """None of those that the cluster or its tests name is compiled meanwhile."""
    sources = [*FOLDER.glob("*.py"), *Path(darkroom_local.cluster.__file__).parent.glob("*.py")]
    text = "".join(map(Path.read_text, sources))
    named = {name for recipe in RECIPES.values() for name in recipe.programs if f'"{name}"' in text}
    assert "kubelet" in named
    assert named <= {name for group in PROGRAMS for name in group}
