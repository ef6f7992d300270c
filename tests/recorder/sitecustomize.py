"""Notes each AWS operation of agent and Lambdas: Python imports this at its start if this folder is on PYTHONPATH.

A line a call goes to the file that DARKROOM_OPERATIONS names: role, action as IAM calls it, and what it is done to.
Product code knows nothing of it. Signed addresses count, too: who uses one does it with the signer's rights.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

# Who runs as which role, by `python -m`.
ROLES = {
    "darkroom_agent": "agent",
    "darkroom_agent.smoke": "agent",  # helm test's pod has the agent's service account
    "darkroom_local.gateway": "jobs",
    "darkroom_local.webhooks": "webhooks",  # Lambda's poller works with the function's role
}

# Operations whose permission has another name (AWS, "Service Authorization Reference").
ACTIONS = {
    "s3:HeadObject": "s3:GetObject",
    "s3:HeadBucket": "s3:ListBucket",
    "s3:ListObjectsV2": "s3:ListBucket",
    "s3:DeleteObjects": "s3:DeleteObject",
    "s3:CreateMultipartUpload": "s3:PutObject",
    "s3:UploadPart": "s3:PutObject",
    "s3:CompleteMultipartUpload": "s3:PutObject",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:SendMessageBatch": "sqs:SendMessage",
    "sns:PublishBatch": "sns:Publish",
}

# Keys of the two buckets that policies tell apart; the narrowest first.
KEYS = {"outputs": ("jobs/outbox/*", "jobs/*.cancel", "jobs/*", "inputs/*"), "models": ("workflows/*",)}


def resources(asked: Mapping[str, Any], environ: Mapping[str, str], arguments: Sequence[str]) -> list[str]:
    """What a call is done to, in words that hold wherever it runs."""
    if bucket := asked.get("Bucket"):
        buckets = {environ.get("S3_BUCKET"): "outputs", environ.get("MODELS_BUCKET"): "models"}
        name = buckets.get(bucket, "another bucket")
        deleted = [one["Key"] for one in asked.get("Delete", {}).get("Objects", ())]
        keys = [asked["Key"]] if "Key" in asked else deleted
        found = [next((one for one in KEYS.get(name, ()) if fnmatchcase(key, one)), "*") for key in keys]
        return [f"{name}/{pattern}" for pattern in found] or [name]
    if url := asked.get("QueueUrl"):
        return [_queue(url.rpartition("/")[2], environ, arguments)]
    if topic := asked.get("TopicArn"):
        known = {environ.get("SNS_TOPIC_ARN"): "results topic", environ.get("JOBS_TOPIC_ARN"): "jobs topic"}
        return [known.get(topic, "another topic")]
    if parameter := asked.get("Name"):
        path = environ.get("WEBHOOK_SECRETS_PATH")
        return ["webhook secret" if path and parameter.startswith(path) else "another parameter"]
    return ["*"]


def _queue(name: str, environ: Mapping[str, str], arguments: Sequence[str]) -> str:
    """Of a runtime's two queues which one it is depends on time: when a lease is extended, for one."""
    if name in [argument.rpartition("/")[2] for argument in arguments]:
        return "webhook queue"
    ours = [environ.get(one, "").rpartition("/")[2] for one in ("SQS_QUEUE_URL", "SQS_BULK_QUEUE_URL")]
    prefix = environ.get("QUEUE_URL_PREFIX", "").rpartition("/")[2]
    return "queues" if name in ours or (prefix and name.startswith(prefix)) else "another queue"


def listen(role: str, file: Path) -> None:
    """Hear of each call of each client that this process makes."""
    from botocore.session import Session  # noqa: PLC0415 - other processes need none of it

    seen: set[str] = set()
    services = {"monitoring": "cloudwatch"}

    def note(**event: Any) -> None:
        params, model = event["params"], event["model"]
        service = model.service_model.signing_name
        operation = f"{services.get(service, service)}:{model.name}"
        for what in resources(params, os.environ, sys.argv):
            line = f"{role}\t{ACTIONS.get(operation, operation)}\t{what}\n"
            if line not in seen:
                seen.add(line)
                with file.open("a") as lines:  # a line is written at once, whoever else writes
                    lines.write(line)

    make = Session.__init__

    def make_and_listen(self: Session, *args: Any, **kwargs: Any) -> None:
        make(self, *args, **kwargs)
        self.register("before-parameter-build", note)

    Session.__init__ = make_and_listen  # type: ignore[method-assign]


if (_file := os.environ.get("DARKROOM_OPERATIONS")) and "-m" in sys.orig_argv[:-1]:
    _role = ROLES.get(sys.orig_argv[sys.orig_argv.index("-m") + 1])
    if _role:
        listen(_role, Path(_file))
