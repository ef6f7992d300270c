"""`python -m tests.faults --jobs 200 --kills 60 --seed 1`: kill, stop and restart while jobs flow; then count."""

import argparse
import asyncio
import sys

from rich import box
from rich.console import Console
from rich.table import Table

from .campaign import Outcome, campaign


def show(outcome: Outcome, console: Console) -> None:
    """One table."""
    report = outcome.report
    rows = {
        "jobs by final state": ", ".join(f"{count} {state}" for state, count in sorted(report.states.items())),
        "attempt that ended them": ", ".join(f"{count} × {attempt}" for attempt, count in report.attempts.items()),
        "notifications": str(report.notifications),
        "artifacts": str(report.artifacts),
        "in dead-letter queues": str(report.dead),
        "done to processes": ", ".join(f"{count} × {what}" for what, count in sorted(outcome.done.items())),
        "done to AWS calls": ", ".join(f"{count} × {what}" for what, count in sorted(outcome.struck.items())),
        "kills": str(outcome.kills),
        "seconds": f"{outcome.seconds:.0f}",
    }
    table = Table(box=box.SIMPLE_HEAD, show_header=False, pad_edge=False)
    for name, value in rows.items():
        table.add_row(name, value)
    console.print(table)


def main() -> int:
    """Run a campaign; 1 if anything was lost or contradicts itself."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--jobs", type=int, default=200, help="jobs to send")
    parser.add_argument("--kills", type=int, help="SIGKILLs to send (default: 0.4 a job, at least 60)")
    parser.add_argument("--seed", type=int, default=1, help="decides jobs, kills and failing calls")
    options = parser.parse_args()
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 120)
    kills = options.kills if options.kills is not None else max(60, options.jobs * 2 // 5)
    outcome = asyncio.run(campaign(options.jobs, kills, options.seed, console))
    show(outcome, console)
    violations = outcome.report.violations
    for violation in violations:
        console.print(f"[red]{violation}", markup=True, soft_wrap=True)
    if violations:
        console.print(
            f"{len(violations)} violations with seed {options.seed}; logs are in {outcome.logs}", soft_wrap=True
        )
        return 1
    console.print("[green]0 lost, 0 contradictions")
    return 0


if __name__ == "__main__":
    sys.exit(main())
