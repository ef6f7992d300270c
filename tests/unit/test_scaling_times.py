"""The page of scaling times says what was measured."""

import json
import re
from pathlib import Path

_PAGES = Path(__file__).parents[2] / "docs" / "discussion"


def test_the_page_has_the_figures_of_the_run() -> None:
    """Each part of a cold start in its order, their sum, and the ends of jobs and pods."""
    run = json.loads((_PAGES / "scaling-times.json").read_text())
    page = (_PAGES / "scaling-times.md").read_text()
    parts = list(run["cold_start_seconds"].values())
    assert [float(cell) for cell in re.findall(r"^\| [^|]+ \| ([0-9.]+) s \|", page, re.MULTILINE)] == parts
    for told in (sum(parts), run["all_jobs_seconds"], run["no_pod_again_seconds"]):
        assert f"{told:.1f} s" in page
