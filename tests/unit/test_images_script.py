"""Bills of materials name what is locked."""

import json
import os
from pathlib import Path

import pytest
from scripts.images import bill_of_materials

from darkroom_local.emulator_environment import EmulatorUnavailable


def test_a_bill_of_materials_has_every_locked_package(tmp_path: Path) -> None:
    """With its version and its hashes, the same bytes each time."""
    try:
        bill = bill_of_materials("simulator", tmp_path).read_bytes()
    except EmulatorUnavailable as reason:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(str(reason))
    assert bill == bill_of_materials("simulator", tmp_path).read_bytes()
    lock = (Path(__file__).parents[2] / "requirements" / "simulator.txt").read_text()
    locked = {line.split(" ")[0] for line in lock.splitlines() if "==" in line}
    parts = json.loads(bill)["components"]
    assert {f"{one['name']}=={one['version']}" for one in parts} == locked
    assert all(one["externalReferences"][0]["hashes"] for one in parts)
