"""Plays the boot of an instance: reads its own user data, as Bottlerocket does, and joins the node that it describes.

So wrong user data shows: a node gets the labels, taints and limits that are in there, and no others.
"""

import asyncio
import base64
import tomllib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from darkroom_local.cluster.control_plane import ControlPlane
from darkroom_local.cluster.kwok import fake_node
from darkroom_local.topology import aws_client

_LOOK_SECONDS = 0.5
_ARCHITECTURES = {"x86_64": "amd64", "arm64": "arm64"}


@asynccontextmanager
async def booting(plane: ControlPlane, endpoint: str) -> AsyncIterator[asyncio.Task[None]]:
    """Let every instance of Karpenter's join, for as long as the context lasts: a task that ends only if it fails."""
    task = asyncio.create_task(_boot(plane, endpoint))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def while_booting(boots: asyncio.Task[None]) -> AsyncIterator[None]:
    """Cancel what is done in the context, and raise what happened, if instances cannot boot any more."""
    async with asyncio.TaskGroup() as group:
        failure = group.create_task(_end_of(boots))
        yield
        failure.cancel()


async def _end_of(boots: asyncio.Task[None]) -> None:
    await asyncio.shield(boots)


async def _boot(plane: ControlPlane, endpoint: str) -> None:
    joined: set[str] = set()
    wanted = [
        {"Name": "tag-key", "Values": ["karpenter.sh/nodepool"]},
        {"Name": "instance-state-name", "Values": ["pending", "running"]},
    ]
    async with aws_client("ec2", endpoint) as ec2:
        while True:
            described = await ec2.describe_instances(Filters=wanted)
            for instance in (one for group in described["Reservations"] for one in group["Instances"]):
                if instance["InstanceId"] not in joined:
                    joined.add(instance["InstanceId"])
                    await plane.kubectl("create", "-f", "-", given=await _node(ec2, instance))
            await asyncio.sleep(_LOOK_SECONDS)


async def _node(ec2: Any, instance: Mapping[str, Any]) -> str:
    answer = await ec2.describe_instance_attribute(InstanceId=instance["InstanceId"], Attribute="userData")
    settings = kubernetes_settings(answer["UserData"]["Value"])
    kind = (await ec2.describe_instance_types(InstanceTypes=[instance["InstanceType"]]))["InstanceTypes"][0]
    zone = instance["Placement"]["AvailabilityZone"]
    labels = {
        "kubernetes.io/arch": _ARCHITECTURES[kind["ProcessorInfo"]["SupportedArchitectures"][-1]],
        "node.kubernetes.io/instance-type": instance["InstanceType"],
        "topology.kubernetes.io/zone": zone,
        "topology.kubernetes.io/region": zone[:-1],
        **settings.get("node-labels", {}),
    }
    capacity = {
        "cpu": str(kind["VCpuInfo"]["DefaultVCpus"]),
        "memory": f"{int(kind['MemoryInfo']['SizeInMiB'] * 0.925)}Mi",
        "pods": str(settings.get("max-pods", 110)),
        "ephemeral-storage": "200Gi",
        # What the device plugin would report.
        "nvidia.com/gpu": str(sum(gpu["Count"] for gpu in kind.get("GpuInfo", {}).get("Gpus", ()))),
    }
    provider = f"aws:///{zone}/{instance['InstanceId']}"
    name = instance["PrivateDnsName"]
    return fake_node(name, labels=labels, capacity=capacity, providerID=provider, taints=_taints(settings))


def kubernetes_settings(user_data: str) -> dict[str, Any]:
    """`settings.kubernetes` of Bottlerocket's user data, encoded as EC2 gives it (an emulator may encode it twice)."""
    text = base64.b64decode(user_data).decode()
    if "[settings" not in text:
        text = base64.b64decode(text).decode()
    found: dict[str, Any] = tomllib.loads(text)["settings"]["kubernetes"]
    return found


def _taints(settings: Mapping[str, Any]) -> list[dict[str, str]]:
    """`key = ["value:effect"]` → taints."""
    return [
        {"key": key, "value": one.partition(":")[0], "effect": one.partition(":")[2]}
        for key, written in settings.get("node-taints", {}).items()
        for one in written
    ]
