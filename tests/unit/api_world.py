"""The jobs API in front of a stand-in for AWS, called as API Gateway calls it."""

import asyncio
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any

import msgspec
import pytest

from darkroom_agent.guard import FetchPolicy
from darkroom_api.aws import Clients
from darkroom_api.door import Door
from darkroom_api.jobs import answer
from darkroom_api.outbox import Topic
from darkroom_api.queues import Queues
from darkroom_api.segments import Segments
from darkroom_api.settings import RuntimeSettings, Settings
from darkroom_api.store import Store
from darkroom_api.workflows import Workflows
from darkroom_contract.document import JobDocument, document_key
from darkroom_contract.job import Job
from darkroom_contract.message import read_message
from tests.standin import RunningStandin, standin

RUNTIMES = {
    "webui": RuntimeSettings(type="sdwebui", bulk=True, checkpoints=("sharp.safetensors",)),
    "comfy": RuntimeSettings(type="comfyui"),
    "flux": RuntimeSettings(type="openai"),
}


@dataclass(frozen=True, slots=True)
class Said:
    """An answer, its JSON read."""

    status: int
    headers: dict[str, str]
    body: Any


@dataclass(frozen=True, slots=True)
class ApiWorld:
    """The door, the stand-in, and a queue that hears the jobs topic."""

    door: Door
    aws: RunningStandin
    clients: Clients
    heard_url: str

    def call(self, method: str, path: str, body: Any = None, *, key: str | None = None, **more: Any) -> Said:
        """Call the API; `body` is sent as JSON, unless it is text."""
        headers = {"Content-Type": "application/json", **more.pop("headers", {})}
        event = {
            "path": path,
            "httpMethod": method,
            "headers": headers,
            "queryStringParameters": more.pop("query", None),
            "requestContext": {"path": f"/prod{path}", "identity": {"apiKeyId": key}},
            "body": body if isinstance(body, str | None) else json.dumps(body),
            **more,
        }
        given = answer(self.door, event)
        return Said(given.status, dict(given.headers), json.loads(given.body) if given.body else None)

    def submit(self, **fields: Any) -> Said:
        """Submit a job of the ordinary kind."""
        job = {"runtime": "webui", "task": "text-to-image", "input": {"prompt": "a lake"}, **fields}
        return self.call("POST", "/v1/jobs", job)

    def heard(self) -> list[Job]:
        """The jobs that were published since it was last asked."""
        jobs = []
        while messages := self.clients.sqs.receive_message(QueueUrl=self.heard_url, MaxNumberOfMessages=10).get(
            "Messages"
        ):
            for message in messages:
                self.clients.sqs.delete_message(QueueUrl=self.heard_url, ReceiptHandle=message["ReceiptHandle"])
                job = read_message(message["Body"])
                if not isinstance(job, Job):
                    bucket, _, key = job.job_ref.removeprefix("s3://").partition("/")
                    found = self.clients.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
                    job = msgspec.json.decode(found, type=Job)
                jobs.append(job)
        return jobs

    def document(self, job_id: str) -> JobDocument | None:
        """A job's document."""
        stored = self.door.store.document(job_id)
        return stored.value if stored else None

    def put_document(self, document: JobDocument) -> None:
        """Write a document over whatever is there, as an agent would in the end."""
        self.door.store.put(document_key(document.id), msgspec.json.encode(document))

    def keys(self, prefix: str) -> list[str]:
        """Keys in the output bucket."""
        return self.door.store.page(prefix, "")[0]


@contextmanager
def api_world(xray: str | None = None) -> Iterator[ApiWorld]:
    """All of it, for as long as the context lasts; `xray` is where X-Ray's daemon listens."""
    with standin_in_a_thread() as aws, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", aws.url)
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        clients = Clients()
        for bucket in ("outputs", "models"):
            clients.s3.create_bucket(Bucket=bucket)
        topic = clients.sns.create_topic(Name="jobs")["TopicArn"]
        urls = [
            clients.sqs.create_queue(QueueName=name)["QueueUrl"]
            for name in ("heard", "d-webui", "d-webui-bulk", "d-comfy", "d-flux")
        ]
        arn = clients.sqs.get_queue_attributes(QueueUrl=urls[0], AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        clients.sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
        with ThreadPoolExecutor(16) as pool:
            yield ApiWorld(_door(clients, topic, urls[1].removesuffix("webui"), pool, xray), aws, clients, urls[0])


def _door(clients: Clients, topic: str, queue_url_prefix: str, pool: ThreadPoolExecutor, xray: str | None) -> Door:
    settings = Settings(
        bucket="outputs",
        models_bucket="models",
        jobs_topic_arn=topic,
        queue_url_prefix=queue_url_prefix,
        runtimes=RUNTIMES,
        tenants={"key-a": "ann"},
        cors_origins=("https://studio.example",),
        webhooks=FetchPolicy(networks=(ip_network("10.9.0.0/16"),), ports=frozenset({9000})),
        log_level="INFO",
    )
    return Door(
        segments=Segments(xray),
        settings=settings,
        store=Store(clients.s3, "outputs"),
        topic=Topic(clients.sns, topic),
        queues=Queues(clients, settings),
        workflows=Workflows(Store(clients.s3, "models")),
        pool=pool,
    )


@contextmanager
def standin_in_a_thread() -> Iterator[RunningStandin]:
    """The stand-in in a loop of its own, for the API's clients block."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    context = standin()
    try:
        yield asyncio.run_coroutine_threadsafe(context.__aenter__(), loop).result(10)
        asyncio.run_coroutine_threadsafe(context.__aexit__(None, None, None), loop).result(10)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
