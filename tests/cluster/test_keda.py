"""KEDA's hard cases, with the chart's own ScaledObject. The pods are kwok's: what counts is how many there are."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import pytest_asyncio

from darkroom_local.cluster.kwok import fake_node
from darkroom_local.cluster.release import Release
from darkroom_local.cluster.watch import Object, Watch, watch

from .rig import Rig
from .wire import wire

pytestmark = pytest.mark.asyncio(loop_scope="session")

_MOST = 5
_FLAP_SECONDS = 10
"""The HPA looks five times meanwhile, and would take a pod away if it were undecided."""
_VALUES: dict[str, Any] = {
    "pod": {"nodeSelector": {"darkroom/node": "kwok"}},
    "scaling": {"maxReplicas": _MOST, "fallback": {"failures": 2, "replicas": 2}},
}


@pytest_asyncio.fixture(loop_scope="session", autouse=True)
async def _node(rig: Rig) -> AsyncIterator[None]:
    """A node of kwok's with room for all."""
    node = fake_node("kwok", labels={"darkroom/node": "kwok"}, capacity={"nvidia.com/gpu": "100"})
    await rig.kubectl("apply", "--server-side", "-f", "-", given=node)
    yield
    await rig.kubectl("delete", "node", "kwok")


@pytest_asyncio.fixture(loop_scope="session")
async def queue(rig: Rig) -> AsyncIterator[str]:
    """The queue, which is empty again afterwards: nothing reads it here."""
    url = rig.topology.of("keda").queue_url
    yield url
    with contextlib.suppress(rig.sqs.exceptions.QueueDoesNotExist):
        await rig.sqs.purge_queue(QueueUrl=url)


@asynccontextmanager
async def scaled(rig: Rig, *more: dict[str, Any]) -> AsyncIterator[Watch]:
    """The release, and its Deployment to watch once KEDA has it in hand."""
    async with (
        watch(rig.cluster.plane, "deployments", namespace=rig.namespace) as deployments,
        rig.runtime("keda", _VALUES, *more),
    ):
        await rig.kubectl("wait", "--for=condition=Ready", "scaledobject/keda", "--timeout=300s")
        yield deployments


async def send(rig: Rig, url: str, count: int) -> None:
    """Put messages into the queue, as many at once as the emulator bears."""

    async def ten(_: int) -> None:
        entries = [{"Id": str(number), "MessageBody": "{}"} for number in range(min(10, count))]
        await rig.sqs.send_message_batch(QueueUrl=url, Entries=entries)

    for begin in range(0, count, 200):
        await asyncio.gather(*(ten(number) for number in range(begin, min(begin + 200, count), 10)))


def wants(number: int) -> Any:
    """Whether the Deployment is asked for so many pods."""

    def holds(now: list[Object]) -> bool:
        return [one["spec"]["replicas"] for one in now] == [number]

    return holds


def asked(deployments: Watch) -> list[int]:
    """What was asked of the Deployment, one number a change."""
    numbers = [event.object["spec"]["replicas"] for event in deployments.events if event.what != "DELETED"]
    return [number for before, number in zip([None, *numbers], numbers, strict=False) if number != before]


async def test_ten_thousand_messages_make_no_more_pods_than_allowed(rig: Rig, queue: str) -> None:
    """The number of pods only grows while there is work, and never beyond the most."""
    async with scaled(rig) as deployments:
        await deployments.until(wants(0), "no pod is wanted", 300)
        deployments.events.clear()
        await send(rig, queue, 10_000)
        await deployments.until(wants(_MOST), "the most pods are wanted", 300)
        await asyncio.sleep(_FLAP_SECONDS)
        numbers = asked(deployments)
    assert numbers == sorted(numbers)
    assert numbers[-1] == _MOST


async def test_without_an_answer_the_fallback_holds(rig: Rig) -> None:
    """AWS cannot be reached: so many pods as the chart says, for work may wait. When it answers again, none."""
    async with wire(rig.cluster.emulator.url) as way, scaled(rig, {"aws": {"endpointUrl": way.url}}) as deployments:
        await deployments.until(wants(0), "no pod is wanted", 300)
        with way.cut():
            await deployments.until(wants(2), "the fallback's pods are wanted", 300)
        await deployments.until(wants(0), "no pod is wanted", 300)


