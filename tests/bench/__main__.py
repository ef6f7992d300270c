"""`python -m tests.bench`: the agent against the simulator at fixed latencies (AWS + 40 ms), and the jobs Lambda."""

import argparse
import asyncio
import sys
from dataclasses import replace

from rich import box
from rich.console import Console
from rich.progress import track
from rich.table import Table

from .api import show_api
from .measure import Measured, Setting, measure

SHORT = [
    Setting(1.0, jobs=12),
    Setting(0.2, jobs=40),
    Setting(0.0, jobs=150),
    Setting(0.2, jobs=40, export=True),
    Setting(0.0, jobs=150, export=True),
    Setting(1.0, jobs=6, worker="serial"),
    Setting(0.2, jobs=12, worker="serial"),
    Setting(0.0, jobs=20, worker="serial"),
]
LONG = [
    *SHORT,
    Setting(0.05, jobs=100),
    Setting(0.05, jobs=20, worker="serial"),
    Setting(0.2, jobs=40, type="comfyui"),
    Setting(1.0, jobs=12, type="comfyui"),
    Setting(0.2, jobs=40, image_bytes=4_000_000),
    Setting(0.0, aws_ms=0, jobs=200),
]


async def bench(settings: list[Setting], console: Console) -> list[Measured]:
    """Measure one setting after the other."""
    return [await measure(setting) for setting in track(settings, "measuring", console=console, transient=True)]


def show(rows: list[Measured], console: Console) -> None:
    """One table."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    names = (
        "worker",
        "runtime",
        "job s",
        "AWS + ms",
        "image MB",
        "jobs/s",
        "busy %",
        "gap ms",
        "gap p95",
        "CPU ms/job",
    )
    for name in (*names, "RSS MB", "start s", "way p50", "way p99"):
        table.add_column(name, justify="left" if name in ("worker", "runtime") else "right", no_wrap=True)
    for row in rows:
        setting = row.setting
        table.add_row(
            setting.worker + (" + OTLP" if setting.export else ""),
            setting.type,
            f"{setting.latency:g}",
            f"{setting.aws_ms:g}",
            f"{setting.image_bytes / 1e6:g}",
            f"{row.jobs_per_second:.2f}",
            f"{row.busy * 100:.1f}",
            f"{row.gap_median_ms:.1f}",
            f"{row.gap_p95_ms:.1f}",
            f"{row.cpu_ms:.1f}",
            f"{row.resident_mb:.0f}",
            f"{row.start:.2f}",
            f"{row.overhead_p50_ms:.0f}",
            f"{row.overhead_p99_ms:.0f}",
        )
    console.print(table)
    for row in rows:
        plain = [one for one in rows if one.setting == replace(row.setting, export=False)]
        if row.setting.export and plain:
            share = row.jobs_per_second / plain[0].jobs_per_second
            console.print(f"jobs of {row.setting.latency:g} s with export: {share:.3f} of the jobs/s without")


def main() -> int:
    """Measure and report; never fails on time."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--long", action="store_true", help="more settings")
    arguments = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 150)
    show(asyncio.run(bench(LONG if arguments.long else SHORT, console)), console)
    show_api(console)
    return 0


if __name__ == "__main__":
    sys.exit(main())
