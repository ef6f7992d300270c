"""What the results topic tells: how each job ended, and when it was heard."""

import asyncio
import json
import time
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from darkroom_local.topology import Topology, aws_client, subscribe


@dataclass(slots=True)
class Inbox:
    """Notifications by job, in the order they came, each with `heard_at`."""

    told: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    _failure: Exception | None = None

    async def until(self, ids: Iterable[str], seconds: float) -> None:
        """Wait until each of these jobs has ended.

        Raises:
            AssertionError: some have not within that time, and which; or nothing is heard any more, and why.
        """
        wanted = set(ids)
        try:
            async with asyncio.timeout(seconds), self._changed:
                await self._changed.wait_for(lambda: wanted <= self.told.keys() or self._failure is not None)
        except TimeoutError:
            missing = sorted(wanted - self.told.keys())
            raise AssertionError(
                f"{len(missing)} of {len(wanted)} jobs not ended in {seconds:g} s: {missing}"
            ) from None
        if not wanted <= self.told.keys():
            raise AssertionError("the results topic is not heard any more") from self._failure

    async def fail(self, failure: Exception) -> None:
        """Nothing more will be heard: let whoever waits know."""
        self._failure = failure
        async with self._changed:
            self._changed.notify_all()

    async def take(self, body: str) -> None:
        """Keep what a message of the queue carries."""
        notification = json.loads(json.loads(body)["Message"])
        notification["heard_at"] = time.time()
        self.told[notification["id"]].append(notification)
        async with self._changed:
            self._changed.notify_all()


@asynccontextmanager
async def inbox(topology: Topology, endpoint: str) -> AsyncIterator[Inbox]:
    """Listen to the results topic for as long as the context lasts, by a queue of our own."""
    async with aws_client("sqs", endpoint) as sqs, aws_client("sns", endpoint) as sns:
        url = (await sqs.create_queue(QueueName=f"heard-{uuid.uuid4().hex[:8]}"))["QueueUrl"]
        arn = (await sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"]))["Attributes"]["QueueArn"]
        await subscribe(sns, topology.results_arn, arn, None)
        heard = Inbox()
        listening = asyncio.create_task(_listen(sqs, url, heard))
        try:
            yield heard
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)


async def _listen(sqs: Any, url: str, heard: Inbox) -> None:
    try:
        while True:
            answer = await sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=5)
            for message in answer.get("Messages", ()):
                await heard.take(message["Body"])
                await sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    except Exception as failure:  # noqa: BLE001 (whatever it is, it would be heard of by nobody)
        await heard.fail(failure)
