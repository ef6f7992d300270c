"""A dead-letter queue, of a runtime or of the webhooks, and the ways out: back to the queue, to the topic, or gone.

A message is deleted only after what was to be done with it is done: whoever is interrupted may begin anew.
"""

import urllib.parse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec
from botocore.exceptions import ClientError

from darkroom_contract.again import next_id
from darkroom_contract.decode import ContractError, parse
from darkroom_contract.document import JobDocument, document_key
from darkroom_contract.job import Job, JobRef, Priority, State, decode_job, digest
from darkroom_contract.message import LEGACY_RUNTIME, job_id_of, read_job, read_message
from darkroom_contract.notification import read_notification
from darkroom_contract.outgoing import message_of, queued_document, routing

from .aws import aws_call, client, s3_client
from .failures import DarkroomError, NotFound
from .redrive_plan import Letter

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_sns import SNSClient
    from types_boto3_sqs import SQSClient

AT_ONCE = 10
_HOLD_SECONDS = 900  # longer than a long queue takes to be looked through; it is given back at the end
_POLL_SECONDS = 3  # a long poll asks all of SQS's servers: an empty answer means an empty queue
_MOST_TRIES = 1000
WEBHOOKS = "webhooks"
"""What stands in the name of the webhooks' queue where a runtime's has the runtime; none can be called so."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where messages and documents are, of a runtime or of `WEBHOOKS`."""

    runtime: str
    queue_url_prefix: str
    topic_arn: str
    bucket: str

    @property
    def dead_url(self) -> str:
        """Its dead-letter queue."""
        return f"{self.queue_url_prefix}{self.runtime}-dlq"


