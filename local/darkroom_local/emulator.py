"""Emulated AWS: LocalStack 4.14.0 (the last version that needs no account) in host mode, on a free port of loopback.

It lives as long as the context that started it, and never longer than this process. What it writes goes with it.
"""

import contextlib
import os
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .emulator_environment import EmulatorUnavailable, environment_python
from .tether import tethered

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}
_START_SECONDS = 90.0


@dataclass(frozen=True, slots=True)
class Emulator:
    """A running emulator: where it listens, its process, and the file that its output goes to."""

    url: str
    pid: int
    log: Path

    @property
    def environment(self) -> dict[str, str]:
        """What an AWS client needs to talk to it: endpoint, region and credentials."""
        return {**CREDENTIALS, "AWS_ENDPOINT_URL": self.url}


@contextmanager
def emulator_process(
    services: Sequence[str] = ("sqs", "sns", "s3", "ssm", "sts"),
    *,
    plain_queue_urls: bool = False,
    host: str = "127.0.0.1",
    below: Path | None = None,
) -> Iterator[Emulator]:
    """Run one. Start it from the main thread: it ends with the thread that started it.

    Queue URLs follow the caller's host; plain ones are `http://<host>:<port>/<account>/<name>`, as AWS's paths are and
    as Terraform and KEDA expect them. `host` is the address to listen on: loopback, or a network of this machine's own.
    Its files are temporary, in the usual place or `below` a folder.

    Raises:
        EmulatorUnavailable: it cannot be had or does not start.
    """
    python = environment_python()
    with tempfile.TemporaryDirectory(prefix="darkroom-emulator-", dir=below, ignore_cleanup_errors=True) as folder:
        log, at = Path(folder) / "emulator.log", f"{host}:{free_port()}"
        with log.open("wb") as output:
            process = subprocess.Popen(  # noqa: S603 (our own command line)
                tethered(python, "-m", "localstack.runtime.main"),
                env={**_environment(folder, at, services), **(_plain(at) if plain_queue_urls else {})},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                process_group=0,  # Ctrl-C is ours to pass on
            )
        running = Emulator(f"http://{at}", process.pid, log)
        try:
            _until_healthy(running, process)
            yield running
        finally:
            _stop(process)


def _environment(folder: str, at: str, services: Sequence[str]) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": folder,  # a plugin cache of another version in ~/.cache would make it find nothing
        "TMPDIR": folder,
        "OVERRIDE_IN_DOCKER": "0",  # inside a container it would write to /var/lib, not into its environment
        "GATEWAY_LISTEN": at,
        "SERVICES": ",".join(services),
        "EAGER_SERVICE_LOADING": "0",
        "SQS_ENDPOINT_STRATEGY": "dynamic",  # queue URLs follow the caller's host
        "SQS_DISABLE_CLOUDWATCH_METRICS": "1",
        # It must talk to nobody: no certificate, no usage events, no DNS server.
        "SKIP_SSL_CERT_DOWNLOAD": "1",
        "DISABLE_EVENTS": "1",
        "DNS_ADDRESS": "0",
        **CREDENTIALS,
    }


def _plain(at: str) -> dict[str, str]:
    return {"SQS_ENDPOINT_STRATEGY": "off", "LOCALSTACK_HOST": at}


def _until_healthy(running: Emulator, process: "subprocess.Popen[bytes]") -> None:
    """Ask until it answers: it tells nobody when it is ready."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # whatever proxy the user has
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until:
        if process.poll() is not None:
            said = running.log.read_text(errors="replace").splitlines()[-10:]
            raise EmulatorUnavailable("\n".join([f"LocalStack ended with status {process.returncode}:", *said]))
        with contextlib.suppress(OSError), direct.open(f"{running.url}/_localstack/health", timeout=5):
            return
        time.sleep(0.1)
    raise EmulatorUnavailable(f"LocalStack was not healthy within {_START_SECONDS:g} s")


def _stop(process: "subprocess.Popen[bytes]") -> None:
    """End the whole group at once: nothing in it is worth the 3 s of its own way to end."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


__all__ = ["CREDENTIALS", "Emulator", "EmulatorUnavailable", "emulator_process", "free_port"]
