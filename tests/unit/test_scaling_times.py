"""The page of scaling times says what was measured."""

import json
import re
from pathlib import Path

_DOCS = Path(__file__).parents[2] / "docs"
_PAGES = _DOCS / "discussion"


def test_the_page_has_the_figures_of_the_run() -> None:
    """Each part of a cold start in its order, their sum, and the ends of jobs and pods."""
    run = json.loads((_PAGES / "scaling-times.json").read_text())
    page = (_PAGES / "scaling-times.md").read_text()
    parts = list(run["cold_start_seconds"].values())
    assert [float(cell) for cell in re.findall(r"^\| [^|]+ \| ([0-9.]+) s \|", page, re.MULTILINE)] == parts
    for told in (sum(parts), run["all_jobs_seconds"], run["no_pod_again_seconds"]):
        assert f"{told:.1f} s" in page
    assert f"takes its first job {sum(parts) - run['settings']['each_seconds']:.0f} s" in page


def test_other_pages_say_the_same() -> None:
    """The sum where a cold start is cut; what EC2 adds where its parts are measured."""
    run = json.loads((_PAGES / "scaling-times.json").read_text())
    cut, page = (_DOCS / "how-to" / "cold-start.md").read_text(), (_PAGES / "scaling-times.md").read_text()
    assert f"{sum(run['cold_start_seconds'].values()):.1f} s on two shared cores" in cut
    for published in ("80 to 120 s", "9.35 GB", "23.2 s", "25 s for"):
        assert published in cut
        assert published in page