async def test_without_an_answer_what_is_at_work_stays(rig: Rig, queue: str) -> None:
    """More pods than the fallback has are at work when AWS cannot be reached: none of them is taken away.

    The cooldown outlasts the failures until the fallback holds, as it does by the chart's defaults: while KEDA renews
    its clients after a failure, it can take the trigger for idle (2.20.2: `ErrCacheClosed` in scale_handler.go).
    """
    more = {"scaling": {"cooldownSeconds": 120}}
    async with (
        wire(rig.cluster.emulator.url) as way,
        scaled(rig, {"aws": {"endpointUrl": way.url}}, more) as deployments,
    ):
        await send(rig, queue, 100)
        await deployments.until(wants(_MOST), "the most pods are wanted", 300)
        deployments.events.clear()
        with way.cut():
            await rig.kubectl("wait", "--for=condition=Fallback", "scaledobject/keda", "--timeout=300s")
            await asyncio.sleep(_FLAP_SECONDS)
            assert set(asked(deployments)) <= {_MOST}


async def test_a_queue_that_was_deleted_comes_back(rig: Rig, queue: str) -> None:
    """Without the queue the fallback holds; with a new one of its name, work makes pods again."""
    async with scaled(rig) as deployments:
        attributes = (await rig.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["RedrivePolicy"]))[
            "Attributes"
        ]
        await rig.sqs.delete_queue(QueueUrl=queue)
        try:
            await deployments.until(wants(2), "the fallback's pods are wanted", 300)
        finally:  # the tests that follow need it, too
            await rig.sqs.create_queue(QueueName=queue.rpartition("/")[2], Attributes=attributes)
        await deployments.until(wants(0), "no pod is wanted", 300)
        await send(rig, queue, 100)
        await deployments.until(wants(_MOST), "the most pods are wanted", 300)


async def test_a_cron_trigger_stands_beside_the_queue(rig: Rig, queue: str) -> None:
    """Pods that the clock wants are there without work; more work makes more."""
    always = {"timezone": "UTC", "start": "0 0 1 1 *", "end": "59 23 31 12 *", "desiredReplicas": "2"}
    triggers = {"scaling": {"triggers": [{"type": "cron", "metadata": always}]}}
    async with scaled(rig, triggers) as deployments:
        await deployments.until(wants(2), "the clock's pods are wanted", 300)
        await send(rig, queue, 100)
        await deployments.until(wants(_MOST), "the most pods are wanted", 300)


async def test_paused_it_stays_as_it_is(rig: Rig, queue: str) -> None:
    """While scaling is paused, work makes no pods, and no work takes none away; it goes on once it is resumed."""
    release, plane, paused = Release("keda", rig.namespace), rig.cluster.plane, {"scaling": {"paused": True}}
    async with scaled(rig, paused) as deployments:
        await send(rig, queue, 100)
        await rig.kubectl("wait", "--for=condition=Paused", "scaledobject/keda", "--timeout=300s")
        await asyncio.sleep(_FLAP_SECONDS)  # several of KEDA's looks at the queue
        assert asked(deployments) == [1]  # a Deployment's own, at the install
        await release.install(plane, rig.values("keda", _VALUES))
        await deployments.until(wants(_MOST), "the most pods are wanted", 300)
        await release.install(plane, rig.values("keda", _VALUES, paused))
        await rig.kubectl("wait", "--for=condition=Paused", "scaledobject/keda", "--timeout=300s")
        deployments.events.clear()
        await rig.sqs.purge_queue(QueueUrl=queue)
        await asyncio.sleep(_FLAP_SECONDS)
        assert set(asked(deployments)) <= {_MOST}
        await release.install(plane, rig.values("keda", _VALUES))
        await deployments.until(wants(0), "no pod is wanted", 300)
