"""Nodes, by the real Karpenter and the chart's NodePool and EC2NodeClass, on emulated EC2; kwok plays the nodes.

What an emulator cannot show is in docs/discussion/scaling-times.md: prices, the choice among types, a real boot.
"""

import asyncio
import base64
import datetime as dt
import json
import tomllib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
from scripts.go_tools import ToolUnavailable, version

from darkroom_local.cluster.karpenter import karpenter
from darkroom_local.cluster.watch import Object, Watch, watch
from darkroom_local.topology import aws_client

from .conftest import unavailable
from .ec2_account import CLUSTER, ROLE, Account, make_account
from .ec2_boot import booting, while_booting
from .ec2_proxy import Call, Ec2Proxy, ec2_proxy
from .rig import Rig, stays

pytestmark = pytest.mark.asyncio(loop_scope="session")

_TYPES = ["g5.xlarge", "g6.xlarge"]
_LARGE = "g5.2xlarge"
_QUEUE_LENGTH = 5
"""Messages a pod: `targetWaitSeconds` by `jobSeconds`."""
_CAPACITY = "TargetCapacitySpecification.DefaultTargetCapacityType"
_BOTTLEROCKET = "1.50.0"
_SPARE = "karpenter.sh/do-not-disrupt"
_SOCI = {
    "pull-mode": "parallel-pull-unpack",
    "parallel-pull-unpack": {
        "max-concurrent-downloads-per-image": 20,
        "concurrent-download-chunk-size": "16mb",
        "max-concurrent-unpacks-per-image": 12,
        "discard-unpacked-layers": True,
    },
}
"""Bottlerocket's settings by the chart's defaults."""
_SNAPSHOT = "snap-0123456789abcdef0"
_VALUES: dict[str, Any] = {
    "nodes": {
        "mode": "dedicated",
        "role": ROLE,
        "discoveryTag": CLUSTER,
        "instanceTypes": _TYPES,
        "bottlerocketVersion": f"v{_BOTTLEROCKET}",
        "consolidateAfter": "2s",
        "labels": {"team": "studio"},
        "tags": {"cost-center": "42"},
        "volume": {"size": "200Gi", "throughput": 500, "iops": 4000},
    },
    "pod": {"nodeSelector": {"darkroom/node": None}},  # not the rig's own
    "scaling": {"maxReplicas": 1},
}


@dataclass(frozen=True, slots=True)
class Cloud:
    """Karpenter's account, and what it does there."""

    account: Account
    proxy: Ec2Proxy
    boots: asyncio.Task[None]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def cloud(rig: Rig) -> AsyncIterator[Cloud]:
    """Karpenter, running against the emulator by way of the proxy; instances boot."""
    emulator, plane = rig.cluster.emulator, rig.cluster.plane
    kubernetes = version("kubernetes").rpartition(".")[0]
    account = await make_account(emulator.url, kubernetes, _BOTTLEROCKET)
    async with ec2_proxy(emulator.url) as proxy, booting(plane, emulator.url) as boots:
        aws = {**emulator.environment, "AWS_ENDPOINT_URL": proxy.url}
        try:
            async with karpenter(plane, aws, CLUSTER, CLUSTER):
                yield Cloud(account, proxy, boots)
        except ToolUnavailable as reason:
            unavailable(reason)


@asynccontextmanager
async def working(rig: Rig, cloud: Cloud, *more: dict[str, Any], count: int = 1) -> AsyncIterator[tuple[Watch, Watch]]:
    """The runtime with so many pods, for messages wait; its pods and the node claims. Afterwards no node is left.

    Nor is an instance, nor what the chart gave Karpenter, once it is uninstalled.
    """
    url = rig.topology.of("nodes").queue_url
    async with while_booting(cloud.boots), watch(rig.cluster.plane, "nodeclaims") as claims:
        for _ in range(count * _QUEUE_LENGTH):
            await rig.sqs.send_message(QueueUrl=url, MessageBody="{}")
        try:
            async with rig.runtime("nodes", _VALUES, *more) as pods:
                for kind in ("ec2nodeclass", "nodepool"):
                    await rig.kubectl("wait", "--for=condition=Ready", f"{kind}/nodes", "--timeout=300s")
                enough = lambda now: sum(map(runs, now)) == count  # noqa: E731
                await pods.until(enough, "as many pods run as are wanted", 300)
                await claims.until(bool, "their nodes were asked for", 300)
                yield pods, claims
                await rig.sqs.purge_queue(QueueUrl=url)
                await claims.until(lambda now: not now, "no node is left", 300)
                assert await instances(rig) == []
        finally:
            await rig.sqs.purge_queue(QueueUrl=url)
    assert await rig.kubectl("get", "nodepools,ec2nodeclasses", "--output=name") == ""


