"""What a Terraform plan would do, in short. Pure: from `terraform show -json`."""

import itertools
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from .outputs import Runtime

# As the documentation of Terraform's JSON output has them ("Plan Representation").
_WORDS = {
    ("create",): "add",
    ("update",): "change",
    ("delete",): "destroy",
    ("delete", "create"): "replace",
    ("create", "delete"): "replace",
}


@dataclass(frozen=True, slots=True)
class Change:
    """One resource, and what would become of it: `add`, `change`, `destroy` or `replace`."""

    address: str
    action: str

    @property
    def module(self) -> str:
        """The outermost module below the installation's own: `network`, `cluster`; `root` for none."""
        parts = [part.partition("[")[0] for part in self.address.split(".")]
        names = [name for before, name in itertools.pairwise(parts) if before == "module"]
        return names[1] if len(names) > 1 and names[0] == "darkroom" else names[0] if names else "root"


@dataclass(frozen=True, slots=True)
class Changes:
    """All that a plan would do, and the region and the runtimes of the installation that it makes."""

    changes: tuple[Change, ...]
    runtimes: Mapping[str, Runtime]
    region: str | None = None

    def counts(self) -> Mapping[str, Counter[str]]:
        """Module → how many of each action."""
        counted: dict[str, Counter[str]] = {}
        for one in self.changes:
            counted.setdefault(one.module, Counter())[one.action] += 1
        return counted

    @property
    def lost(self) -> tuple[Change, ...]:
        """What is taken away or made anew: each is worth a look."""
        return tuple(one for one in self.changes if one.action in {"destroy", "replace"})

    def __str__(self) -> str:
        """`212 to add, 3 to change`."""
        total = Counter(one.action for one in self.changes)
        return ", ".join(
            f"{total[action]} to {action}" for action in ("add", "change", "replace", "destroy") if total[action]
        )


def read_plan(said: str) -> Changes:
    """What `terraform show -json` says of a plan."""
    told: dict[str, Any] = json.loads(said)
    found = (
        Change(one["address"], word)
        for one in told.get("resource_changes", ())
        if (word := _WORDS.get(tuple(one["change"]["actions"]))) is not None
    )
    after = told.get("output_changes", {}).get("deployment", {}).get("after") or {}
    # What only AWS can tell is unknown before the apply; the runtimes are the owner's own words.
    runtimes = after.get("runtimes") or {}
    return Changes(tuple(found), msgspec.convert(runtimes, dict[str, Runtime]), after.get("region"))


def progress(line: str) -> tuple[str, str] | None:
    """What a line of `terraform apply -json` tells: `begun`, `done` or `failed`, and of what.

    For an error it is what Terraform says of it, with where it stands.
    """
    try:
        told = json.loads(line)
    except json.JSONDecodeError:
        return None
    kind = told.get("type")
    address = str(told.get("hook", {}).get("resource", {}).get("addr", ""))
    if kind in ("apply_start", "apply_complete"):
        return ("begun" if kind == "apply_start" else "done"), address
    if kind == "diagnostic" and told["diagnostic"]["severity"] == "error":
        return "failed", "\n".join(_diagnostic(told["diagnostic"]))
    return None


def _diagnostic(told: Mapping[str, Any]) -> Iterator[str]:
    where = f"{told['address']}: " if told.get("address") else ""
    yield f"{where}{told['summary']}"
    if detail := told.get("detail"):
        yield str(detail)
