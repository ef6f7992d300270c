"""How a Helm release is, from what Helm says of it. Pure."""

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any


class State(Enum):
    """What is to be done about a release."""

    ABSENT = "absent"
    CURRENT = "current"
    OUTDATED = "outdated"
    BROKEN = "broken"
    """Helm was killed while it installed it: it is taken away and installed again."""
    HALF_UPGRADED = "half upgraded"
    """Helm was killed while it upgraded it: it goes back to the revision before, and on from there."""
    BUSY = "busy"
    """Another Helm may be at work on it."""


@dataclass(frozen=True, slots=True)
class Release:
    """A release: its status, when it was last touched, its objects, and the end of its test if it passed."""

    status: str
    revision: int
    touched: dt.datetime
    manifest: str
    tested: dt.datetime | None

    @property
    def works(self) -> bool:
        """Whether its smoke job came back since it was last touched."""
        return self.tested is not None and self.tested > self.touched


def read_release(said: str) -> Release:
    """What `helm status --output json` says."""
    told: Mapping[str, Any] = json.loads(said)
    info = told["info"]
    runs = [hook["last_run"] for hook in told.get("hooks") or () if "test" in hook["events"] and hook.get("last_run")]
    passed = [run["completed_at"] for run in runs if run.get("phase") == "Succeeded"]
    return Release(
        info["status"],
        int(told["version"]),
        dt.datetime.fromisoformat(info["last_deployed"]),
        told.get("manifest", ""),
        max(map(dt.datetime.fromisoformat, passed)) if passed and len(passed) == len(runs) else None,
    )


def state(there: Release | None, wanted: str, now: dt.datetime, longest: dt.timedelta) -> State:
    """What is to be done.

    Args:
        there: the release; None if there is none.
        wanted: manifest that an upgrade would make.
        now: the present.
        longest: a Helm that began longer ago than this is no longer at work.
    """
    if there is None:
        return State.ABSENT
    if there.status.startswith("pending") or there.status == "uninstalling":
        if now - there.touched < longest:
            return State.BUSY
        return State.HALF_UPGRADED if there.status != "pending-install" and there.revision > 1 else State.BROKEN
    if there.status == "deployed" and there.manifest.strip() == wanted.strip():
        return State.CURRENT
    return State.OUTDATED
