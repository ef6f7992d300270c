"""One trace through real processes: client, API, topic, queue, agent, runtime, results topic, webhook."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from darkroom_agent.spans import SPANS
from darkroom_local.emulator import Emulator
from darkroom_local.front import front_door
from darkroom_local.receiver import Delivery, receiver
from darkroom_local.webhooks import leave_for, webhook_sender
from darkroom_simulator.draw import draw, encode_png
from tests.integration.world import World, world
from tests.telemetry import Collector, Daemon, Told, collector, daemon

TRACE, CLIENT = "6a1d2f405be95dbf8e9c4d0f95dd3a61", "53995c3f42cd8ad8"


@pytest.fixture
def told() -> Iterator[Collector]:
    with collector() as made:
        yield made


@pytest.fixture
def xray() -> Iterator[Daemon]:
    with daemon() as made:
        yield made


@asynccontextmanager
async def whole_flow(
    emulator: Emulator, folder: Path, kind: str, told: Collector, xray: Daemon
) -> AsyncIterator[tuple[World, str, str]]:
    """API, agent, runtime and webhooks, with ears for their traces; the world, and where API and receiver are."""
    heard: asyncio.Queue[Delivery] = asyncio.Queue()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_XRAY_DAEMON_ADDRESS", xray.address)
        async with (
            world(emulator, folder, kind) as sd,
            receiver(sd.topology.webhooks.secret, heard.put_nowait) as hook,
            webhook_sender(sd.topology, emulator, folder, hook),
            front_door(sd.topology, emulator, folder, **leave_for(hook)) as api,
        ):
            await sd.agent(OTEL_EXPORTER_OTLP_ENDPOINT=told.url, OTEL_BSP_SCHEDULE_DELAY="200")
            yield sd, api, hook


async def _submit(api: str, body: dict[str, Any]) -> dict[str, Any]:
    headers = {"traceparent": f"00-{TRACE}-{CLIENT}-01"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(f"{api}/v1/jobs", json=body) as answer,
    ):
        assert answer.status == 202, await answer.text()
        said: dict[str, Any] = await answer.json()
        return said


def _tree(spans: list[Told]) -> dict[str, set[str]]:
    """Names of the spans below each, from the client's down; a queue's name is left out."""

    def name(span: Told) -> str:
        return "process <queue>" if span.name.startswith("process ") else span.name

    names = {CLIENT: "client", **{span.span_id: name(span) for span in spans}}
    tree: dict[str, set[str]] = {}
    for span in spans:
        tree.setdefault(names[span.parent_id or "none"], set()).add(name(span))
    return tree


async def test_one_trace_from_the_client_to_the_webhook(
    emulator: Emulator, tmp_path: Path, told: Collector, xray: Daemon
) -> None:
    """Every part hangs below the one before it; answer, document, notification and logs name the trace."""
    async with whole_flow(emulator, tmp_path, "comfyui", told, xray) as (sd, api, hook):
        bucket = sd.topology.bucket
        await sd.clients["s3"].put_object(Bucket=bucket, Key="inputs/a.png", Body=encode_png(draw("in", 1, 96, 64), {}))
        graph = {
            "1": {"class_type": "LoadImage", "inputs": {"image": f"s3://{bucket}/inputs/a.png"}},
            "2": {"class_type": "ImageInvert", "inputs": {"image": ["1", 0]}},
            "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": "inv"}},
        }
        said = await _submit(
            api, {"id": "whole", "runtime": "sd", "task": "pipeline", "input": graph, "webhook": {"url": hook}}
        )
        notification, document = await sd.notified("whole"), await sd.document("whole")
        segments = await asyncio.to_thread(xray.segments, 2)
        await asyncio.to_thread(told.wait, lambda one: any(span.name.startswith("process ") for span in one.spans))
    spans = [*segments, *told.spans]
    assert {span.trace_id for span in spans} == {TRACE}
    assert _tree(spans) == {
        "client": {"darkroom-submit"},
        "darkroom-submit": {"process <queue>"},
        "process <queue>": SPANS.keys() - {"process <queue>", "input", "artifact"},
        "prepare": {"input"},
        "store": {"artifact"},
        "notify": {"darkroom-webhook"},
    }
    assert {span.attributes["darkroom_job_id"] for span in segments} == {"whole"}
    assert all(span.began <= span.ended for span in spans)
    ours = "1-6a1d2f40-5be95dbf8e9c4d0f95dd3a61"
    assert said["trace_id"] == document.trace_id == notification["trace_id"] == ours
    run = next(span for span in spans if span.name == "run")
    steps = [attributes["darkroom.step"] for name, attributes in run.events if name == "step"]
    assert steps == ["1 LoadImage", "2 ImageInvert", "3 SaveImage"]
    assert document.timings.node_classes == {"1": "LoadImage", "2": "ImageInvert", "3": "SaveImage"}
    assert {(span.resource["service.name"], span.resource["darkroom.runtime"]) for span in told.spans} == {
        ("darkroom-agent", "sd")
    }


async def test_a_second_attempt_is_linked_to_the_first(
    emulator: Emulator, tmp_path: Path, told: Collector, xray: Daemon
) -> None:
    """Both are below the submission, in one trace; the first tells why there is a second."""
    async with whole_flow(emulator, tmp_path, "sdwebui", told, xray) as (_, api, _hook):
        fails_once = {"fault": "runtime-error", "times": 1, "key": "again"}
        request = {"prompt": "x", "width": 64, "height": 64, "simulator": fails_once}
        await _submit(api, {"id": "again", "runtime": "sd", "task": "text-to-image", "input": request})
        (submission,) = await asyncio.to_thread(xray.segments, 1)
        await asyncio.to_thread(told.wait, lambda one: sum(span.name.startswith("process ") for span in one.spans) == 2)
    first, second = sorted((span for span in told.spans if span.name.startswith("process ")), key=lambda one: one.began)
    assert {one.trace_id for one in (first, second)} == {TRACE}
    assert {one.parent_id for one in (first, second)} == {submission.span_id}
    assert second.links == (first.span_id,)
    assert (first.attributes["darkroom.state"], second.attributes["darkroom.state"]) == ("retried", "completed")
    assert first.attributes["error.type"] == "runtime_failed"
    assert first.error


async def test_every_line_of_a_job_names_its_trace(
    emulator: Emulator, tmp_path: Path, told: Collector, xray: Daemon
) -> None:
    """In the logs of the agent, of the API and of the webhooks, so that from a trace one finds its lines and back."""
    async with whole_flow(emulator, tmp_path, "sdwebui", told, xray) as (sd, api, hook):
        (agent,) = sd.agents
        request = {"prompt": "x", "width": 64, "height": 64}
        job = {"id": "logged", "runtime": "sd", "task": "text-to-image", "input": request, "webhook": {"url": hook}}
        await _submit(api, job)
        await asyncio.to_thread(xray.segments, 2)
        await agent.says_of("logged", "job.completed")
    for file in ("api.log", "webhooks.log"):
        lines = [json.loads(line) for line in (tmp_path / file).read_text().splitlines() if line.startswith("{")]
        assert [line for line in lines if line.get("trace_id") == f"1-{TRACE[:8]}-{TRACE[8:]}"], file
    lines = [line for line in agent.logged if line.get("job_id") == "logged"]
    assert {(line["trace_id"], line["runtime"], line["attempt"]) for line in lines} == {
        (f"1-{TRACE[:8]}-{TRACE[8:]}", "sd", 1)
    }
