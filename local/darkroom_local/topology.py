"""Topics, queues and the bucket of the whole flow, as Terraform's messaging and storage modules make them."""

import base64
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aiobotocore.session import get_session

VISIBILITY_SECONDS = 60
MAX_ATTEMPTS = 4
# One delivery more than attempts: where every attempt took its agent with it, the last one writes the end.
MAX_RECEIVES = MAX_ATTEMPTS + 1
# Of a webhook: about five and a half hours of attempts, each within six times its function's timeout of 30 s.
WEBHOOK_RECEIVES = 16
WEBHOOK_VISIBILITY_SECONDS = 180
_DLQ_RETENTION_SECONDS = 14 * 24 * 3600
_MESSAGE_BYTES = 256 * 1024  # as much as the topic takes


@dataclass(frozen=True, slots=True)
class RuntimeSpec:
    """An installed runtime: its name, the API that it speaks, and whether it has a bulk queue."""

    name: str
    type: str
    bulk: bool = False
    dynamic_model: bool = False
    concurrency: int = 1
    """Jobs at once, of a runtime that batches (openai)."""
    job_seconds: float = 10.0
    checkpoints: tuple[str, ...] = ()
    """Checkpoints whose v1alpha1 messages it takes: those are routed by `sd_model_checkpoint`, and name no runtime."""


@dataclass(frozen=True, slots=True)
class RuntimeQueues:
    """The queues of one runtime, as URLs."""

    spec: RuntimeSpec
    queue_url: str
    dead_url: str
    bulk_url: str | None


@dataclass(frozen=True, slots=True)
class WebhookQueue:
    """Where the webhook Lambda's work waits, and where the secrets lie; `secret` is the one without a tenant."""

    queue_url: str
    queue_arn: str
    dead_url: str
    secrets_path: str
    secret: str


@dataclass(frozen=True, slots=True)
class Topology:
    """Everything that the flow needs of AWS."""

    jobs_arn: str
    results_arn: str
    bucket: str
    models_bucket: str
    queue_url_prefix: str
    runtimes: tuple[RuntimeQueues, ...]
    webhooks: WebhookQueue

    def of(self, runtime: str) -> RuntimeQueues:
        """The queues of a runtime."""
        return next(one for one in self.runtimes if one.spec.name == runtime)

    def api_environment(self) -> dict[str, str]:
        """The jobs Lambda's variables."""
        runtimes = {
            queues.spec.name: {
                "type": queues.spec.type,
                "bulk": queues.spec.bulk,
                "checkpoints": queues.spec.checkpoints,
                "job_seconds": queues.spec.job_seconds,
                "max_replicas": 1,
                "cold_start_seconds": 0,
            }
            for queues in self.runtimes
        }
        return {
            "S3_BUCKET": self.bucket,
            "MODELS_BUCKET": self.models_bucket,
            "JOBS_TOPIC_ARN": self.jobs_arn,
            "QUEUE_URL_PREFIX": self.queue_url_prefix,
            "RUNTIMES": json.dumps(runtimes),
        }

    def webhook_environment(self) -> dict[str, str]:
        """The webhook Lambda's variables."""
        return {"S3_BUCKET": self.bucket, "WEBHOOK_SECRETS_PATH": self.webhooks.secrets_path}

    def agent_environment(self, runtime: str) -> dict[str, str]:
        """The agent's variables, but for where its runtime listens."""
        queues = self.of(runtime)
        return {
            "SQS_QUEUE_URL": queues.queue_url,
            "SNS_TOPIC_ARN": self.results_arn,
            "S3_BUCKET": self.bucket,
            "RUNTIME_NAME": queues.spec.name,
            "RUNTIME_TYPE": queues.spec.type,
            "VISIBILITY_SECONDS": str(VISIBILITY_SECONDS),
            "MAX_ATTEMPTS": str(MAX_ATTEMPTS),
            **({"DYNAMIC_SD_MODEL": "true"} if queues.spec.dynamic_model else {}),
            **({"RUNTIME_CONCURRENCY": str(queues.spec.concurrency)} if queues.spec.concurrency > 1 else {}),
            **({"SQS_BULK_QUEUE_URL": queues.bulk_url} if queues.bulk_url else {}),
        }


def filter_policy(spec: RuntimeSpec, *, bulk: bool) -> dict[str, Any]:
    """The subscription's filter on message attributes: of the bulk queue, or of the other one."""
    policy: dict[str, Any] = {"runtime": [spec.name]}
    if bulk:
        return {**policy, "priority": ["bulk"]}
    if spec.bulk:
        policy["priority"] = [{"anything-but": ["bulk"]}, {"exists": False}]
    return {"$or": [policy, {"sd_model_checkpoint": list(spec.checkpoints)}]} if spec.checkpoints else policy


