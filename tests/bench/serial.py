"""The yardstick: a plain serial worker, as one would write it first. Receive, run, upload, publish, delete."""

import asyncio
import base64
import json
import os
from typing import Any

import aiohttp
from aiobotocore.session import get_session


async def main() -> None:
    """Work on one message after the other, for ever; configured as the agent is."""
    environ = os.environ
    session: Any = get_session()
    async with (
        session.create_client("sqs") as sqs,
        session.create_client("s3") as s3,
        session.create_client("sns") as sns,
        aiohttp.ClientSession() as http,
    ):
        while True:
            answer = await sqs.receive_message(QueueUrl=environ["SQS_QUEUE_URL"], WaitTimeSeconds=20)
            for message in answer.get("Messages", ()):
                job = json.loads(json.loads(message["Body"])["Message"])
                url = f"{environ['API_BASE_URL']}/sdapi/v1/txt2img"
                async with http.post(url, json=job["input"]) as reply:
                    result = await reply.json()
                urls = []
                for index, image in enumerate(result["images"]):
                    key = f"{job['id']}/{index}.png"
                    await s3.put_object(Bucket=environ["S3_BUCKET"], Key=key, Body=base64.b64decode(image))
                    urls.append(f"s3://{environ['S3_BUCKET']}/{key}")
                document = json.dumps({"id": job["id"], "parameters": result["parameters"]})
                await s3.put_object(Bucket=environ["S3_BUCKET"], Key=f"{job['id']}/out.json", Body=document.encode())
                told = {"id": job["id"], "status": "completed", "image_url": urls}
                await sns.publish(TopicArn=environ["SNS_TOPIC_ARN"], Message=json.dumps(told))
                await sqs.delete_message(QueueUrl=environ["SQS_QUEUE_URL"], ReceiptHandle=message["ReceiptHandle"])


asyncio.run(main())
