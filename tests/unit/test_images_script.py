"""Images are built for their platforms, Forge where it is named; bills of materials name what is locked."""

import json
import os
import shlex
import subprocess
from pathlib import Path

import pytest
from scripts.images import FORGE, NAMES, bill_of_materials, build, script

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


def test_the_script_builds_for_the_platforms_that_nodes_have() -> None:
    """Graviton's, too, but for torch with CUDA; times are the commit's; Forge is built where it is asked for."""
    *lines, forge = script().splitlines()
    pushes = {name: line for line in lines for name in NAMES if f"--file images/{name}/Dockerfile" in line}
    both = {name for name, line in pushes.items() if "--platform linux/amd64,linux/arm64 " in line}
    assert both == {"agent", "simulator", "local"}
    assert all("--platform linux/amd64 " in pushes[name] for name in {*NAMES} - both)
    seconds = next(line for line in lines if line.startswith("export SOURCE_DATE_EPOCH=")).partition("=")[2]
    assert seconds == subprocess.check_output(["git", "show", "--no-patch", "--format=%ct", "HEAD"], text=True).strip()
    assert forge.startswith('[ -z "${FORGE:-}" ] || docker buildx build --file images/sdwebui/Dockerfile')
    assert '"$REGISTRY/darkroom/forge:' in forge
    assert "--build-arg FLAVOUR=forge" in forge


def test_forge_is_built_of_the_webuis_folder(tmp_path: Path) -> None:
    """By its name alone."""
    engine, said = tmp_path / "engine", tmp_path / "said"
    engine.write_text(f'#!/bin/sh\necho "$@" >{shlex.quote(str(said))}\n')
    engine.chmod(0o755)
    assert build(FORGE, (str(engine),)).startswith("darkroom/forge:")
    assert "/images/sdwebui/Dockerfile --tag darkroom/forge:" in said.read_text()
    assert "--build-arg FLAVOUR=forge" in said.read_text()
