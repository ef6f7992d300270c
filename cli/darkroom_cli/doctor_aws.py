"""Checks of the parts in AWS, by the caller's own credentials: topics, queues with their dead letters, buckets."""

import json
import uuid
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from .aws import aws_call, client, s3_client
from .config import Config
from .dead_letters import WEBHOOKS
from .finding import Finding, fine, skipped, tried, warning, wrong

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

_APPLY = "`terraform apply`, and `terraform output -raw cli_config` for the names"
_LEAST_RECEIVES = 2
_JOBS = "`darkroom redrive {} --dry-run` shows them"
_CALLS = "the webhook function's log says which receivers do not answer; `darkroom redrive --webhooks` calls them again"


@dataclass(frozen=True, slots=True)
class Aws:
    """Clients of what is looked at."""

    sts: Any
    sns: Any
    sqs: Any
    s3: "S3Client"


def open_aws(config: Config) -> Aws:
    """Clients in the installation's region, which the topic's ARN tells, too.

    Raises:
        DarkroomError: there is no such profile, or nothing says in which region.
    """
    topic = config.jobs_topic_arn or ""
    region = config.region or (topic.split(":")[3] if topic.count(":") == 5 else None)
    return Aws(client("sts", region), client("sns", region), client("sqs", region), s3_client(region))


def check_credentials(aws: Aws) -> Finding:
    """Who asks."""

    def look() -> Finding:
        with aws_call("AWS credentials"):
            return fine("credentials", str(aws.sts.get_caller_identity()["Arn"]))

    why = "topics, queues and buckets cannot be looked at; only redrive, models and workflow need them"
    return tried("credentials", why, "`aws configure sso`, AWS_PROFILE, or run it where a role is", look)


def check_parts(
    aws: Aws, config: Config, runtimes: Iterable[str], bulk: Collection[str], *, read_only: bool
) -> Iterator[Finding]:
    """Topics, queues and buckets, each if it is known where it is; `bulk` are the runtimes with a second queue."""
    yield _topic(aws, "jobs topic", config.jobs_topic_arn, "jobs_topic_arn", needs_listeners=True)
    yield _topic(aws, "results topic", config.results_topic_arn, "results_topic_arn", needs_listeners=False)
    if config.queue_url_prefix is None:
        yield _unset("queues", "queue_url_prefix")
    for runtime in runtimes if config.queue_url_prefix else ():
        yield _queue(aws, f"{config.queue_url_prefix}{runtime}", runtime)
        if runtime in bulk:
            yield _queue(aws, f"{config.queue_url_prefix}{runtime}-bulk", f"{runtime}, bulk")
        yield _dead(aws, f"{config.queue_url_prefix}{runtime}-dlq", runtime, _JOBS.format(runtime))
    if config.queue_url_prefix:
        yield _queue(aws, f"{config.queue_url_prefix}{WEBHOOKS}", WEBHOOKS)
        yield _dead(aws, f"{config.queue_url_prefix}{WEBHOOKS}-dlq", WEBHOOKS, _CALLS)
    yield _output(aws, config.output_bucket, read_only=read_only)
    yield _models(aws, config.models_bucket)


def _unset(name: str, setting: str) -> Finding:
    return skipped(name, f"`{setting}` is not set", "`terraform output -raw cli_config` has it")


def _topic(aws: Aws, name: str, arn: str | None, setting: str, *, needs_listeners: bool) -> Finding:
    if arn is None:
        return _unset(name, setting)

    def look() -> Finding:
        with aws_call(arn):
            # The topic's own count is late, and emulators leave it at 0.
            listeners = len(aws.sns.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"])
        seen = f"{arn.rpartition(':')[2]}, {listeners} subscribed"
        if needs_listeners and not listeners:
            return wrong(name, seen, "jobs that are published reach no queue, and are lost to their agents", _APPLY)
        return fine(name, seen)

    return tried(name, "jobs come in by one topic, their ends are told by the other", _APPLY, look)


def _attributes(aws: Aws, url: str) -> dict[str, str]:
    with aws_call(url):
        found: dict[str, str] = aws.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return found


def _queue(aws: Aws, url: str, runtime: str) -> Finding:
    name = f"queue {runtime}"

    def look() -> Finding:
        found = _attributes(aws, url)
        policy = json.loads(found.get("RedrivePolicy") or "{}")
        receives = int(policy.get("maxReceiveCount", 0))
        seen = f"visible again after {found['VisibilityTimeout']} s, at most {receives or 'endless'} deliveries"
        if not receives:
            why = "a message that cannot be read comes back for days"
            return wrong(name, f"{seen}; it has no dead-letter queue", why, _APPLY)
        if receives < _LEAST_RECEIVES:
            return warning(name, seen, "one lost pod, and the job is dead: it is never tried again", _APPLY)
        return fine(name, seen)

    return tried(name, "without its queue a runtime gets no jobs, and nobody is called", _APPLY, look)


def _dead(aws: Aws, url: str, of: str, todo: str) -> Finding:
    name = f"dead letters {of}"

    def look() -> Finding:
        found = _attributes(aws, url)
        count = sum(int(found[f"ApproximateNumberOfMessages{which}"]) for which in ("", "NotVisible", "Delayed"))
        if count:
            why = "all attempts at them failed, or nobody could read them; they are kept for 14 days"
            return warning(name, str(count), why, todo)
        return fine(name, "none")

    return tried(name, "what fails for good would be lost", _APPLY, look)


def _output(aws: Aws, bucket: str | None, *, read_only: bool) -> Finding:
    if bucket is None:
        return _unset("output bucket", "output_bucket")

    def look() -> Finding:
        with aws_call(f"s3://{bucket}"):
            aws.s3.head_bucket(Bucket=bucket)
        if read_only:
            return fine("output bucket", f"{bucket}, not written to")
        if not _refuses_second_write(aws, bucket):
            why = "two agents could both think that they ended a job"
            return wrong(
                "output bucket", f"{bucket} ignores conditions of writes", why, "use S3, or an emulator that has them"
            )
        return fine("output bucket", f"{bucket}, written to on condition, and deleted from")

    return tried("output bucket", "documents and images lie there", _APPLY, look)


def _refuses_second_write(aws: Aws, bucket: str) -> bool:
    """Write a probe twice, as documents are written; it lies where uploads do, which expire."""
    key = f"inputs/doctor-{uuid.uuid4()}.txt"
    with aws_call(f"s3://{bucket}/{key}"):
        aws.s3.put_object(Bucket=bucket, Key=key, Body=b"darkroom doctor", IfNoneMatch="*")
        try:
            aws.s3.put_object(Bucket=bucket, Key=key, Body=b"darkroom doctor", IfNoneMatch="*")
        except ClientError as error:
            if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") in (409, 412):
                return True
            raise
        finally:
            aws.s3.delete_object(Bucket=bucket, Key=key)
    return False


def _models(aws: Aws, bucket: str | None) -> Finding:
    if bucket is None:
        return _unset("models bucket", "models_bucket")

    def look() -> Finding:
        with aws_call(f"s3://{bucket}"):
            count = aws.s3.list_objects_v2(Bucket=bucket, Prefix="workflows/")["KeyCount"]
        return fine("models bucket", f"{bucket}, {count} named {'workflow' if count == 1 else 'workflows'}")

    return tried("models bucket", "models and named workflows lie there", _APPLY, look)