async def instances(rig: Rig) -> list[str]:
    """Ids of the instances that have not been ended."""
    alive = {"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "stopped"]}
    async with aws_client("ec2", rig.cluster.emulator.url) as ec2:
        described = await ec2.describe_instances(
            Filters=[alive, {"Name": "tag-key", "Values": ["karpenter.sh/nodepool"]}]
        )
    return [one["InstanceId"] for group in described["Reservations"] for one in group["Instances"]]


def runs(pod: Object) -> bool:
    """Whether a pod runs that is to stay."""
    return pod["status"].get("phase") == "Running" and stays(pod)


def instance_type(claim: Object) -> str:
    """What it is, once it is launched."""
    return str(claim["metadata"]["labels"].get("node.kubernetes.io/instance-type"))


async def blocked(rig: Rig, claim: Object) -> None:
    """Wait until Karpenter says that it would disrupt a node, but for a pod's mark."""
    fields = f"reason=DisruptionBlocked,involvedObject.name={claim['metadata']['name']}"
    async with watch(rig.cluster.plane, "events", namespace="default", fields=fields) as events:
        says = lambda now: any("do-not-disrupt" in one["message"] for one in now)  # noqa: E731
        await events.until(says, "Karpenter says that the mark stands against it", 300)


async def allow(rig: Rig, types: list[str]) -> None:
    """Let the pool have these instance types."""
    pool = json.loads(await rig.kubectl("get", "nodepool/nodes", "--output=json"))
    wanted = pool["spec"]["template"]["spec"]["requirements"]
    (types_of,) = (one for one in wanted if one["key"] == "node.kubernetes.io/instance-type")
    types_of["values"] = types
    patch = {"spec": {"template": {"spec": {"requirements": wanted}}}}
    await rig.kubectl("patch", "nodepool/nodes", "--type=merge", f"--patch={json.dumps(patch)}")


def template(call: Call) -> dict[str, str]:
    """What a CreateLaunchTemplate asks for, by path below LaunchTemplateData."""
    prefix = "LaunchTemplateData."
    return {name.removeprefix(prefix): value for name, value in call.parameters.items() if name.startswith(prefix)}


def volume(data: dict[str, str], device: str) -> dict[str, str]:
    """Settings of the volume at a device."""
    (name,) = (name for name, value in data.items() if name.endswith(".DeviceName") and value == device)
    prefix = name.removesuffix("DeviceName") + "Ebs."
    return {key.removeprefix(prefix): value for key, value in data.items() if key.startswith(prefix)}


def tags(fleet: dict[str, str], resource: str) -> dict[str, str]:
    """Tags that a CreateFleet gives to a kind of resource."""
    (name,) = (name for name, value in fleet.items() if name.endswith(".ResourceType") and value == resource)
    prefix = name.removesuffix("ResourceType") + "Tag."
    keys = [name for name in fleet if name.startswith(prefix) and name.endswith(".Key")]
    return {fleet[name]: fleet[name.removesuffix("Key") + "Value"] for name in keys}


def user_data(data: dict[str, str]) -> dict[str, Any]:
    """Bottlerocket's settings."""
    found: dict[str, Any] = tomllib.loads(base64.b64decode(data["UserData"]).decode())["settings"]
    return found


async def test_a_pod_makes_a_spot_node_as_the_values_say(rig: Rig, cloud: Cloud) -> None:
    """The request names the allowed types and Spot; the template has user data, volumes, metadata options and tags."""
    async with working(rig, cloud) as (pods, claims):
        (claim,) = claims.objects.values()
        assert claim["metadata"]["labels"]["karpenter.sh/capacity-type"] == "spot"
        (pod,) = filter(runs, pods.objects.values())
        node = json.loads(await rig.kubectl("get", "node", pod["spec"]["nodeName"], "--output=json"))
    fleet = cloud.proxy.of("CreateFleet")[0].parameters
    types = {value for name, value in fleet.items() if name.endswith(".InstanceType")}
    assert types
    assert types <= set(_TYPES)
    assert fleet[_CAPACITY] == "spot"
    data = template(cloud.proxy.of("CreateLaunchTemplate")[-1])
    settings = user_data(data)
    assert settings["container-runtime"] == {"snapshotter": "soci"}
    assert settings["container-runtime-plugins"]["soci-snapshotter"] == _SOCI
    assert settings["kubernetes"]["cluster-name"] == CLUSTER
    assert settings["kubernetes"]["node-labels"]["team"] == "studio"
    assert {"darkroom/runtime", "nvidia.com/gpu"} <= settings["kubernetes"]["node-taints"].keys()
    assert data["ImageId"] == cloud.account.images["nvidia/x86_64"]
    expected = {"VolumeSize": "200", "VolumeType": "gp3", "Throughput": "500", "Iops": "4000", "Encrypted": "true"}
    assert expected.items() <= volume(data, "/dev/xvdb").items()
    assert "SnapshotId" not in volume(data, "/dev/xvdb")
    assert (data["MetadataOptions.HttpTokens"], data["MetadataOptions.HttpPutResponseHopLimit"]) == ("required", "1")
    for resource in ("instance", "volume"):
        assert {"cost-center": "42", "darkroom:runtime": "nodes"}.items() <= tags(fleet, resource).items()
    # The node has what its own user data say: labels and taints reached it by no other way.
    assert node["metadata"]["labels"]["team"] == "studio"
    assert "darkroom/runtime" in {taint["key"] for taint in node["spec"]["taints"]}


async def test_an_interrupted_node_is_replaced(rig: Rig, cloud: Cloud) -> None:
    """After a Spot notice the pod runs on another node, the instance ends, and the message is deleted."""
    async with working(rig, cloud) as (pods, claims):
        (claim,) = claims.objects.values()
        instance = claim["status"]["providerID"].rpartition("/")[2]
        (pod,) = filter(runs, pods.objects.values())
        await rig.sqs.send_message(QueueUrl=cloud.account.interruption_queue, MessageBody=spot_notice(instance))
        first = pod["spec"]["nodeName"]
        elsewhere = lambda now: any(runs(one) and one["spec"]["nodeName"] != first for one in now)  # noqa: E731
        await pods.until(elsewhere, "the pod runs on another node", 300)
        gone = claim["metadata"]["uid"]
        await claims.until(lambda now: all(one["metadata"]["uid"] != gone for one in now), "the node is gone", 300)
        ended = [call for call in cloud.proxy.of("TerminateInstances") if instance in call.parameters.values()]
        assert ended
        assert cloud.proxy.of("DeleteMessage")


async def test_consolidation_spares_a_node_whose_pod_is_busy(rig: Rig, cloud: Cloud) -> None:
    """Smaller nodes would do for both pods: one is moved to such a node, the one that bears the agent's mark stays.

    It stays because of the mark, as Karpenter says itself; without the mark it is moved as well. No image cache here:
    neither a snapshot nor SOCI.
    """
    large = {
        "nodes": {
            "consolidationPolicy": "WhenEmptyOrUnderutilized",
            "capacityTypes": ["on-demand"],
            "instanceTypes": [_LARGE],
        },
        "imageCache": {"mode": "none"},
        "scaling": {"maxReplicas": 2},
    }
    async with working(rig, cloud, large, count=2) as (pods, claims):
        busy = next(one for one in pods.objects.values() if runs(one))
        its_node = busy["spec"]["nodeName"]
        await rig.kubectl("annotate", "pod", busy["metadata"]["name"], f"{_SPARE}=true")
        (spared,) = (uid for uid, one in claims.objects.items() if one["status"]["nodeName"] == its_node)
        assert {instance_type(one) for one in claims.objects.values()} == {_LARGE}
        await allow(rig, [_LARGE, *_TYPES])
        moved = lambda now: sorted(instance_type(one) in _TYPES for one in now) == [False, True]  # noqa: E731
        await claims.until(moved, "one large node, and a smaller one in the other's place", 300)
        await blocked(rig, claims.objects[spared])
        assert stays(claims.objects[spared])
        await rig.kubectl("annotate", "pod", busy["metadata"]["name"], f"{_SPARE}-")
        both = lambda now: sorted(instance_type(one) in _TYPES for one in now) == [True, True]  # noqa: E731
        await claims.until(both, "two smaller nodes", 300)
    data = template(cloud.proxy.of("CreateLaunchTemplate")[-1])
    assert "SnapshotId" not in volume(data, "/dev/xvdb")
    assert "container-runtime" not in user_data(data)


async def test_without_spot_it_is_on_demand_with_the_snapshot(rig: Rig, cloud: Cloud) -> None:
    """Spot is refused: On-Demand follows by itself. The data volume is the snapshot's, and SOCI is off."""
    snapshot = {"imageCache": {"mode": "snapshot", "snapshotID": _SNAPSHOT}}
    calls = len(cloud.proxy.of("CreateFleet"))
    cloud.proxy.refuse_spot = True
    try:
        async with working(rig, cloud, snapshot) as (_, claims):
            labels = {claim["metadata"]["labels"]["karpenter.sh/capacity-type"] for claim in claims.objects.values()}
            assert labels == {"on-demand"}
        asked = [call.parameters[_CAPACITY] for call in cloud.proxy.of("CreateFleet")[calls:]]
        assert asked.index("spot") < asked.index("on-demand")
    finally:
        cloud.proxy.refuse_spot = False
    data = template(cloud.proxy.of("CreateLaunchTemplate")[-1])
    assert volume(data, "/dev/xvdb")["SnapshotId"] == _SNAPSHOT
    assert volume(data, "/dev/xvdb")["VolumeInitializationRate"] == "300"
    assert "container-runtime" not in user_data(data)


def spot_notice(instance: str) -> str:
    """EC2's notice, as EventBridge puts it into the queue."""
    return json.dumps(
        {
            "version": "0",
            "id": "12345678-1234-1234-1234-123456789012",
            "detail-type": "EC2 Spot Instance Interruption Warning",
            "source": "aws.ec2",
            "account": "000000000000",
            "time": dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": "us-east-1",
            "resources": [f"arn:aws:ec2:us-east-1a:instance/{instance}"],
            "detail": {"instance-id": instance, "instance-action": "terminate"},
        }
    )
