"""The cluster with its API and a runtime, and what tests do to them: install, submit, look."""

import asyncio
import hashlib
import json
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

from darkroom_local.cluster.release import Release, runtime_values
from darkroom_local.cluster.watch import Object, Watch, watch
from darkroom_local.cluster.whole import Cluster
from darkroom_local.topology import RuntimeQueues, Topology, aws_client

from .inbox import Inbox

NAMESPACE = "runtimes"

# A test's minutes are for what is tested: everything that only waits is short.
QUICK: dict[str, Any] = {
    "runtime": {"resources": {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"memory": "512Mi"}}},
    "agent": {"resources": {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"memory": "512Mi"}}},
    "jobs": {"maxSeconds": 60},
    "models": {"mode": "none"},
    "nodes": {"mode": "any"},
    "pod": {"nodeSelector": {"darkroom/node": "real"}},
    "scaling": {
        "targetWaitSeconds": 10,
        "maxReplicas": 3,
        "pollingSeconds": 1,
        "cooldownSeconds": 5,
        "behavior": {"scaleDown": {"stabilizationWindowSeconds": 0, "policies": []}},
    },
}


@dataclass(frozen=True, slots=True)
class Rig:
    """The cluster, what AWS has, where the API is, and what the results topic tells."""

    cluster: Cluster
    topology: Topology
    api_url: str
    heard: Inbox

    async def kubectl(self, *arguments: str, given: str = "") -> str:
        """Run kubectl in the runtimes' namespace; its output."""
        return await self.cluster.plane.kubectl(f"--namespace={NAMESPACE}", *arguments, given=given)

    @asynccontextmanager
    async def runtime(self, name: str, *more: dict[str, Any]) -> AsyncIterator[Watch]:
        """Install a runtime, give its pods to watch, and remove it again."""
        release = Release(name, NAMESPACE)
        async with watch(self.cluster.plane, "pods", f"--namespace={NAMESPACE}", f"--selector={label(name)}") as pods:
            try:
                await release.install(self.cluster.plane, self.values(name, *more))
                yield pods
            finally:
                await release.uninstall(self.cluster.plane)

    def values(self, name: str, *more: dict[str, Any]) -> dict[str, Any]:
        """Values of a runtime's release: Terraform's, a test's hurry, and what else is wanted."""
        return merged(runtime_values(self.topology, self.cluster.emulator, name), QUICK, *more)

    async def submit(self, runtime: str, count: int, seconds: float, **fault: Any) -> list[str]:
        """Send jobs through the API that take so long each on the simulated GPU; their ids."""
        ids = [f"{runtime}-{uuid.uuid4().hex[:12]}" for _ in range(count)]
        async with aiohttp.ClientSession() as session:
            await asyncio.gather(*(self._post(session, runtime, one, seconds, fault) for one in ids))
        return ids

    async def _post(
        self, session: aiohttp.ClientSession, runtime: str, job: str, seconds: float, fault: dict[str, Any]
    ) -> None:
        asked = {"prompt": job, "seed": 1, "width": 128, "height": 96, "simulator": {"latency": seconds, **fault}}
        body = {"id": job, "runtime": runtime, "task": "text-to-image", "input": asked}
        async with session.post(f"{self.api_url}/v1/jobs", json=body) as answer:
            assert answer.status == 202, await answer.text()

    async def documents(self, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Job documents as they lie in the bucket."""
        async with aws_client("s3", self.cluster.emulator.url) as s3:
            found = {}
            for one in ids:
                key = f"jobs/{hashlib.sha256(one.encode()).hexdigest()[0]}/{one}.json"
                answer = await s3.get_object(Bucket=self.topology.bucket, Key=key)
                found[one] = json.loads(await answer["Body"].read())
            return found

    async def messages(self, queues: RuntimeQueues) -> dict[str, int]:
        """How many messages wait, are in flight, and are dead."""
        async with aws_client("sqs", self.cluster.emulator.url) as sqs:
            waiting = await self._attributes(sqs, queues.queue_url)
            dead = await self._attributes(sqs, queues.dead_url)
        names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
        return dict(
            zip(("waiting", "in flight", "dead"), (*(waiting[name] for name in names), dead[names[0]]), strict=True)
        )

    async def _attributes(self, sqs: Any, url: str) -> dict[str, int]:
        answer = await sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
        return {name: int(value) for name, value in answer["Attributes"].items() if name.startswith("Approximate")}

    async def logs(self, pod: Object, container: str) -> str:
        """What the containers of that name in a pod have written, restarted ones included."""
        meta = pod["metadata"]
        folder = self.cluster.node.pod_logs / f"{meta['namespace']}_{meta['name']}_{meta['uid']}" / container
        return "".join(file.read_text(errors="replace") for file in sorted(folder.glob("*.log")))


def label(runtime: str) -> str:
    """The selector of a runtime's pods."""
    return f"app.kubernetes.io/instance={runtime}"


def merged(*values: dict[str, Any]) -> dict[str, Any]:
    """Values laid over each other, as Helm does with several files."""
    result: dict[str, Any] = {}
    for layer in values:
        for name, value in layer.items():
            before = result.get(name)
            result[name] = merged(before, value) if isinstance(before, dict) and isinstance(value, dict) else value
    return result
