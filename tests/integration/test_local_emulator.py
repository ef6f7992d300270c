"""The emulator of AWS: it serves, and nothing of it stays behind."""

from pathlib import Path

import pytest

from darkroom_local import emulator_environment
from darkroom_local.emulator import Emulator, EmulatorUnavailable
from darkroom_local.topology import aws_client


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


def test_it_says_why_it_cannot_be_had(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An environment that cannot be made is told with the failing tool's own words, and made again next time."""
    lock = tmp_path / "localstack.txt"
    lock.write_text("no-such-package-anywhere==\n")
    monkeypatch.setattr(emulator_environment, "_LOCK", lock)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for _ in range(2):
        with pytest.raises(EmulatorUnavailable, match="ended with status"):
            emulator_environment.environment_python()
