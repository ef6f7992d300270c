"""Logs of a red run: kept for whoever looks why, for the cluster's folder goes, and a pod's logs with the pod."""

import shutil
from pathlib import Path

from .times import OUT

_LOGS = OUT / "logs"


def keep_logs(folder: Path, name: str = "") -> Path:
    """Keep the logs below a folder in out/cluster/logs/<name>; that path."""
    kept = _LOGS / name
    for log in folder.rglob("*.log"):
        copy = kept / log.relative_to(folder)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(log, copy)
    return kept


def forget_logs() -> None:
    """Remove those of the run before."""
    shutil.rmtree(_LOGS, ignore_errors=True)
