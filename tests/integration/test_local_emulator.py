"""The emulator of AWS: it serves, and nothing of it stays behind."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from darkroom_local import emulator_environment
from darkroom_local.emulator import Emulator, EmulatorUnavailable, emulator_process
from darkroom_local.topology import aws_client


def alive(pid: int) -> bool:
    """Whether a process runs (a zombie does not)."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


async def ended(pid: int, seconds: float = 30) -> None:
    """Return when a process that is not our child has ended."""
    with os.fdopen(os.pidfd_open(pid)) as handle:
        done = asyncio.Event()
        asyncio.get_running_loop().add_reader(handle, done.set)
        try:
            async with asyncio.timeout(seconds):
                await done.wait()
        finally:
            asyncio.get_running_loop().remove_reader(handle)


async def test_it_serves_sqs_sns_and_s3(emulator: Emulator) -> None:
    """The three services that the flow needs answer at its URL, and a queue's URL leads back to it."""
    async with (
        aws_client("sqs", emulator.url) as sqs,
        aws_client("sns", emulator.url) as sns,
        aws_client("s3", emulator.url) as s3,
    ):
        queue = (await sqs.create_queue(QueueName="serves"))["QueueUrl"]
        assert queue.startswith(emulator.url)
        await sqs.send_message(QueueUrl=queue, MessageBody="hello")
        received = await sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=5)
        assert [message["Body"] for message in received["Messages"]] == ["hello"]
        assert (await sns.create_topic(Name="serves"))["TopicArn"].endswith(":serves")
        await s3.create_bucket(Bucket="serves")
        await s3.put_object(Bucket="serves", Key="a", Body=b"b", IfNoneMatch="*")


def test_nothing_stays_behind() -> None:
    """At the end its process and its folder are gone."""
    with emulator_process() as aws:
        assert alive(aws.pid)
        assert aws.log.exists()
    assert not alive(aws.pid)
    assert not aws.log.parent.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
async def test_it_dies_with_a_killed_parent(emulator: Emulator) -> None:
    """Kill -9 of the program that started it ends it too."""
    program = (
        "from darkroom_local.emulator import emulator_process\n"
        "with emulator_process() as aws:\n"
        "    print(aws.pid, aws.log.parent, flush=True)\n"
        "    input()\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid, folder = (await asyncio.to_thread(parent.stdout.readline)).decode().split(maxsplit=1)
        ending = asyncio.create_task(ended(int(pid)))
        await asyncio.sleep(0)
        parent.send_signal(signal.SIGKILL)
        await ending
    assert not alive(int(pid))
    subprocess.run(["rm", "-r", folder.strip()], check=True)  # nobody was left to do it


def test_it_says_why_it_cannot_be_had(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An environment that cannot be made is told with the failing tool's own words, and made again next time."""
    lock = tmp_path / "localstack.txt"
    lock.write_text("no-such-package-anywhere==\n")
    monkeypatch.setattr(emulator_environment, "_LOCK", lock)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for _ in range(2):
        with pytest.raises(EmulatorUnavailable, match="ended with status"):
            emulator_environment.environment_python()
