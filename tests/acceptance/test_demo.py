"""`make demo`."""

import asyncio
import os
import sys
from pathlib import Path


async def test_the_demo_goes_as_it_should(tmp_path: Path) -> None:
    """One job of each kind ends as it must, and its images and documents are on disk."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "darkroom_local", "demo", "--out", tmp_path / "out"),
        env={**os.environ, "XDG_CACHE_HOME": os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache"))},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    assert len(list((tmp_path / "out").glob("*.png"))) == 11
    assert len(list((tmp_path / "out").glob("*.json"))) == 9
