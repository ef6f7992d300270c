"""Snapshots and plans on a terminal, and as values of a release. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from .fast_restore import price
from .leftovers import Leftover
from .plan import Plan
from .snapshots import Snapshot

_COLOURS = {"completed": "green", "pending": "cyan", "error": "red"}
_HEAD = "bright_black"


def plain(text: str) -> str:
    """A text as it may stand on a terminal: control characters are shown, not obeyed."""
    return "".join(one if one.isprintable() or one == "\n" else one.encode("unicode_escape").decode() for one in text)


def values(made: Snapshot) -> str:
    """Values for the runtime chart, YAML."""
    return (
        f"# {made.size_gib} GiB: nodes.volume.size must not be smaller\n"
        f"imageCache:\n  mode: snapshot\n  snapshotID: {made.id}\n"
    )


def plan_table(plan: Plan, ami: str | None = None) -> RenderableType:
    """What a build would do."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style=_HEAD)
    table.add_column(overflow="fold")
    for one in plan.images:
        size = f"{one.size / 1e9:.2f} GB, " if one.size is not None else ""
        table.add_row("image", Text(plain("\n".join([*one.names, f"{size}{one.digest}"]))))
    minutes = plan.wish.timeout.total_seconds() / 60
    table.add_row(
        "instance", f"{plan.instance_type} ({plan.wish.arch}), until it is done; at most {minutes:.0f} minutes"
    )
    table.add_row("AMI", Text(plain(ami or plan.ami_parameter)))
    table.add_row("volume", f"{plan.volume_gib} GiB, encrypted")
    return table


def snapshot_table(
    found: Iterable[Snapshot], zones: Mapping[str, Sequence[str]], partition: str, at: datetime
) -> RenderableType:
    """Snapshots, the newest first, and what fast restore of them costs."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style=_HEAD)
    for name, justify in (
        ("snapshot", "left"),
        ("age", "right"),
        ("state", "left"),
        ("GiB", "right"),
        ("arch", "left"),
    ):
        table.add_column(name, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    table.add_column("images", overflow="fold")
    fast = 0
    for one in found:
        done = "" if one.state in ("completed", "error") else f" {one.done:.0%}"
        state = Text(plain(one.state) + done, style=_COLOURS.get(one.state, ""))
        images = Text(plain("\n".join(_short(name) for name in one.images)))
        if where := zones.get(one.id):
            fast += len(where)
            images.append(f"\nfast restore: {', '.join(where)}", style="yellow")
        table.add_row(one.id, age(one.started_at, at), state, str(one.size_gib), plain(one.arch), images)
    if not table.row_count:
        return Text("no snapshots of images here", style=_HEAD)
    return Group(table, Text(f"\nfast snapshot restore: {price(partition, fast)}", style="yellow")) if fast else table


def leftover_table(found: Iterable[Leftover], at: datetime) -> RenderableType:
    """What builds left or still use."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style=_HEAD)
    for name in ("what", "id", "build", "must be over"):
        table.add_column(name, overflow="fold")
    for one in found:
        over = (
            "since long" if one.expires is None else f"{age(one.expires, at)} ago" if one.expires <= at else "not yet"
        )
        table.add_row(one.kind, one.id, plain(one.build), over)
    return table if table.row_count else Text("nothing was left behind", style="green")


def age(then: datetime, at: datetime) -> str:
    """Time since then in its largest unit: `12 s`, `3 min`, `5 h`, `2 d`."""
    seconds = max(0.0, (at - then).total_seconds())
    for limit, unit, size in ((120, "s", 1), (7200, "min", 60), (172_800, "h", 3600)):
        if seconds < limit:
            return f"{seconds // size:.0f} {unit}"
    return f"{seconds // 86_400:.0f} d"


def _short(name: str) -> str:
    """An image with the beginning of its digest: what people compare."""
    reference, _, digest = name.partition("@sha256:")
    return f"{reference} {digest[:12]}"
