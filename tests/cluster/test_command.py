"""`make cluster` as its user has it: it comes, works, and goes without a trace."""

import asyncio
import os
import re
import shlex
import signal
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from darkroom_local.cluster.namespace import APART, SETTINGS
from darkroom_local.cluster.programs import run
from darkroom_local.tether import tethered

from .rig import Rig

pytestmark = pytest.mark.asyncio(loop_scope="session")

_ROOT = Path(__file__).parents[2]
_UP_SECONDS = 600
_JOB_SECONDS = 300
_END_SECONDS = 60
_LOOK_SECONDS = 0.2
_LAST = "/v1/jobs/ID"
"""Of what it prints when it is up: how to ask again for the job that it proposes."""


async def test_a_cluster_of_ones_own_leaves_nothing_behind(rig: Rig) -> None:
    """The first job that it proposes makes a pod and is completed; after Ctrl-C all of it is gone."""
    with tempfile.TemporaryDirectory(prefix="darkroom-") as folder:
        before, settings = traces(folder), machine_settings()
        async with command(folder) as (process, said):
            assert (await proposed_job(said))["state"] == "completed"
            (words,) = re.findall(r"^export (.*)$", said, re.MULTILINE)
            pods = await shell(f"export {words}; kubectl --namespace darkroom get pods --output=name")
            assert len(pods.split()) >= 1
            assert await seen_from_outside(folder) == []
            made = traces(folder) - before
            assert made
            os.killpg(process.pid, signal.SIGINT)
            rest = await end_of(process)
        assert "stopped; nothing is left running" in rest
        assert traces(folder) & made == set()
        assert list(Path(folder).iterdir()) == []
        assert machine_settings() == settings


async def test_what_a_kill_leaves_goes_at_the_next_start(rig: Rig) -> None:
    """Everything that ran ends with the command that is killed; its files go when the next one starts.

    That one is ended by `make cluster-down`.
    """
    with tempfile.TemporaryDirectory(prefix="darkroom-") as folder:
        before = traces(folder)
        async with command(folder) as (process, _):
            (left,) = Path(folder).glob("darkroom-up-*")
            made = traces(folder) - before
            assert running(folder)
            os.killpg(process.pid, signal.SIGKILL)
            await end_of(process)
        end = time.monotonic() + _END_SECONDS
        while rest := running(folder) | (links() & made):
            assert time.monotonic() < end, rest
            await asyncio.sleep(_LOOK_SECONDS)
        assert left.exists()
        async with command(folder) as (process, _):
            assert not left.exists()
            made |= traces(folder) - before
            assert "has ended" in await shell(f"cd {_ROOT} && TMPDIR={folder} make cluster-down")
            await end_of(process)
        assert traces(folder) & made == set()
        assert list(Path(folder).iterdir()) == []


@asynccontextmanager
async def command(folder: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """`make cluster`, once it is up, and what it said until then. Its lock and its files are below the folder."""
    process = await asyncio.create_subprocess_exec(
        *tethered("make", "--no-print-directory", "cluster"),
        cwd=_ROOT,
        env={**os.environ, "TMPDIR": folder},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    assert process.stdout is not None
    said = ""
    try:
        async with asyncio.timeout(_UP_SECONDS):
            while _LAST not in said:
                line = (await process.stdout.readline()).decode()
                assert line, f"it ended: {said[-3000:]}"
                said += line
        yield process, said
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGTERM)
            await end_of(process)


async def proposed_job(said: str) -> dict[str, Any]:
    """The job that it proposes, sent as its curl would send it, and asked for again until it has ended."""
    (line,) = re.findall(r"^curl .*?}}'$", said, re.MULTILINE | re.DOTALL)
    options = list(pairwise(shlex.split(line.replace("\\\n", ""))))
    headers = dict(value.split(": ", 1) for option, value in options if option == "-H")
    (body,) = (value for option, value in options if option == "-d")
    (url,) = (value for _, value in options if value.startswith("http"))
    async with asyncio.timeout(_JOB_SECONDS), aiohttp.ClientSession() as session:
        async with session.post(url, data=body, headers=headers) as answer:
            assert answer.ok, await answer.text()
            job: dict[str, Any] = await answer.json()
        while job["state"] in ("queued", "running"):
            async with session.get(f"{url}/{job['id']}?wait=25") as answer:
                job = await answer.json()
    return job


async def end_of(process: asyncio.subprocess.Process) -> str:
    """What it says until its end."""
    rest, _ = await process.communicate()
    return rest.decode()


async def shell(line: str) -> str:
    """What a line of shell prints."""
    process = await asyncio.create_subprocess_shell(line, stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate()
    assert process.returncode == 0, line
    return out.decode()


async def seen_from_outside(folder: str) -> list[Path]:
    """What its containers have on file systems of this machine, outside of its folder."""
    (socket,) = Path(folder).glob("*/real/containerd.sock")
    containers = (
        await run("ctr", f"--address={socket}", "--namespace=k8s.io", "containers", "list", "--quiet")
    ).split()
    assert containers
    return [path for root in APART for path in Path(root).rglob("*") if any(one in path.name for one in containers)]


def machine_settings() -> dict[str, str]:
    """Settings of the kernel that a kubelet would change for all."""
    files = {name: Path("/proc/sys", name) for name in SETTINGS}
    return {name: file.read_text() for name, file in files.items() if file.exists()}


def traces(folder: str) -> set[str]:
    """Links, control groups, mounts and processes of clusters whose files are below the folder."""
    groups = [str(path) for path in Path("/sys/fs/cgroup").glob("**/darkroom*") if path.is_dir()]
    return {*links(), *groups, *running(folder)}


def links() -> set[str]:
    """Network links of all clusters."""
    return {path.name for path in Path("/sys/class/net").glob("darkroom*")}


def running(folder: str) -> set[str]:
    """Mounts and processes of clusters whose files are below the folder."""
    mounts = [line for line in Path("/proc/self/mounts").read_text().splitlines() if folder in line]
    return {*mounts, *processes(folder)}


def processes(folder: str) -> list[str]:
    """Command lines that name the folder."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = file.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if folder in words:
            found.append(words)
    return found
