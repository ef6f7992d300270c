"""`make demo`: real jobs through the real path, with progress, a table of what became of them, and their pictures."""

import asyncio
import contextlib
import hashlib
import io
import json
import shutil
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
from PIL import Image
from rich import box
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from darkroom_contract.api import InputTicket, JobView
from darkroom_contract.document import JobDocument
from darkroom_contract.job import State
from darkroom_simulator.draw import draw, encode_png

from .flow import Flow, flow
from .jobs import DemoJob, demo_jobs
from .receiver import Delivery
from .topology import aws_client, subscribe

_LATENCY_SECONDS = 1.5
_LIMIT_SECONDS = 60
_WEBHOOK_SECONDS = 10
_LOOK_SECONDS = 0.25
_COLOURS = {"completed": "green", "failed": "red", "running": "cyan", "queued": "dim"}


@dataclass(frozen=True, slots=True)
class Ended:
    """How a job ended, and what was saved of it."""

    job: DemoJob
    document: JobDocument
    files: tuple[Path, ...]
    mistakes: tuple[str, ...]
    webhook: Delivery | None = None


async def demo(out: Path, console: Console) -> int:
    """Run the demo; 0 only if everything went as it should. Of `out`, only what is written anew is replaced."""
    await asyncio.to_thread(shutil.rmtree, logs := out / "logs", ignore_errors=True)
    deliveries: asyncio.Queue[Delivery] = asyncio.Queue()
    async with AsyncExitStack() as stack:
        quick = {"BACKOFF_BASE_SECONDS": "1", "PROGRESS_SECONDS": "0.5", "RUNNING_AFTER_SECONDS": "0.3"}
        with console.status("starting") as status:
            running = await stack.enter_async_context(
                flow(logs, _LATENCY_SECONDS, status.update, deliveries.put_nowait, WAIT_SECONDS="1", **quick)
            )
            sqs, sns = [
                await stack.enter_async_context(aws_client(name, running.emulator.url)) for name in ("sqs", "sns")
            ]
            api = await stack.enter_async_context(aiohttp.ClientSession(running.api_url))
        told = await _listen(sqs, sns, running)
        jobs = demo_jobs(await _upload_sketch(api), running.webhook_url, "sd-webui", "sd-comfyui", "sd-openai")
        for job in jobs:
            async with api.post(job.path, json=job.body) as answer:
                if not answer.ok:
                    console.print(f"[red]{job.id} was refused: {await answer.text()}")
                    return 1
        notifications = await _watch(api, sqs, told, jobs, console)
        told_by = await _webhooks(deliveries, {job.id for job in jobs if job.tells})
        ended = [await _save(api, job, notifications.get(job.id, []), told_by.get(job.id), out) for job in jobs]
    _show(ended, out, console)
    return _verdict(ended, running, console)


async def _listen(sqs: Any, sns: Any, running: Flow) -> str:
    """A queue that hears the results topic, as a subscriber of the user's would."""
    url: str = (await sqs.create_queue(QueueName="demo-results"))["QueueUrl"]
    answer = await sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    await subscribe(sns, running.topology.results_arn, answer["Attributes"]["QueueArn"], None)
    return url


async def _upload_sketch(api: aiohttp.ClientSession) -> str:
    """An input image, such as a user would have, sent to the bucket; its address."""
    data = await asyncio.to_thread(lambda: encode_png(draw("a sketch", 3, 640, 512), {}))
    async with api.post("/v1/inputs", json={"content_type": "image/png", "bytes": len(data)}) as answer:
        ticket = msgspec.json.decode(await answer.read(), type=InputTicket)
    async with api.put(ticket.upload.url, data=data, headers=ticket.upload.headers) as stored:
        stored.raise_for_status()
    return ticket.url


async def _watch(
    api: aiohttp.ClientSession, sqs: Any, told: str, jobs: list[DemoJob], console: Console
) -> dict[str, list[dict[str, Any]]]:
    """Show every job's progress until each is told to have ended; the notifications by job."""
    heard: dict[str, list[dict[str, Any]]] = {}
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(16), TextColumn("{task.fields[state]}"))
    with Progress(*columns, TimeElapsedColumn(), console=console) as progress:
        bars = {job.id: progress.add_task(job.about, total=1.0, state="queued") for job in jobs}
        following = asyncio.create_task(_follow(api, progress, bars, heard))
        try:
            async with asyncio.timeout(_LIMIT_SECONDS):
                while len(heard) < len(jobs):
                    answer = await sqs.receive_message(QueueUrl=told, WaitTimeSeconds=1, MaxNumberOfMessages=10)
                    for message in answer.get("Messages", ()):
                        notification = json.loads(json.loads(message["Body"])["Message"])
                        heard.setdefault(notification["id"], []).append(notification)
                        await sqs.delete_message(QueueUrl=told, ReceiptHandle=message["ReceiptHandle"])
                        state = notification["status"]
                        shown = f"[{_COLOURS.get(state, 'yellow')}]{state}"
                        progress.update(bars[notification["id"]], completed=1.0, state=shown)
                        progress.stop_task(bars[notification["id"]])
        except TimeoutError:
            console.print(f"[red]not every job had ended within {_LIMIT_SECONDS} s")
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
    return heard


