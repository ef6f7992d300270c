"""`make local` and its emulator: they serve, and nothing of them stays behind, however they end."""

import asyncio
import os
import re
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from darkroom_local.emulator import Emulator, emulator_process
from darkroom_local.topology import aws_client, subscribe
from tests.ending import alive, ended


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


def children_of(parent: int) -> set[int]:
    """The processes that one started and that run."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[1]) == parent and fields[0] != "Z":
            found.add(int(stat.parent.name))
    return found


async def first_job(said: str) -> None:
    """Send the job that `up` tells of, and return when its notification has come."""
    url, jobs, results = (re.search(pattern, said)[1] for pattern in _TOLD)  # type: ignore[index]
    async with aws_client("sns", url) as sns, aws_client("sqs", url) as sqs:
        told = (await sqs.create_queue(QueueName="told"))["QueueUrl"]
        answer = await sqs.get_queue_attributes(QueueUrl=told, AttributeNames=["QueueArn"])
        await subscribe(sns, results, answer["Attributes"]["QueueArn"], None)
        for runtime, task in (
            ("sd-webui", "text-to-image"),
            ("sd-comfyui", "pipeline"),
            ("sd-openai", "text-to-image"),
        ):
            message = f'{{"id":"{runtime}","runtime":"{runtime}","task":"{task}","input":{{"prompt":"a lake"}}}}'
            attributes = {"runtime": {"DataType": "String", "StringValue": runtime}}
            await sns.publish(TopicArn=jobs, Message=message, MessageAttributes=attributes)
        heard = 0
        while heard < 3:
            heard += len((await sqs.receive_message(QueueUrl=told, WaitTimeSeconds=20)).get("Messages", ()))


_TOLD = (r"AWS endpoint\W+(http://[\d.:]+)", r"(arn:aws:sns:\S+-jobs)", r"(arn:aws:sns:\S+-results)")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 130), (signal.SIGKILL, -9)])
async def test_the_flow_ends_with_its_parent(
    emulator: Emulator, tmp_path: Path, number: signal.Signals, status: int
) -> None:
    """`make local` runs jobs of all runtimes as it says; ended in any way, it leaves no process."""
    flow = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "darkroom_local", "up", "--latency", "0.1"),
        env={**os.environ, "TMPDIR": str(tmp_path), "COLUMNS": "200"},
        stdout=asyncio.subprocess.PIPE,
    )
    assert flow.stdout is not None
    children: set[int] = set()
    try:
        async with asyncio.timeout(60):
            said = (await flow.stdout.readuntil(b"AWS_ACCESS_KEY_ID")).decode()
            await first_job(said)
            children = children_of(flow.pid)
            assert len(children) == 9  # the emulator, three runtimes, three agents, the API, the receiver
            async with asyncio.TaskGroup() as group:
                for pid in children:
                    group.create_task(ended(pid))
                await asyncio.sleep(0)
                flow.send_signal(number)
            assert await flow.wait() == status
    finally:
        if flow.returncode is None:
            flow.kill()
        for pid in children:  # none, unless the test fails
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        await flow.communicate()
