"""Plays Lambda's poller of the webhook queue: `python -m darkroom_local.webhooks` calls the real handler.

What Lambda does: it receives up to ten messages, invokes the function with them, and deletes those that its partial
batch response does not name ("Using Lambda with Amazon SQS").
"""

import argparse
import os
import sys
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import structlog
from botocore.config import Config
from botocore.session import Session

from darkroom_api.webhooks import handler

from .emulator import Emulator
from .processes import start
from .topology import Topology

log = structlog.get_logger()

_BATCH = 10
_WAIT_SECONDS = 20


def sqs_event(messages: Iterable[Mapping[str, Any]], queue_arn: str) -> dict[str, Any]:
    """Received messages as Lambda hands them over."""
    return {
        "Records": [
            {
                "messageId": one["MessageId"],
                "receiptHandle": one["ReceiptHandle"],
                "body": one["Body"],
                "attributes": dict(one["Attributes"]),
                "messageAttributes": {},
                "md5OfBody": one["MD5OfBody"],
                "eventSource": "aws:sqs",
                "eventSourceARN": queue_arn,
                "awsRegion": queue_arn.split(":")[3],
            }
            for one in messages
        ]
    }


def poll(sqs: Any, queue_url: str, queue_arn: str) -> None:
    """Receive, invoke, and delete what was done."""
    messages = sqs.receive_message(
        QueueUrl=queue_url,
        MaxNumberOfMessages=_BATCH,
        WaitTimeSeconds=_WAIT_SECONDS,
        MessageSystemAttributeNames=["All"],
    ).get("Messages", [])
    if not messages:
        return
    try:
        answer = handler(sqs_event(messages, queue_arn), None)
    except Exception:
        log.exception("the function failed; its messages come back")
        return
    failed = {one["itemIdentifier"] for one in answer["batchItemFailures"]}
    for message in messages:
        if message["MessageId"] not in failed:
            sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])


def leave_for(receiver_url: str) -> dict[str, str]:
    """The variables of both Lambdas that let webhooks lead to this machine."""
    return {
        "WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8",
        # Beside our own receiver, where servers in development usually listen.
        "WEBHOOK_ALLOWED_PORTS": f"{urlsplit(receiver_url).port},3000,5000,8000,9000",
    }


@asynccontextmanager
async def webhook_sender(
    topology: Topology, emulator: Emulator, folder: Path, receiver_url: str
) -> AsyncIterator[None]:
    """Run it for as long as the context lasts, with leave to send to loopback; its log is in `folder`."""
    environ = {
        **os.environ,
        **emulator.environment,
        **topology.webhook_environment(),
        **leave_for(receiver_url),
    }
    queue = topology.webhooks
    command = [sys.executable, "-m", "darkroom_local.webhooks", queue.queue_url, queue.queue_arn]
    child = await start(command, environ, folder / "webhooks.log")
    try:
        yield
    finally:
        await child.stop()


def main() -> int:
    """Poll until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m darkroom_local.webhooks", description=__doc__)
    parser.add_argument("queue_url")
    parser.add_argument("queue_arn")
    arguments = parser.parse_args()
    sqs = Session().create_client("sqs", config=Config(read_timeout=_WAIT_SECONDS + 10))
    while True:
        poll(sqs, arguments.queue_url, arguments.queue_arn)


if __name__ == "__main__":
    sys.exit(main())