async def _follow(
    api: aiohttp.ClientSession, progress: Progress, bars: dict[str, TaskID], heard: dict[str, Any]
) -> None:
    """Ask the API for the progress of jobs that have not ended."""
    while True:
        for job_id, bar in bars.items():
            if job_id in heard or (document := await _job(api, job_id)) is None or document.state.final:
                continue
            shown = f"[{_COLOURS[document.state]}]{document.state}, attempt {document.attempt}"
            progress.update(bar, completed=document.progress or 0.0, state=shown)
        await asyncio.sleep(_LOOK_SECONDS)


async def _job(api: aiohttp.ClientSession, job_id: str) -> JobView | None:
    async with api.get(f"/v1/jobs/{job_id}") as answer:
        return msgspec.json.decode(await answer.read(), type=JobView) if answer.ok else None


async def _webhooks(deliveries: asyncio.Queue[Delivery], wanted: set[str]) -> dict[str, Delivery]:
    """The webhooks of these jobs, by job; what does not come in time, or is not signed as it must be, is missing."""
    came: dict[str, Delivery] = {}
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_WEBHOOK_SECONDS):
            while wanted - came.keys():
                one = await deliveries.get()
                if one.event is not None:
                    came[one.event["data"]["id"]] = one
    return came


async def _save(
    api: aiohttp.ClientSession,
    job: DemoJob,
    notifications: list[dict[str, Any]],
    webhook: Delivery | None,
    out: Path,
) -> Ended:
    """Save a job's document and artifacts, and compare them with what must be."""
    document = await _job(api, job.id)
    if document is None:
        return Ended(job, JobDocument(id=job.id, runtime=job.runtime, state=State.QUEUED), (), ("it is unknown",))
    (out / f"{job.id}.json").write_bytes(msgspec.json.format(msgspec.json.encode(document), indent=2))
    files, mistakes = [], []
    for artifact in document.artifacts:
        async with api.get(artifact.download_url) as answer:
            data = await answer.read()
        if hashlib.sha256(data).hexdigest() != artifact.sha256:
            mistakes.append(f"{artifact.url} has another sha256 than its document says")
        if not _is_image(data):
            mistakes.append(f"{artifact.url} is not an image")
        files.append(out / f"{job.id}-{artifact.url.rpartition('/')[2]}")
        files[-1].write_bytes(data)
    return Ended(job, document, tuple(files), (*mistakes, *_mistakes(job, document, notifications, webhook)), webhook)


def _is_image(data: bytes) -> bool:
    try:
        with Image.open(io.BytesIO(data)) as image:
            image.load()
    except (OSError, SyntaxError):  # Pillow's two for broken files
        return False
    return True


def _mistakes(
    job: DemoJob, document: JobDocument, notifications: list[dict[str, Any]], webhook: Delivery | None
) -> list[str]:
    facts = [
        ("state", job.state, document.state.value),
        ("attempt", job.attempt, document.attempt),
        ("artifacts", job.artifacts, len(document.artifacts)),
        ("error", job.error, document.error.code if document.error else None),
        ("notified as", [job.state], sorted({one["status"] for one in notifications})),
        ("webhook", f"job.{job.state}" if job.tells else None, webhook and webhook.event and webhook.event["type"]),
    ]
    return [f"{name}: expected {wanted}, got {got}" for name, wanted, got in facts if wanted != got]


def _show(ended: list[Ended], out: Path, console: Console) -> None:
    table = Table(
        title="What became of them (seconds of each stage, and until its webhook came)",
        title_justify="left",
        box=box.SIMPLE_HEAD,
    )
    table.show_edge, table.padding = False, (0, 0)  # all of it in 80 columns
    table.add_column("job", no_wrap=True)
    table.add_column("state", no_wrap=True)
    table.add_column("try", justify="right", no_wrap=True)
    for name in ("queued", "prepare", "runtime", "store", "hook"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("artifacts", no_wrap=True)
    for one in ended:
        document, timings = one.document, one.document.timings
        seconds = [timings.queued, timings.prepare, timings.runtime, timings.store]
        state = f"[{_COLOURS.get(document.state, 'yellow')}]{document.state}"
        numbers = ["–" if value is None else f"{value:.2f}" for value in seconds]
        table.add_row(one.job.id, state, str(document.attempt), *numbers, _hook(one), _artifacts(document))
    console.print(table)
    for one in ended:
        if one.document.error is not None:
            console.print(f"{one.job.id}: {one.document.error.message}", highlight=False, markup=False)
    console.print(f"Images and job documents are in [bold]{out.resolve()}[/bold]", soft_wrap=True)


def _hook(one: Ended) -> str:
    """Seconds from a job's end to its webhook at the receiver."""
    if one.webhook is None or one.document.finished_at is None:
        return "[red]none" if one.job.tells else ""
    return f"[green]{one.webhook.at - one.document.finished_at.timestamp():.2f}"


def _artifacts(document: JobDocument) -> str:
    shown = (f"{one.width}×{one.height} {one.bytes // 1024} kB" for one in document.artifacts)
    return "\n".join(shown) or f"{document.error.code if document.error else 'none'}"


def _verdict(ended: list[Ended], running: Flow, console: Console) -> int:
    wrong = [one for one in ended if one.mistakes]
    for one in wrong:
        for mistake in one.mistakes:
            console.print(f"[red]{one.job.id}: {mistake}")
    if wrong:
        console.print(f"[red]{len(wrong)} of {len(ended)} jobs did not go as they should.[/] Logs: {running.logs}")
        return 1
    console.print(f"[green]All {len(ended)} jobs went as they should[/], the one that must fail included.")
    return 0
