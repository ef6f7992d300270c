"""What the least values make of charts/runtime, object by object: a change that nobody meant is seen here.

`UPDATE_SNAPSHOTS=1 make test-charts` writes the files anew; read the difference before it is committed.
"""

import os
from pathlib import Path

import pytest
import yaml

from .runtime_chart import Object, render

SNAPSHOTS = Path(__file__).parent / "runtime_snapshots"
KINDS = sorted(path.stem for path in SNAPSHOTS.glob("*.yaml"))
# They change with the chart's version, and say nothing else.
VERSIONED = ("app.kubernetes.io/version", "helm.sh/chart")


def shown(one: Object) -> str:
    """An object as it is kept."""
    labels = {name: text for name, text in one["metadata"]["labels"].items() if name not in VERSIONED}
    kept = {**one, "metadata": {**one["metadata"], "labels": labels}}
    return yaml.safe_dump(kept, width=120).replace(":0.1.0", ":VERSION")


@pytest.mark.parametrize("kind", KINDS)
def test_an_object_is_as_it_was(kind: str) -> None:
    """Or the snapshot is written anew, on purpose."""
    text, file = shown(render().one(kind)), SNAPSHOTS / f"{kind}.yaml"
    if os.environ.get("UPDATE_SNAPSHOTS") == "1":
        file.write_text(text)
    assert text == file.read_text()


def test_each_object_has_its_snapshot() -> None:
    """One of a kind is made, and each is kept."""
    kinds = [one["kind"] for one in render().objects]
    assert sorted(kinds) == KINDS
