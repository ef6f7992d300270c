"""The emulator of AWS: it serves, and nothing of it stays behind."""

from darkroom_local.emulator import Emulator
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
