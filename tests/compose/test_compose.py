"""`docker compose up`: everything healthy, jobs of every type through the API, an agent killed in the midst of one."""

import asyncio
import hashlib
from typing import Any

import aiohttp

from darkroom_local.flow import RUNTIMES
from darkroom_local.jobs import workflow
from tests.compose.composition import Composition

_TEXT_TO_IMAGE = {"prompt": "a quiet lake at dawn", "seed": 7, "width": 256, "height": 256, "steps": 8}


async def submit(api: aiohttp.ClientSession, **job: Any) -> None:
    """Send a job to the API."""
    async with api.post("/v1/jobs", json=job) as answer:
        assert answer.status == 202, await answer.text()


async def ended(api: aiohttp.ClientSession, job_id: str, seconds: float = 90) -> dict[str, Any]:
    """Wait for a job's final state; its document."""
    async with asyncio.timeout(seconds):
        while True:
            async with api.get(f"/v1/jobs/{job_id}", headers={"Prefer": "wait=20"}) as answer:
                document: dict[str, Any] = await answer.json()
            if document["state"] not in {"queued", "running"}:
                return document


async def test_everything_is_healthy(composition: Composition) -> None:
    """In order: set-up is done, the rest runs, and what has a health check passes it."""
    states = {one["Service"]: (one["State"], one["Health"], one["ExitCode"]) for one in composition.containers()}
    assert states.pop("setup") == ("exited", "", 0)
    assert {service for service, (state, _, _) in states.items() if state != "running"} == set()
    assert {service for service, (_, health, _) in states.items() if health not in {"healthy", ""}} == set()
    pods = {f"{spec.name}-{part}" for spec in RUNTIMES for part in ("agent", "simulator")}
    assert pods | {"aws", "api"} <= {service for service, (_, health, _) in states.items() if health == "healthy"}


async def test_jobs_of_every_type_end_with_pictures(composition: Composition, api: aiohttp.ClientSession) -> None:
    """Their addresses hold on this machine, outside of the containers."""
    await submit(api, id="webui", runtime="sd-webui", task="text-to-image", input=_TEXT_TO_IMAGE)
    await submit(api, id="comfyui", runtime="sd-comfyui", task="pipeline", input=workflow("a lighthouse", 11))
    await submit(api, id="openai", runtime="sd-openai", task="text-to-image", input={"prompt": "a village"})
    for job_id, artifacts in (("webui", 1), ("comfyui", 2), ("openai", 1)):
        document = await ended(api, job_id)
        assert (document["state"], len(document["artifacts"])) == ("completed", artifacts), document
        for artifact in document["artifacts"]:
            async with api.get(artifact["download_url"]) as picture:
                assert hashlib.sha256(await picture.read()).hexdigest() == artifact["sha256"]


async def test_a_job_outlives_its_agent(composition: Composition, api: aiohttp.ClientSession) -> None:
    """The agent's container is killed while the runtime works; when it is back, the job is run to its end."""
    await submit(api, id="unlucky", runtime="sd-webui", task="text-to-image", input=_TEXT_TO_IMAGE)
    async with asyncio.timeout(60):
        while True:
            async with api.get("/v1/jobs/unlucky") as answer:
                if (await answer.json())["state"] == "running":
                    break
            await asyncio.sleep(0.1)
    agent = composition.container("sd-webui-agent")
    await asyncio.to_thread(composition.docker, "kill", agent)
    await asyncio.to_thread(composition.docker, "start", agent)
    document = await ended(api, "unlucky")
    assert (document["state"], document["attempt"], len(document["artifacts"])) == ("completed", 2, 1)


async def test_the_receiver_hears_of_a_job(composition: Composition, api: aiohttp.ClientSession) -> None:
    """By a signed webhook, container to container."""
    hook = {"url": "http://receiver:8000/"}
    await submit(api, id="told", runtime="sd-webui", task="text-to-image", input=_TEXT_TO_IMAGE, webhook=hook)
    await ended(api, "told")
    async with asyncio.timeout(60):
        while "job.completed told" not in await asyncio.to_thread(composition, "logs", "receiver"):  # noqa: ASYNC110
            await asyncio.sleep(0.5)


async def test_the_playground_is_there(api: aiohttp.ClientSession) -> None:
    """At the port of the API."""
    async with api.get("/") as page:
        assert page.status == 200
        assert "Darkroom" in await page.text()


async def test_the_api_describes_itself(api: aiohttp.ClientSession) -> None:
    """From a file that lies beside the code, in the repository, in the Lambda's zip and in this image."""
    async with api.get("/v1/openapi.json") as described:
        assert described.status == 200
        assert "/v1/jobs" in (await described.json())["paths"]


async def test_nothing_is_left(composition: Composition) -> None:
    """Of another profile neither; the last of these tests, for it takes everything down."""
    await asyncio.to_thread(composition, "--profile", "comfyui", "up", "--detach", "--no-deps", "comfyui-agent")
    assert "comfyui-agent" in await asyncio.to_thread(composition, "--profile", "*", "ps", "--services")
    assert composition.left()
    assert composition.volumes() == []
    await asyncio.to_thread(composition.down)
    assert composition.left() == []