def new_secret() -> str:
    """A secret as Standard Webhooks writes them."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def aws_client(service: str, endpoint: str) -> Any:
    """A client of the emulator, as an asynchronous context manager."""
    session: Any = get_session()
    credentials = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    return session.create_client(service, region_name="us-east-1", endpoint_url=endpoint, **credentials)


async def make_topology(
    endpoint: str, runtimes: Sequence[RuntimeSpec], prefix: str = "darkroom", secret: str | None = None
) -> Topology:
    """Make what is not there yet at this endpoint, with the emulator's credentials.

    `secret` is that of the webhooks; a new one if none is given.
    """
    async with aws_client("sns", endpoint) as sns, aws_client("sqs", endpoint) as sqs, aws_client("s3", endpoint) as s3:
        bucket = f"{prefix}-outputs"
        for name in (bucket, models := f"{prefix}-models"):
            await s3.create_bucket(Bucket=name)
        jobs = (await sns.create_topic(Name=f"{prefix}-jobs"))["TopicArn"]
        results = (await sns.create_topic(Name=f"{prefix}-results"))["TopicArn"]
        made = [await _runtime(sns, sqs, jobs, spec, prefix) for spec in runtimes]
        webhooks = await _webhooks(sns, sqs, results, endpoint, prefix, secret or new_secret())
        urls = made[0].queue_url.removesuffix(runtimes[0].name) if made else ""
    return Topology(jobs, results, bucket, models, urls, tuple(made), webhooks)


async def _runtime(sns: Any, sqs: Any, jobs_arn: str, spec: RuntimeSpec, prefix: str) -> RuntimeQueues:
    dead_url, dead_arn = await _queue(sqs, f"{prefix}-{spec.name}-dlq", {})
    redrive = {
        "VisibilityTimeout": str(VISIBILITY_SECONDS),
        "RedrivePolicy": json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": str(MAX_RECEIVES)}),
    }
    queue_url, queue_arn = await _queue(sqs, f"{prefix}-{spec.name}", redrive)
    await subscribe(sns, jobs_arn, queue_arn, filter_policy(spec, bulk=False))
    bulk_url = None
    if spec.bulk:
        bulk_url, bulk_arn = await _queue(sqs, f"{prefix}-{spec.name}-bulk", redrive)
        await subscribe(sns, jobs_arn, bulk_arn, filter_policy(spec, bulk=True))
    return RuntimeQueues(spec, queue_url, dead_url, bulk_url)


async def _webhooks(sns: Any, sqs: Any, results_arn: str, endpoint: str, prefix: str, secret: str) -> WebhookQueue:
    dead_url, dead_arn = await _queue(sqs, f"{prefix}-webhooks-dlq", {})
    redrive = {
        "VisibilityTimeout": str(WEBHOOK_VISIBILITY_SECONDS),
        "RedrivePolicy": json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": str(WEBHOOK_RECEIVES)}),
    }
    queue_url, queue_arn = await _queue(sqs, f"{prefix}-webhooks", redrive)
    await subscribe(sns, results_arn, queue_arn, {"webhook": ["true"]})
    path = f"/{prefix}/webhooks/"
    async with aws_client("ssm", endpoint) as ssm:
        await ssm.put_parameter(Name=f"{path}_default", Value=secret, Type="SecureString", Overwrite=True)
    return WebhookQueue(queue_url, queue_arn, dead_url, path, secret)


async def _queue(sqs: Any, name: str, attributes: dict[str, str]) -> tuple[str, str]:
    """Make a queue; its URL and its ARN."""
    every = {"MaximumMessageSize": str(_MESSAGE_BYTES)}
    kept = {"MessageRetentionPeriod": str(_DLQ_RETENTION_SECONDS)} if name.endswith("-dlq") else {}
    url = (await sqs.create_queue(QueueName=name, Attributes={**every, **attributes, **kept}))["QueueUrl"]
    answer = await sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return url, answer["Attributes"]["QueueArn"]


async def subscribe(sns: Any, topic_arn: str, queue_arn: str, policy: dict[str, Any] | None) -> None:
    """Let a topic's messages into a queue, wrapped as SNS does."""
    attributes = {} if policy is None else {"FilterPolicy": json.dumps(policy)}
    await sns.subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=queue_arn, Attributes=attributes)