class DeadLetters:
    """The queue; its methods may be called by many threads."""

    def __init__(self, places: Places, region: str | None) -> None:
        """`region` is that of the topic unless another is given."""
        where = region or places.topic_arn.split(":")[3]
        self._places = places
        self._sqs: SQSClient = client("sqs", where, AT_ONCE)
        self._sns: SNSClient = client("sns", where, AT_ONCE)
        self._s3: S3Client = s3_client(where, AT_ONCE)
        self._bulk_url = cache(self._find_bulk_url)

    def check(self) -> None:
        """Make sure that documents can be looked for at all: in a wrong bucket every job would seem to be unfinished.

        Raises:
            DarkroomError: there is no such bucket or queue, or it may not be used.
        """
        with aws_call(f"s3://{self._places.bucket}"):
            self._s3.head_bucket(Bucket=self._places.bucket)
        with aws_call(self._places.dead_url):
            self._sqs.get_queue_attributes(QueueUrl=self._places.dead_url, AttributeNames=["QueueArn"])

    def receive(self) -> list[Letter]:
        """Take up to ten messages, which nobody else sees for a while; none if there is none.

        Raises:
            NotFound: there is no such queue.
        """
        with aws_call(self._places.dead_url):
            answer = self._sqs.receive_message(
                QueueUrl=self._places.dead_url,
                MaxNumberOfMessages=10,
                VisibilityTimeout=_HOLD_SECONDS,
                WaitTimeSeconds=_POLL_SECONDS,
                MessageSystemAttributeNames=["All"],
                MessageAttributeNames=["All"],
            )
        return [_letter(message) for message in answer.get("Messages", [])]

    def opened(self, letter: Letter) -> Letter:
        """The letter with its job and its job's document."""
        if self._places.runtime == WEBHOOKS:
            return self._opened_webhook(letter)
        job_id = job_id_of(letter.body)
        try:
            message = read_message(letter.body)
            job = self._fetch(message) if isinstance(message, JobRef) else message
        except (ContractError, NotFound) as error:
            return replace(letter, job_id=job_id, unreadable=str(error))
        if job.runtime == LEGACY_RUNTIME:  # v1alpha1 names none: whose queue it lies in is meant
            job = msgspec.structs.replace(job, runtime=self._places.runtime)
        return replace(letter, job_id=job.id, job=job, document=self._document(job.id))

    def give_back(self, letter: Letter) -> None:
        """Send a message to the queue that it came from, as it is."""
        system = {"AWSTraceHeader": {"DataType": "String", "StringValue": trace}} if (
            trace := letter.system.get("AWSTraceHeader")
        ) else {}  # fmt: skip
        group: Any = {"MessageGroupId": found} if (found := letter.system.get("MessageGroupId")) else {}
        url = self._queue_url(letter)
        with aws_call(url):
            self._sqs.send_message(
                QueueUrl=url,
                MessageBody=letter.body,
                MessageAttributes=letter.attributes,
                MessageSystemAttributes=system,  # type: ignore[arg-type]
                **group,
            )
        self.delete(letter)

    def resend(self, letter: Letter, job: Job, at: datetime) -> str:
        """Submit a failed job again under its next id, as the API would; that id.

        Raises:
            DarkroomError: the id would be too long, or AWS failed. The message is still there.
        """
        job_id = job.id
        for _ in range(_MOST_TRIES):
            job_id = next_id(job_id)
            again = _under(job, job_id, at)
            document = queued_document(again, digest(again))
            created = self._create(document)
            there = None if created else self._document(job_id)
            if created or (there and there.request_digest == document.request_digest):
                # Of an earlier run that was cut off: what is still queued may never have been published.
                if created or (there and there.state is State.QUEUED):
                    self._publish(again)
                self.delete(letter)
                return job_id
        raise DarkroomError(f"{job.id} was sent again {_MOST_TRIES} times; find out why first")

    def delete(self, letter: Letter) -> None:
        """Remove a message."""
        with aws_call(self._places.dead_url):
            self._sqs.delete_message(QueueUrl=self._places.dead_url, ReceiptHandle=letter.receipt)

    def release(self, receipts: Sequence[str]) -> None:
        """Let others see these messages again."""
        for begin in range(0, len(receipts), 10):
            entries: Any = [
                {"Id": str(index), "ReceiptHandle": receipt, "VisibilityTimeout": 0}
                for index, receipt in enumerate(receipts[begin : begin + 10])
            ]
            with aws_call(self._places.dead_url):
                self._sqs.change_message_visibility_batch(QueueUrl=self._places.dead_url, Entries=entries)

    def _opened_webhook(self, letter: Letter) -> Letter:
        """The letter with its job's document; the job itself is in neither."""
        try:
            job_id = read_notification(letter.body).id
        except ContractError as error:
            return replace(letter, job_id=job_id_of(letter.body), unreadable=str(error))
        return replace(letter, job_id=job_id, document=self._document(job_id))

    def _fetch(self, message: JobRef) -> Job:
        bucket, _, key = message.job_ref.removeprefix("s3://").partition("/")
        with aws_call(message.job_ref):
            return read_job(parse(self._s3.get_object(Bucket=bucket, Key=key)["Body"].read()))

    def _document(self, job_id: str) -> JobDocument | None:
        try:
            with aws_call(f"s3://{self._places.bucket}/{document_key(job_id)}"):
                answer = self._s3.get_object(Bucket=self._places.bucket, Key=document_key(job_id))
                return msgspec.json.decode(answer["Body"].read(), type=JobDocument)
        except (NotFound, msgspec.DecodeError):
            return None

    def _create(self, document: JobDocument) -> bool:
        """Write a document where there is none (412 where there is one, 409 where two writes met)."""
        key = document_key(document.id)
        with aws_call(f"s3://{self._places.bucket}/{key}"):
            try:
                self._put(key, msgspec.json.encode(document), IfNoneMatch="*")
            except ClientError as error:
                if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") in (409, 412):
                    return False
                raise
        return True

    def _put(self, key: str, data: bytes, **condition: Any) -> None:
        self._s3.put_object(Bucket=self._places.bucket, Key=key, Body=data, ContentType="application/json", **condition)

    def _publish(self, job: Job) -> None:
        message = message_of(job, self._places.bucket)
        if message.stored is not None:
            with aws_call(f"s3://{self._places.bucket}/{message.stored[0]}"):
                self._put(*message.stored)
        group: Any = {"MessageGroupId": job.tenant} if job.tenant else {}
        with aws_call(self._places.topic_arn):
            self._sns.publish(
                TopicArn=self._places.topic_arn,
                Message=message.text,
                MessageAttributes={
                    name: {"DataType": "String", "StringValue": value}
                    for name, value in routing(job.runtime, job.priority, job.tenant).items()
                },
                **group,
            )

    def _queue_url(self, letter: Letter) -> str:
        """The queue that SQS moved a message from; of one that SNS could not deliver, the one that it was meant for."""
        if letter.source is not None:
            return urllib.parse.urljoin(self._places.dead_url, letter.source)
        bulk = self._bulk_url() if letter.job and letter.job.priority is Priority.BULK else None
        return bulk or f"{self._places.queue_url_prefix}{self._places.runtime}"

    def _find_bulk_url(self) -> str | None:
        url = f"{self._places.queue_url_prefix}{self._places.runtime}-bulk"
        try:
            with aws_call(url):
                self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        except NotFound:
            return None
        return url


def _letter(message: Any) -> Letter:
    system = message.get("Attributes", {})
    source = system.get("DeadLetterQueueSourceArn")
    return Letter(
        message_id=message["MessageId"],
        receipt=message["ReceiptHandle"],
        body=message["Body"],
        sent_at=datetime.fromtimestamp(int(system.get("SentTimestamp", 0)) / 1000, UTC),
        source=source and source.rpartition(":")[2],
        system=system,
        attributes={name: _attribute(value) for name, value in message.get("MessageAttributes", {}).items()},
    )


def _attribute(value: Any) -> dict[str, Any]:
    """What SendMessage takes of what ReceiveMessage gives."""
    return {name: value[name] for name in ("DataType", "StringValue", "BinaryValue") if name in value}


def _under(job: Job, job_id: str, at: datetime) -> Job:
    """The job under another id; its time to live begins anew."""
    again = msgspec.structs.replace(job, id=job_id, submitted_at=at)
    try:
        return decode_job(msgspec.to_builtins(again, builtin_types=(datetime,)))
    except ContractError as error:
        raise DarkroomError(f"{job.id} cannot be sent again: {error}") from error
