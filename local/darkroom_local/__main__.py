"""`python -m darkroom_local up` and `… demo`: the whole flow on one machine, without Docker."""

import argparse
import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from .cli_config import write_cli_config
from .demo import demo
from .emulator import EmulatorUnavailable
from .flow import Flow, flow


def main() -> int:
    """Do what is asked; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m darkroom_local", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    showing = commands.add_parser("demo", help="send one job of each kind and show what becomes of it")
    showing.add_argument("--out", type=Path, default=Path("out"), help="folder for images and job documents")
    keeping = commands.add_parser("up", help="keep the flow running until Ctrl-C")
    keeping.add_argument("--latency", type=float, default=2.0, help="seconds that a job takes on the simulated GPU")
    arguments = parser.parse_args()
    console = Console(highlight=False)
    _keep_to_this_machine()
    try:
        if arguments.command == "demo":
            return asyncio.run(_until_signal(demo(arguments.out, console)))
        return asyncio.run(_until_signal(_up(arguments.latency, console)))
    except EmulatorUnavailable as error:
        console.print(f"[red]there is no emulated AWS to be had here:[/] {error}")
        return 1
    except (KeyboardInterrupt, asyncio.CancelledError):
        console.print("stopped; nothing is left running")
        return 130


def _keep_to_this_machine() -> None:
    """Let neither the user's AWS profile nor a proxy come between us, our children and loopback."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    direct = [os.environ.get("no_proxy") or os.environ.get("NO_PROXY"), "127.0.0.1"]
    os.environ["no_proxy"] = os.environ["NO_PROXY"] = ",".join(filter(None, direct))


async def _until_signal(work: Coroutine[Any, Any, int]) -> int:
    """Run work; SIGTERM ends it as Ctrl-C does, with everything cleaned up.

    SIGINT is named, for a shell that starts us in the background has it ignored, and asyncio would leave it so.
    """
    task = asyncio.get_running_loop().create_task(work)
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    return await task


async def _up(latency: float, console: Console) -> int:
    # A folder of its own, for another flow may be up; it stays, for logs are read when something went wrong.
    folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="darkroom-"))
    # Short polls: an agent ends its poll before it leaves, and Ctrl-C should not take 5 s.
    async with flow(folder, latency, console.print, WAIT_SECONDS="1") as running:
        _tell(running, console)
        await asyncio.Event().wait()
    return 0


def _tell(running: Flow, console: Console) -> None:
    table = Table(title="Darkroom is up (Ctrl-C ends it)", title_justify="left", show_header=False)
    table.add_row("playground", f"{running.api_url}/")
    table.add_row("jobs API", f"{running.api_url}/v1/jobs")
    table.add_row("AWS endpoint", running.emulator.url)
    table.add_row("jobs topic", running.topology.jobs_arn)
    table.add_row("results topic", running.topology.results_arn)
    table.add_row("bucket", running.topology.bucket)
    for name, url in running.runtimes.items():
        table.add_row(f"runtime {name}", f"{url}\n{running.topology.of(name).queue_url}")
    table.add_row("webhook receiver", f"{running.webhook_url}\nits secret: {running.topology.webhooks.secret}")
    table.add_row("logs", str(running.logs))
    console.print(table)
    console.print("A first job:", style="bold")
    console.print(
        f"curl -H 'Content-Type: application/json' -H 'Prefer: wait=20' {running.api_url}/v1/jobs \\\n"
        """  -d '{"workflow": "portrait", "params": {"prompt": "an old sailor"}}'""",
        soft_wrap=True,
    )
    variables = " ".join(f"{name}={value}" for name, value in running.emulator.environment.items())
    console.print("AWS's own tools find everything with these variables:", style="bold")
    console.print(variables, soft_wrap=True)
    console.print("The command line with these, too (`darkroom --help`):", style="bold")
    console.print(f"DARKROOM_CONFIG={write_cli_config(running)}", soft_wrap=True)


if __name__ == "__main__":
    sys.exit(main())
