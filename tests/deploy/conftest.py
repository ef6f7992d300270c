"""One cluster, one account and one emulator for the session; a folder and a command line for each test."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio
from scripts.go_tools import ToolUnavailable, program

from darkroom_deploy.installation import ROOT
from darkroom_local.cluster.control_plane import ControlPlane, control_plane
from darkroom_local.emulator import Emulator, EmulatorUnavailable, emulator_process
from tests.charts.conftest import unavailable
from tests.charts.platform.chart import assemble

from .account import Account, account
from .controllers import Controllers, controllers

_MAIN = Path(__file__).parent / "installation" / "main.tf"
_PROGRAMS = Path(__file__).parent / "programs.py"


@dataclass
class Run:
    """How a command ended, and what it said."""

    status: int
    said: str
    output: str


@dataclass
class Rig:
    """An installation's folder, and all that its deployment talks to."""

    folder: Path
    account: Account
    cluster: ControlPlane
    controllers: Controllers
    environ: dict[str, str]
    calls: Path
    broken: Path
    running: list["subprocess.Popen[str]"] = field(default_factory=list)

    def begin(self, *arguments: str) -> "subprocess.Popen[str]":
        """Start a command, and wait for nothing."""
        process = subprocess.Popen(
            [sys.executable, "-m", "darkroom_deploy", *arguments, "--folder", str(self.folder)],
            cwd=ROOT,
            env=self.environ | self.account.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.running.append(process)
        return process

    def deploy(self, *arguments: str, status: int = 0) -> Run:
        """Run a command to its end, which must be this status."""
        process = self.begin(*arguments)
        output, said = process.communicate()
        assert process.returncode == status, output + said
        return Run(process.returncode, said, output)

    def stop(self, process: "subprocess.Popen[str]") -> str:
        """Send it SIGINT, as Ctrl-C does; what it said. Its status must say so."""
        process.send_signal(signal.SIGINT)
        output, said = process.communicate()
        assert process.returncode == 130, output + said
        return said

    def called(self, *words: str) -> list[list[str]]:
        """Calls of docker and aws that begin with these words."""
        calls = [json.loads(line) for line in self.calls.read_text().splitlines()] if self.calls.exists() else []
        return [call for call in calls if call[: len(words)] == list(words)]

    async def revision(self, release: str, namespace: str) -> int:
        """A release's revision, as Helm keeps it."""
        selector = f"owner=helm,name={release}"
        found = await self.cluster.kubectl("get", "secrets", "-n", namespace, "-l", selector, "-o", "name")
        return max((int(name.rpartition(".v")[2]) for name in found.split()), default=0)


@pytest.fixture(scope="session")
def emulator() -> Iterator[Emulator]:
    """S3 and who asks."""
    try:
        with emulator_process(("s3", "sts"), plain_queue_urls=True) as aws:
            yield aws
    except EmulatorUnavailable as reason:
        unavailable(reason)


@pytest.fixture(scope="session")
def charts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The charts, with the platform's dependencies as they would be fetched."""
    folder = tmp_path_factory.mktemp("charts")
    try:
        assemble(folder)
    except ToolUnavailable as reason:
        unavailable(reason)
    shutil.copytree(ROOT / "charts" / "runtime", folder / "runtime")
    return folder


@pytest_asyncio.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[ControlPlane]:
    """A new cluster, of an API server alone."""
    (tmp_path / "cluster").mkdir()
    try:
        async with control_plane(tmp_path / "cluster") as plane:
            yield plane
    except ToolUnavailable as reason:
        unavailable(reason)


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder for PATH: Helm and kubectl, and what plays docker and aws."""
    folder = tmp_path / "bin"
    folder.mkdir()
    try:
        for name in ("helm", "kubectl"):
            (folder / name).symlink_to(program(name))
    except ToolUnavailable as reason:
        unavailable(reason)
    for name in ("docker", "aws"):
        script = folder / name
        script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -I -S "{_PROGRAMS}" {name} "$@"\n')
        script.chmod(0o755)
    return folder


@pytest.fixture
def rig(tmp_path: Path, emulator: Emulator, charts: Path, cluster: ControlPlane, programs: Path) -> Iterator[Rig]:
    """An installation that was begun, and nothing else."""
    folder = tmp_path / "installation"
    folder.mkdir()
    modules = os.path.relpath(ROOT / "terraform" / "modules", folder)
    (folder / "main.tf").write_text(_MAIN.read_text().replace("MODULES", modules))
    calls, broken = tmp_path / "calls.jsonl", tmp_path / "broken"
    with account() as held, controllers(cluster.kubeconfig) as running:
        environ = {
            **os.environ,
            **emulator.environment,
            "AWS_REGION": emulator.environment["AWS_DEFAULT_REGION"],
            "PATH": f"{programs}:{os.environ['PATH']}",
            "NO_PROXY": "127.0.0.1,localhost",
            "DARKROOM_CHARTS": str(charts),
            "DEPLOY_ACCOUNT": held.url,
            "DEPLOY_CLUSTER": str(cluster.kubeconfig),
            "DEPLOY_CALLS": str(calls),
            "DEPLOY_BROKEN": str(broken),
        }
        made = Rig(folder, held, cluster, running, environ, calls, broken)
        yield made
        for process in made.running:
            if process.poll() is None:
                process.kill()
                process.wait()


type Model = Callable[[Path], str]


@pytest.fixture
def model() -> Model:
    """Write a small model; its digest."""

    def write(path: Path) -> str:
        header = b'{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}'
        data = len(header).to_bytes(8, "little") + header + b"\0\1\2\3"
        path.write_bytes(data)
        return hashlib.sha256(data).hexdigest()

    return write
