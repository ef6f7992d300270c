"""`darkroom models` as a real process: killed and given again, and against the emulator."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import uuid
from pathlib import Path
from typing import Any

import pytest

from darkroom_cli.aws import s3_client
from darkroom_local.emulator import CREDENTIALS, Emulator
from tests.standin import RunningStandin
from tests.standin.wire import Answer, Call, Subject
from tests.unit.api_world import standin_in_a_thread

HEADER = b'{"__metadata__":{}}'
MODEL = len(HEADER).to_bytes(8, "little") + HEADER + os.urandom(40 * 1024 * 1024)  # three parts of 16 MiB or less
DIGEST = hashlib.sha256(MODEL).hexdigest()
KEY = "checkpoints/a.safetensors"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "a.safetensors").write_bytes(MODEL)
    return tmp_path / "a.safetensors"


def command(url: str, bucket: str, *arguments: str) -> "subprocess.Popen[str]":
    """`darkroom models …`, begun."""
    environ = {**os.environ, **CREDENTIALS, "AWS_ENDPOINT_URL": url, "DARKROOM_MODELS_BUCKET": bucket}
    return subprocess.Popen(
        [sys.executable, "-m", "darkroom_cli.main", "models", *arguments],
        env={**environ, "DARKROOM_CONFIG": os.devnull},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: "subprocess.Popen[str]") -> tuple[str, str]:
    """Its stdout and stderr, if all went well."""
    told, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    return told, errors


def hold_the_last_part(aws: RunningStandin) -> tuple[threading.Event, threading.Event]:
    """Let two parts through, and no third (503: it is tried again). The events: two are stored; let it through."""
    two, free = threading.Event(), threading.Event()
    answer, stored = aws.inner.s3.answer, list[int]()

    async def held(call: Call, subject: Subject, *, twice: bool) -> Answer:
        if subject.operation == "UploadPart":
            number = int(call.query["partNumber"])
            if number == 3 and not free.is_set():
                return Answer(503)
            given = await answer(call, subject, twice=twice)
            stored.append(number)
            if len(stored) == 2:
                two.set()
            return given
        return await answer(call, subject, twice=twice)

    aws.inner.s3.answer = held  # type: ignore[method-assign]
    return two, free


def test_a_killed_upload_goes_on_where_it_was(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SIGKILL with two of three parts stored: the same command, in another process, sends the third alone."""
    with standin_in_a_thread() as aws:
        for name, value in {**CREDENTIALS, "AWS_ENDPOINT_URL": aws.url}.items():
            monkeypatch.setenv(name, value)
        s3_client(None).create_bucket(Bucket="models")
        two, free = hold_the_last_part(aws)
        first = command(aws.url, "models", "add", str(file), "--as", KEY)
        try:
            assert two.wait(60)
        finally:
            first.send_signal(signal.SIGKILL)
            first.communicate()
        assert aws.inner.s3.buckets["models"].objects == {}
        free.set()
        told, errors = ended(command(aws.url, "models", "add", str(file), "--as", KEY, "--json"))
        assert json.loads(told)["sha256"] == DIGEST
        assert "2 of 3 parts were there already" in errors
        assert aws.inner.s3.buckets["models"].objects[KEY].data == MODEL
        assert aws.inner.s3.buckets["models"].uploads == {}


def test_a_model_against_the_emulator(file: Path, emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put, taken up after another's begin, listed with its digest, removed."""
    for name, value in {**CREDENTIALS, "AWS_ENDPOINT_URL": emulator.url}.items():
        monkeypatch.setenv(name, value)
    bucket, s3 = f"models-{uuid.uuid4().hex[:8]}", s3_client(None)
    s3.create_bucket(Bucket=bucket)
    begun: Any = {"Bucket": bucket, "Key": KEY}
    begun["UploadId"] = s3.create_multipart_upload(**begun, ChecksumAlgorithm="SHA256")["UploadId"]
    ended(command(emulator.url, bucket, "add", str(file), "--as", "checkpoints/"))
    head = s3.head_object(Bucket=bucket, Key=KEY)
    assert (head["ContentLength"], head["Metadata"]) == (len(MODEL), {"sha256": DIGEST})
    assert not s3.list_multipart_uploads(Bucket=bucket).get("Uploads")
    told, _ = ended(command(emulator.url, bucket, "list", "--json"))
    assert [(one["key"], one["sha256"]) for one in map(json.loads, told.splitlines())] == [(KEY, DIGEST)]
    ended(command(emulator.url, bucket, "remove", KEY, "--yes"))
    assert ended(command(emulator.url, bucket, "list", "--json"))[0] == ""
