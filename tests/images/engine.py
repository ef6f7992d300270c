"""A container engine: the machine's own if there is one, else one of ours that lives as long as the session.

Ours is Debian's engine, run from the cache as root, with its own data there: what it built is there the next time.
One process at a time has it.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from darkroom_local.cache import alone, cache_folder
from darkroom_local.tether import tethered
from tests.images.packages import run, unpacked
from tests.images.unavailable import Unavailable

CACHE = cache_folder()
_PACKAGES = (
    *("docker.io", "containerd", "runc", "tini", "debootstrap"),
    *("iptables", "libip6tc2", "libnfnetlink0", "libnetfilter-conntrack3", "libnftnl11"),
)
_START_SECONDS = 60.0
_STOP_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Engine:
    """How to call an engine: its client, and the environment that leads to it."""

    client: str
    environ: dict[str, str]
    ours: bool
    """Whether it is ours: then no image can be pulled, and base images are stand-ins."""

    def __call__(self, *arguments: str, stdin: bytes | None = None) -> str:
        """Run the client; what it printed.

        Raises:
            subprocess.CalledProcessError: with what it said, as a note.
        """
        command = [self.client, *arguments]
        done = subprocess.run(command, env=self.environ, input=stdin, capture_output=True, check=False)
        if done.returncode:
            failure = subprocess.CalledProcessError(done.returncode, command, done.stdout, done.stderr)
            failure.add_note((done.stdout + done.stderr).decode(errors="replace")[-4000:])
            raise failure
        return done.stdout.decode().strip()


@contextmanager
def engine() -> Iterator[Engine]:
    """An engine for as long as the context lasts. Enter it from the main thread: ours ends with the thread that forked.

    Raises:
        Unavailable: there is none, and ours cannot run here.
    """
    if client := _running():
        yield Engine(client, {**os.environ, "DOCKER_BUILDKIT": "1"}, ours=False)
        return
    if sys.platform != "linux" or os.geteuid() != 0:
        raise Unavailable(
            "no container engine answers here; start Docker (or be root on Debian, to run one from the cache)"
        )
    with ExitStack() as stack:
        stack.enter_context(alone(CACHE / "engine.lock"))
        root = unpacked(CACHE / "engine", _PACKAGES)
        environ = _environment(root)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="darkroom-engine-")))
        stack.enter_context(_daemon(root, folder, environ))
        yield Engine(str(root / "usr/bin/docker"), {**environ, "DOCKER_HOST": f"unix://{folder}/socket"}, ours=True)


def _running() -> str | None:
    """The client on PATH, if an engine answers it."""
    client = shutil.which("docker")
    if client is None:
        return None
    done = subprocess.run([client, "version"], capture_output=True, check=False)
    return client if done.returncode == 0 else None


def _environment(root: Path) -> dict[str, str]:
    libraries = next((root / "usr/lib").glob("*-linux-gnu"))
    programs = root / "programs"
    programs.mkdir(exist_ok=True)
    for name in ("iptables", "ip6tables"):  # Debian links these when the package is installed
        link = programs / name
        if not link.is_symlink():
            link.symlink_to(root / "usr/sbin/xtables-nft-multi")
    return {
        **os.environ,
        "PATH": f"{programs}:{root}/usr/bin:{root}/usr/sbin:{os.environ['PATH']}",
        "LD_LIBRARY_PATH": str(libraries),
        "XTABLES_LIBDIR": str(libraries / "xtables"),
        "DOCKER_BUILDKIT": "1",
        "DOCKER_CONFIG": str(root / "config"),  # no plug-ins and no credentials of the user's
    }


@contextmanager
def _daemon(root: Path, folder: Path, environ: dict[str, str]) -> Iterator[None]:
    log = folder / "log"
    command: list[str | Path] = [
        root / "usr/sbin/dockerd", "--host", f"unix://{folder}/socket", "--pidfile", folder / "pid",
        "--data-root", CACHE / "engine-data", "--exec-root", CACHE / "engine-run",
        "--config-file", folder / "none.json",
    ]  # fmt: skip
    (folder / "none.json").write_text("{}")
    with log.open("wb") as output:
        process = subprocess.Popen(
            tethered(*command), env=environ, stdin=subprocess.DEVNULL, stdout=output, stderr=output, process_group=0
        )
    try:
        _until_it_answers(process, root, folder, environ)
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if shutil.which("ip"):
            subprocess.run(["ip", "link", "delete", "docker0"], capture_output=True, check=False)
        _unmount()


def _unmount() -> None:
    """Take away what the engine leaves mounted: the network namespace of containers on the host's network."""
    mounted = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    for place in mounted:
        if place.startswith((f"{CACHE}/engine-run/", f"{CACHE}/engine-data/")):
            subprocess.run(["umount", "--lazy", place], capture_output=True, check=False)


def _until_it_answers(process: subprocess.Popen[bytes], root: Path, folder: Path, environ: dict[str, str]) -> None:
    """Ask until it answers: it tells nobody when it is ready."""
    until = time.monotonic() + _START_SECONDS
    question = [str(root / "usr/bin/docker"), "--host", f"unix://{folder}/socket", "version"]
    while time.monotonic() < until and process.poll() is None:
        if subprocess.run(question, env=environ, capture_output=True, check=False).returncode == 0:
            return
        time.sleep(0.1)
    last = "\n".join((folder / "log").read_text(errors="replace").splitlines()[-5:])
    raise Unavailable(f"the engine does not start here:\n{last}")


__all__ = ["CACHE", "Engine", "engine", "run"]
