"""Bulk and normal work together, and tenants beside each other: a real agent, a real runtime, AWS's rules."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from darkroom_local.emulator import CREDENTIALS
from darkroom_local.topology import RuntimeSpec, Topology, aws_client, make_topology
from tests.integration.world import Agent, run_agent
from tests.simulators import Simulator, simulator
from tests.standin import RunningStandin, standin

JOB_SECONDS = 0.3


@dataclass
class Shop:
    """A runtime with a bulk queue, and nobody at work yet."""

    aws: RunningStandin
    topology: Topology
    runtime: Simulator
    sns: Any
    stack: AsyncExitStack

    async def agent(self, **environ: str) -> Agent:
        """Let one work."""
        variables = {
            **self.topology.agent_environment("sd"),
            **CREDENTIALS,
            "AWS_ENDPOINT_URL": self.aws.url,
            "API_BASE_URL": self.runtime.url,
            "WAIT_SECONDS": "1",
            **environ,
        }
        agent = await run_agent(self.stack, variables)
        await agent.says("agent.ready")
        return agent

    async def job(self, name: str, *, priority: str = "normal", tenant: str = "t") -> None:
        """Send one, as the API does: routed by priority, grouped by tenant."""
        body = {
            "id": name,
            "runtime": "sd",
            "task": "text-to-image",
            "tenant": tenant,
            "priority": priority,
            "input": {"prompt": name, "width": 64, "height": 64},
        }
        attributes = {
            key: {"DataType": "String", "StringValue": body[key]} for key in ("runtime", "priority", "tenant")
        }
        await self.sns.publish(
            TopicArn=self.topology.jobs_arn,
            Message=json.dumps(body),
            MessageAttributes=attributes,
            MessageGroupId=tenant,
        )

    async def order(self) -> list[str]:
        """The jobs that have run, in their order."""
        return [str(call["job"]) for call in await self.runtime.calls()]


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with AsyncExitStack() as stack:
        aws = await stack.enter_async_context(standin())
        topology = await make_topology(aws.url, [RuntimeSpec("sd", "sdwebui", bulk=True)], "fair")
        runtime = await stack.enter_async_context(simulator("sdwebui", latency=JOB_SECONDS))
        sns = await stack.enter_async_context(aws_client("sns", aws.url))
        yield Shop(aws, topology, runtime, sns, stack)


async def test_a_normal_job_waits_for_one_running_bulk_job_and_no_more(shop: Shop) -> None:
    """With twenty bulk jobs waiting, here and in their queue."""
    for number in range(20):
        await shop.job(f"bulk-{number}", priority="bulk")
    agent = await shop.agent()
    for number in range(3):
        await agent.says("job.started", count=2 + 4 * number)
        running = len(await shop.order())
        await shop.job(f"normal-{number}")
        await agent.says_of(f"normal-{number}", "job.completed")
        # Finished before it: at most the one that ran when it came, and one that began while it was on its way.
        assert (await shop.order()).index(f"normal-{number}") <= running + 2


async def test_bulk_gets_its_share_beside_a_full_normal_queue(shop: Shop) -> None:
    """One job in five, here; neither starves."""
    for number in range(16):
        await shop.job(f"normal-{number}")
        await shop.job(f"bulk-{number}", priority="bulk")
    agent = await shop.agent(BULK_EVERY="5")
    await agent.says("job.completed", count=20, seconds=30)
    order = (await shop.order())[:20]
    last_normal = max(index for index, name in enumerate(order) if name.startswith("normal"))
    share = sum(name.startswith("bulk") for name in order[:last_normal]) / last_normal
    assert 0.1 <= share <= 0.35


async def test_one_tenants_flood_does_not_delay_anothers_job(shop: Shop) -> None:
    """Fair queues: the second tenant's job is handed out next, and waits for what the agent holds already."""
    for number in range(40):
        await shop.job(f"flood-{number}", tenant="loud")
    agent = await shop.agent()
    await agent.says("job.started", count=10)  # it has learnt by then how few jobs it needs to hold
    before = len(await shop.order())
    await shop.job("quiet", tenant="quiet")
    await agent.says_of("quiet", "job.completed")
    assert (await shop.order()).index("quiet") <= before + 3
