"""The webhook Lambda: what the results topic's webhook queue holds goes to the callers' URLs.

Lambda hands over up to ten messages at once (AWS, "Using Lambda with Amazon SQS"). All are sent side by side, so that a
silent receiver costs the others nothing; what failed comes back when its visibility ends, and after the queue's last
attempt it goes to the dead-letter queue.
"""

import asyncio
import os
import random
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import structlog
from msgspec import Struct

from darkroom_agent.logs import start_logs
from darkroom_contract.decode import ContractError, convert
from darkroom_contract.job import now
from darkroom_contract.notification import read_notification
from darkroom_contract.trace import of_xray

from .aws import Clients, aws_call
from .courier import Courier
from .letter import Letter, write
from .problems import Problem
from .segments import Notes, Segments
from .signing_secrets import SigningSecrets
from .standard_webhooks import signed_headers
from .store import Store
from .verdict import Delivered, Dropped, Failed, Verdict, pause
from .webhook_settings import WebhookSettings

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient

log = structlog.get_logger()

MOST_SECONDS = 15.0
"""For one message, whatever S3 and SSM do: the function's timeout may be 30 s, whatever the batch."""
_SETTLE_SECONDS = 8.0
_THREADS = 64  # calls of AWS, and look-ups of names whose servers may be as slow as their owners want


class Attributes(Struct, frozen=True, rename={"receives": "ApproximateReceiveCount", "trace_header": "AWSTraceHeader"}):
    """Of a message's attributes, how often it was received, and the trace that its notification belongs to."""

    receives: str
    trace_header: str | None = None


class Message(Struct, frozen=True, rename={"id": "messageId", "receipt": "receiptHandle", "queue": "eventSourceARN"}):
    """One message of an SQS event; `queue` is an ARN."""

    id: str
    receipt: str
    queue: str
    body: str
    attributes: Attributes


@dataclass(frozen=True, slots=True)
class Office:
    """What lives as long as the process."""

    settings: WebhookSettings
    store: Store
    secrets: SigningSecrets
    sqs: "SQSClient"
    segments: Segments


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """What Lambda calls: an SQS event; the answer is a partial batch response."""
    office = _office()
    return _runner().run(_serve(office, event))


async def _serve(office: Office, event: dict[str, Any]) -> dict[str, Any]:
    async with Courier(office.settings.policy) as courier:
        return await serve(event, office, courier)


async def serve(event: dict[str, Any], office: Office, courier: Courier) -> dict[str, Any]:
    """Send all messages of an event side by side; which of them have to come back."""
    messages = convert(event["Records"], list[Message])
    verdicts = await asyncio.gather(*(_handle(message, office, courier) for message in messages))
    failed = [message.id for message, one in zip(messages, verdicts, strict=True) if isinstance(one, Failed)]
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


async def _handle(message: Message, office: Office, courier: Courier) -> Verdict:
    """Send one as a part of its job's trace."""
    receives = int(message.attributes.receives)
    trace = of_xray(message.attributes.trace_header)
    structlog.contextvars.bind_contextvars(
        message_id=message.id, attempt=receives, trace_id=trace.xray_id if trace else None
    )
    notes: Notes = {"attempt": receives}
    # A notification that came without a trace is of a job that has none.
    with office.segments.segment("webhook", trace, notes) if trace else nullcontext():
        one = await _deliver(message, receives, office, courier, notes)
        notes["verdict"] = type(one).__name__.lower()
    return one


async def _deliver(message: Message, receives: int, office: Office, courier: Courier, notes: Notes) -> Verdict:
    """Send one, settle it, and tell the log; one message's trouble is never another's."""
    try:
        async with asyncio.timeout(MOST_SECONDS):
            one = await _send(message, office, courier, notes)
    except TimeoutError:
        one = Failed(f"S3 and SSM took longer than {MOST_SECONDS:g} s")
    except Exception:
        log.exception("a mistake of ours")
        one = Failed("a mistake of ours")
    match one:
        case Delivered(status):
            log.info("webhook delivered", status=status)
        case Dropped(reason):
            log.warning("webhook dropped", reason=reason)
        case Failed(reason):
            seconds = pause(one, receives, random.random())  # noqa: S311 (it spreads, nothing more)
            log.warning("webhook failed", reason=reason, again_in=seconds)
            await _hide(message, seconds, office)
    return one


async def _send(message: Message, office: Office, courier: Courier, notes: Notes) -> Verdict:
    try:
        notification = read_notification(message.body)
    except ContractError as error:
        return Dropped(f"the message is no notification: {error.path} is not as it must be")
    structlog.contextvars.bind_contextvars(job_id=notification.id, state=notification.status.value)
    notes.update(job_id=notification.id, runtime=notification.runtime, state=notification.status.value)
    letter = await asyncio.to_thread(write, notification, office.store, office.secrets)
    if not isinstance(letter, Letter):
        return letter
    structlog.contextvars.bind_contextvars(host=letter.host)
    headers = signed_headers(letter.id, int(now().timestamp()), letter.body, letter.secrets)
    return await courier.send(letter.url, headers, letter.body)


async def _hide(message: Message, seconds: int, office: Office) -> None:
    """Hide a message until its next attempt. If that fails, it is the queue's visibility timeout that it waits."""
    account, name = message.queue.split(":")[-2:]

    def hide() -> None:
        with aws_call("hiding a message"):
            office.sqs.change_message_visibility(
                # The queue's own address, without a call to ask for it.
                QueueUrl=f"{office.sqs.meta.endpoint_url}/{account}/{name}",
                ReceiptHandle=message.receipt,
                VisibilityTimeout=seconds,
            )

    try:
        async with asyncio.timeout(_SETTLE_SECONDS):
            await asyncio.to_thread(hide)
    except (Problem, TimeoutError):
        log.warning("the message comes back when its queue thinks fit")


@cache
def _office() -> Office:
    """The office of this process, made at the first event so that nothing happens at import."""
    settings = WebhookSettings.from_environ(os.environ)
    start_logs(settings.log_level)
    clients = Clients()
    return Office(
        settings,
        Store(clients.s3, settings.bucket),
        SigningSecrets(clients.ssm, settings.secrets_path),
        clients.sqs,
        Segments(settings.xray_daemon),
    )


@cache
def _runner() -> asyncio.Runner:
    """The event loop of this process. It is kept: ending it would wait for a look-up that nobody wants any more."""
    runner = asyncio.Runner()
    runner.get_loop().set_default_executor(ThreadPoolExecutor(_THREADS, thread_name_prefix="webhooks"))
    return runner
