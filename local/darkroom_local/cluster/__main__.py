"""`python -m darkroom_local.cluster up --images DIR`: a cluster of your own until Ctrl-C, or until `… down`."""

import argparse
import asyncio
import contextlib
import fcntl
import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from rich.console import Console
from rich.table import Table
from scripts.go_tools import ToolUnavailable, program

from darkroom_contract.api import MAX_WAIT_SECONDS
from darkroom_local.emulator import EmulatorUnavailable
from darkroom_local.flow import RUNTIMES
from darkroom_local.front import front_door
from darkroom_local.tether import tie
from darkroom_local.topology import make_topology

from .folder import cluster_folder
from .programs import ClusterFailed
from .release import Release, runtime_values
from .whole import Cluster, cluster

_NAMESPACE = "darkroom"
_PID = Path(tempfile.gettempdir()) / "darkroom-cluster.pid"


def main() -> int:
    """Do what is asked; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m darkroom_local.cluster", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="run it until Ctrl-C")
    up.add_argument("--images", type=Path, required=True, help="folder with agent.tar and simulator.tar (docker save)")
    commands.add_parser("down", help="end the one that runs")
    options = parser.parse_args()
    console = Console(highlight=False)
    try:
        if options.command == "down":
            return _down(console)
        with _only_one():
            return asyncio.run(_until_signal(options.images, console))
    except (ToolUnavailable, EmulatorUnavailable, ClusterFailed) as error:
        console.print(f"[red]no cluster:[/] {error}")
        return 1
    except (KeyboardInterrupt, asyncio.CancelledError):
        console.print("stopped; nothing is left running")
        return 130


@contextmanager
def _only_one() -> Iterator[None]:
    """Say who we are, for `down`; the lock ends with this process, however it ends."""
    with _ours(os.O_CREAT) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ClusterFailed("one runs already on this machine: `make cluster-down` ends it") from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        try:
            yield
        finally:
            _PID.unlink()


def _ours(flags: int = 0) -> IO[str]:
    """Open the file that says who runs, if it is ours: others may write to /tmp, and root ends whom it names."""
    try:
        number = os.open(_PID, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC | flags, 0o600)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise ClusterFailed(f"{_PID} is not to be opened ({error.strerror}): remove it") from error
    file = os.fdopen(number, "r+")
    if os.fstat(number).st_uid != os.geteuid():
        file.close()
        raise ClusterFailed(f"{_PID} is another user's: remove it")
    return file


def _down(console: Console) -> int:
    with contextlib.suppress(FileNotFoundError), _ours() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            os.kill(int(file.read()), signal.SIGTERM)
            fcntl.flock(file, fcntl.LOCK_SH)  # it holds the lock until everything has ended
            console.print("the cluster has ended")
            return 0
    console.print("no cluster runs")
    return 0


async def _until_signal(images: Path, console: Console) -> int:
    with cluster_folder() as folder:
        task = asyncio.get_running_loop().create_task(_up(folder, images, console))
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
        tie(signal.SIGTERM)  # a `make` that is killed can tell nobody
        return await task


async def _up(folder: Path, images: Path, console: Console) -> int:
    archives = [images / "agent.tar", images / "simulator.tar"]
    async with cluster(folder, archives, console.print) as running:
        topology = await make_topology(running.emulator.url, RUNTIMES)
        async with front_door(topology, running.emulator, folder) as api_url:
            for spec in RUNTIMES:
                console.print(f"installing charts/runtime as {spec.name}")
                values = _here(runtime_values(topology, running.emulator, spec.name))
                await Release(spec.name, _NAMESPACE).install(running.plane, values)
            _tell(running, api_url, console)
            await asyncio.Event().wait()
    return 0


def _here(values: dict[str, Any]) -> dict[str, Any]:
    """Values as they fit one machine: its one node, no models, and simulators, which need little."""
    little = {"resources": {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"memory": "512Mi"}}}
    return {
        **values,
        "runtime": {**values["runtime"], **little},
        "agent": {**values["agent"], **little},
        "models": {"mode": "none"},
        "nodes": {"mode": "any"},
        "jobs": {"maxSeconds": 120},
    }


def _tell(running: Cluster, api_url: str, console: Console) -> None:
    table = Table(title="The cluster is up (Ctrl-C ends it)", title_justify="left", show_header=False)
    table.add_row("playground", f"{api_url}/")
    table.add_row("jobs API", f"{api_url}/v1/jobs")
    table.add_row("AWS endpoint", running.emulator.url)
    table.add_row("files and logs", str(running.plane.folder))
    console.print(table)
    console.print("Kubernetes:", style="bold")
    console.print(
        f"export KUBECONFIG={running.plane.kubeconfig} PATH={program('kubectl').parent}:$PATH", soft_wrap=True
    )
    console.print(f"kubectl --namespace {_NAMESPACE} get scaledobjects,pods --watch", soft_wrap=True)
    console.print("A first job; a pod starts for it:", style="bold")
    console.print(
        f"curl -H 'Content-Type: application/json' -H 'Prefer: wait={MAX_WAIT_SECONDS}' {api_url}/v1/jobs \\\n"
        """  -d '{"workflow": "portrait", "params": {"prompt": "an old sailor"}}'""",
        soft_wrap=True,
    )
    console.print("It waits, but not for long: ask again by the id that it answers with:", style="bold")
    console.print(f"curl '{api_url}/v1/jobs/ID?wait={MAX_WAIT_SECONDS}'", soft_wrap=True)


if __name__ == "__main__":
    sys.exit(main())
