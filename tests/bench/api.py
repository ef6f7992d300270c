"""How soon the jobs Lambda is there and how much time of its own a request takes."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table
from scripts.lambda_zip import ARM64, build

from darkroom_agent.logs import start_logs
from darkroom_api.jobs import answer
from tests.unit.api_world import ApiWorld, api_world

_IMPORT = "import time; t = time.perf_counter(); import darkroom_api.jobs; print(time.perf_counter() - t)"
_STARTS = 7
_REQUESTS = 200


@dataclass(frozen=True, slots=True)
class Took:
    """Milliseconds of something: the median and the 95th percentile."""

    what: str
    median: float
    p95: float


def cold_import() -> Took:
    """Import the handler from its package, in a fresh process each time."""
    platform = "x86_64-manylinux_2_28" if os.uname().machine == "x86_64" else ARM64
    with tempfile.TemporaryDirectory() as folder:
        build(Path(folder) / "lambda.zip", platform)
        zipfile.ZipFile(Path(folder) / "lambda.zip").extractall(folder)
        seconds = [
            float(
                subprocess.run(
                    [sys.executable, "-S", "-c", _IMPORT],
                    env={"PYTHONPATH": folder},
                    capture_output=True,
                    text=True,
                    check=True,
                ).stdout
            )
            for _ in range(_STARTS)
        ]
    return _took("cold import", seconds)


def warm_requests() -> list[Took]:
    """CPU of this thread for each kind of request: waiting for AWS is not the handler's own time."""
    with api_world() as api:
        first = api.submit(id="first")
        assert first.status == 202
        job = {"runtime": "webui", "task": "text-to-image", "input": {"prompt": "a lake"}}
        return [
            _measure(api, "submit a job", "POST", "/v1/jobs", json.dumps(job)),
            _measure(api, "look at a job", "GET", "/v1/jobs/first", None),
            _measure(api, "refuse a job", "POST", "/v1/jobs", "{}"),
        ]


def _measure(api: ApiWorld, what: str, method: str, path: str, body: str | None) -> Took:
    event = {"path": path, "httpMethod": method, "headers": {"Content-Type": "application/json"}, "body": body}
    seconds = []
    for _ in range(_REQUESTS):
        started = time.thread_time()
        answer(api.door, event)
        seconds.append(time.thread_time() - started)
    return _took(what, seconds[_REQUESTS // 10 :])


def _took(what: str, seconds: list[float]) -> Took:
    return Took(what, statistics.median(seconds) * 1000, statistics.quantiles(seconds, n=20)[-1] * 1000)


def show_api(console: Console) -> None:
    """One table."""
    start_logs("ERROR")
    table = Table("jobs Lambda", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("median ms", justify="right")
    table.add_column("p95 ms", justify="right")
    for row in (cold_import(), *warm_requests()):
        table.add_row(row.what, f"{row.median:.1f}", f"{row.p95:.1f}")
    console.print(table)
