"""`darkroom`, the installed program, against `make local`: the whole flow, with the configuration that it writes."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from darkroom_cli.aws import client
from darkroom_cli.config import Config, read_config
from darkroom_contract.job import Job, Task

ROOT = Path(__file__).parents[2]
DARKROOM = ROOT / ".venv" / "bin" / "darkroom"


@dataclass(frozen=True)
class Local:
    """The flow that is up, by what it printed: variables for AWS and the command line."""

    environ: dict[str, str]
    config: Config

    def start(self, *arguments: str, folder: Path, stdin: int | None = None) -> "subprocess.Popen[str]":
        """Begin a command in a folder."""
        return subprocess.Popen(
            [DARKROOM, *arguments],
            cwd=folder,
            env=self.environ,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, folder: Path, status: int = 0, stdin: str | None = None) -> list[dict[str, Any]]:
        """Run a command with --json; what it told."""
        process = self.start(*arguments, "--json", folder=folder, stdin=subprocess.PIPE)
        told, said = process.communicate(stdin, timeout=60)
        assert process.returncode == status, f"{told}\n{said}"
        return [json.loads(line) for line in told.splitlines()]


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Local]:
    """`python -m darkroom_local up`, ended by SIGTERM."""
    process = subprocess.Popen(
        [sys.executable, "-m", "darkroom_local", "up", "--latency", "0.3"],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path_factory.mktemp("local"))},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    try:
        printed = ""
        for line in process.stdout:
            printed += line
            if line.startswith("DARKROOM_CONFIG="):
                break
        else:
            if "no emulated AWS" in printed and os.environ.get("CI") != "true":
                pytest.skip(printed)
            pytest.fail(printed)
        variables = dict(re.findall(r"\b((?:AWS|DARKROOM)_\w+)=(\S+)", printed))
        yield Local({**os.environ, **variables}, read_config(environ=variables))
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)


def test_from_a_prompt_to_a_file(local: Local, tmp_path: Path) -> None:
    """A named workflow is submitted, followed, and its pictures are saved; its picture starts another job."""
    (made,) = local.run(
        "submit", "--workflow", "portrait", "--prompt", "an old sailor", "--save", "out", folder=tmp_path
    )
    (file,) = (tmp_path / "out" / made["id"]).iterdir()
    assert (made["state"], file.suffix) == ("completed", ".png")
    arguments = ("--workflow", "restyle", "--param", "prompt=in oil", "--image", str(file))
    (again,) = local.run("submit", *arguments, "--wait", folder=tmp_path)
    assert (again["state"], len(again["artifacts"])) == ("completed", 1)
    assert [one["id"] for one in local.run("list", "--limit", "2", folder=tmp_path)] == [again["id"], made["id"]]


def test_a_hundred_at_once(local: Local, tmp_path: Path) -> None:
    """From a stream, each with its id in turn, as bulk."""
    line = {"runtime": "sd-webui", "task": "text-to-image", "input": {"prompt": "x", "width": 64, "height": 64}}
    stream = "\n".join(json.dumps({**line, "id": f"many-{n}"}) for n in range(100))
    sent = local.run("submit", "-", "--priority", "bulk", folder=tmp_path, stdin=stream)
    assert [one["id"] for one in sent] == [f"many-{n}" for n in range(100)]
    cancelled = local.run("cancel", *(f"many-{n}" for n in range(90, 100)), folder=tmp_path)
    assert {one["state"] for one in cancelled} == {"cancelled"}


def test_a_dead_letter_is_sent_again(local: Local, tmp_path: Path) -> None:
    """Its job runs under its new id, as any other."""
    body = {"prompt": "x", "init_images": ["http://127.0.0.1/none.png"]}
    request = {"id": "dead", "runtime": "sd-webui", "task": "image-to-image", "input": body}
    local.run("submit", "-", "--wait", folder=tmp_path, status=1, stdin=json.dumps(request))
    job = Job(id="dead", runtime="sd-webui", task=Task.IMAGE_TO_IMAGE, input=body)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in local.environ.items():
            patch.setenv(name, value)
        sqs = client("sqs", local.config.region)
        url = f"{local.config.queue_url_prefix}sd-webui-dlq"
        sqs.send_message(QueueUrl=url, MessageBody=msgspec.json.encode(job).decode())
    assert "dead letters sd-webui" in _names(local.run("doctor", folder=tmp_path), "warning")
    filters = ("--error-code", "input_unavailable", "--since", "1h")
    (told,) = local.run("redrive", "sd-webui", *filters, folder=tmp_path)
    assert (told["outcome"], told["new_id"]) == ("sent again", "dead.r1")
    (again,) = local.run("watch", "dead.r1", folder=tmp_path, status=1)
    assert again["error"]["code"] == "input_unavailable"
    found = local.run("doctor", folder=tmp_path)
    assert _names(found, "fine") >= {"dead letters sd-webui", "jobs topic", "output bucket", "models bucket", "key"}
    assert _names(found, "wrong") == _names(found, "skipped") == set()


def _names(findings: list[dict[str, Any]], verdict: str) -> set[str]:
    return {one["name"] for one in findings if one["verdict"] == verdict}


def test_ctrl_c_leaves_the_job_alone(local: Local, tmp_path: Path) -> None:
    """Who stops watching does not stop the job; no trace of the program's inside is shown."""
    line = {"workflow": "landscape", "params": {"prompt": "a lake"}}
    stream = "\n".join(json.dumps({**line, "id": f"slow-{n}"}) for n in range(60))
    local.run("submit", "-", folder=tmp_path, stdin=stream)
    # A shell that runs us in the background has SIGINT ignored, and a child would inherit that.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = local.start("watch", "slow-59", folder=tmp_path)
    signal.signal(signal.SIGINT, before)
    _until_asked(local, "/v1/jobs/slow-59")
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert (process.returncode, "Traceback" in said) == (130, False)
    (job,) = local.run("get", "slow-59", folder=tmp_path)
    assert job["state"] != "cancelled"


def _until_asked(local: Local, path: str) -> None:
    """Wait until the API was asked for a path. Its log tells, and a file tells nobody when it grows, so it is read."""
    log = local.config.file.parent / "api.log"
    end = time.monotonic() + 20
    while f'"path":"{path}"' not in log.read_text():
        assert time.monotonic() < end
        time.sleep(0.05)
