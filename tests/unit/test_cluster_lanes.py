"""`make test-cluster`: every test of a cluster is walked through, once."""

from collections import Counter

from tests.cluster.__main__ import FOLDER, LANES, MEASURED


def test_every_file_is_in_one_lane() -> None:
    """A file that is in none would never run."""
    walked = Counter(file for lane in (MEASURED, *LANES) for file in lane)
    assert walked == Counter(path.stem for path in FOLDER.glob("test_*.py"))
