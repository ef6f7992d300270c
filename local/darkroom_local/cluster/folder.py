"""A cluster's folder: gone with the cluster, or at the start of the next one if the cluster was killed."""

import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PREFIX = "darkroom-up-"
_LOCK = "lock"


@contextmanager
def cluster_folder() -> Iterator[Path]:
    """Make one for as long as the context lasts; its path is short, for sockets lie in it."""
    _sweep()
    with tempfile.TemporaryDirectory(prefix=_PREFIX, ignore_cleanup_errors=True) as name:
        new = Path(name, "new")
        with new.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # no child has it: it ends with this process, however that ends
            new.rename(new.with_name(_LOCK))  # nobody sees it unlocked
            yield new.parent


def _sweep() -> None:
    """Remove folders that are nobody's: their lock can be had."""
    for file in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*/{_LOCK}"):
        try:
            with file.open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(file.parent, ignore_errors=True)
        except OSError:  # somebody's, or another's who sweeps
            continue
