"""The webhook Lambda's parts in front of a stand-in for AWS, with a receiver on loopback."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_network
from typing import Any

import msgspec
import pytest

from darkroom_agent.guard import FetchPolicy
from darkroom_api.aws import Clients
from darkroom_api.courier import Courier
from darkroom_api.segments import Segments
from darkroom_api.signing_secrets import SigningSecrets
from darkroom_api.store import Store
from darkroom_api.webhook_settings import WebhookSettings
from darkroom_api.webhooks import Office, serve
from darkroom_contract.document import Artifact, JobDocument, document_key
from darkroom_contract.job import State, Webhook
from darkroom_contract.notification import encode_notification, notification_of
from darkroom_local.webhooks import sqs_event
from tests.standin import RunningStandin, standin
from tests.unit.web_host import WebHost

SECRETS = {name: "whsec_" + base64.b64encode(name.encode() * 8).decode() for name in ("_default", "ann")}
PATH = "/test/webhooks/"


@dataclass
class WebhookWorld:
    """The office, the stand-in, a queue of notifications and a receiver."""

    office: Office
    aws: RunningStandin
    queue_url: str
    receiver: WebHost
    clients: Clients
    trace_header: str | None = None

    async def job(self, job_id: str = "a", path: str = "/hook", **fields: Any) -> JobDocument:
        """Store a final job that names the receiver, and tell it."""
        one = Artifact(url=f"s3://outputs/sd/{job_id}/0-x.png", content_type="image/png", bytes=3, sha256="0" * 64)
        fields = {
            "webhook": Webhook(url=self.receiver.url(path)),
            "state": State.COMPLETED,
            "artifacts": (one,),
            **fields,
        }
        document = JobDocument(id=job_id, runtime="sd", finished_at=datetime(2026, 11, 24, 12, 0, tzinfo=UTC), **fields)
        key = document_key(job_id)
        await asyncio.to_thread(self.office.store.put, key, msgspec.json.encode(document))
        await self.send(encode_notification(notification_of(document, f"s3://outputs/{key}")))
        return document

    async def send(self, body: str) -> None:
        """Put a message into the queue."""
        carried: Any = (
            {"AWSTraceHeader": {"DataType": "String", "StringValue": self.trace_header}} if self.trace_header else {}
        )
        await asyncio.to_thread(
            self.clients.sqs.send_message,
            QueueUrl=self.queue_url,
            MessageBody=body,
            MessageSystemAttributes=carried,
        )

    async def event(self) -> dict[str, Any]:
        """What Lambda's poller makes of the messages that are visible."""
        answer = await asyncio.to_thread(
            self.clients.sqs.receive_message,
            QueueUrl=self.queue_url,
            MaxNumberOfMessages=10,
            MessageSystemAttributeNames=["All"],
        )
        return sqs_event(answer.get("Messages", ()), "arn:aws:sqs:us-east-1:000000000000:webhooks")

    async def serve(self, event: dict[str, Any] | None = None, seconds: float = 20.0) -> list[str]:
        """Let the Lambda have an event, by default of all that is visible; the ids of messages that failed."""
        async with Courier(self.office.settings.policy, seconds=seconds) as courier:
            answer = await serve(event or await self.event(), self.office, courier)
        return [one["itemIdentifier"] for one in answer["batchItemFailures"]]

    def told(self, index: int = -1) -> Any:
        """What the receiver got, its JSON read."""
        return json.loads(self.receiver.bodies[index])


@asynccontextmanager
async def webhook_world(xray: str | None = None) -> AsyncIterator[WebhookWorld]:
    """All of it, for as long as the context lasts; `xray` is where X-Ray's daemon listens."""
    with pytest.MonkeyPatch.context() as patch:
        async with standin() as aws, WebHost() as receiver:
            patch.setenv("AWS_ENDPOINT_URL", aws.url)
            patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
            patch.setenv("AWS_ACCESS_KEY_ID", "test")
            patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
            clients = Clients()
            url = await asyncio.to_thread(_make, clients)
            policy = FetchPolicy(networks=(ip_network("127.0.0.0/8"),), ports=frozenset({receiver.port}))
            settings = WebhookSettings("outputs", PATH, policy, "INFO")
            office = Office(
                settings, Store(clients.s3, "outputs"), SigningSecrets(clients.ssm, PATH), clients.sqs, Segments(xray)
            )
            yield WebhookWorld(office, aws, url, receiver, clients)


def _make(clients: Clients) -> str:
    clients.s3.create_bucket(Bucket="outputs")
    for name, secret in SECRETS.items():
        clients.ssm.put_parameter(Name=PATH + name, Value=secret, Type="SecureString")
    return clients.sqs.create_queue(QueueName="webhooks")["QueueUrl"]
