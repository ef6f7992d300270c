"""The cluster with its API and a runtime, and what tests do to them: install, submit, look."""

import asyncio
import hashlib
import json
import struct
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from darkroom_local.cluster.release import Release, runtime_values
from darkroom_local.cluster.watch import Object, Watch, watch
from darkroom_local.cluster.whole import Cluster
from darkroom_local.topology import RuntimeQueues, Topology

from .inbox import Inbox
from .logs import keep_logs

_SIZE = (128, 96)
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
    s3: Any
    sqs: Any
    namespace: str
    """Of its runtimes: others may be at work on the same cluster."""

    async def kubectl(self, *arguments: str, given: str = "") -> str:
        """Run kubectl in our namespace; its output."""
        return await self.cluster.plane.kubectl(f"--namespace={self.namespace}", *arguments, given=given)

    @asynccontextmanager
    async def runtime(self, name: str, *more: dict[str, Any]) -> AsyncIterator[Watch]:
        """Install a runtime, give its pods to watch, and remove it again."""
        release = Release(name, self.namespace)
        async with watch(self.cluster.plane, "pods", namespace=self.namespace, selector=label(name)) as pods:
            try:
                await release.install(self.cluster.plane, self.values(name, *more))
                yield pods
            except Exception:
                keep_logs(self.cluster.node.pod_logs, "pods")
                raise
            finally:
                await release.uninstall(self.cluster.plane)
                # Helm waits for its own objects alone, and a ReplicaSet that is still there makes pods anew.
                await self.kubectl("wait", "--for=delete", "replicasets", f"--selector={label(name)}", "--timeout=300s")
                # Pods may take their whole grace; the next test of this runtime must not see them.
                await self.kubectl("delete", "pods", f"--selector={label(name)}", "--grace-period=1", "--timeout=300s")

    def values(self, name: str, *more: dict[str, Any]) -> dict[str, Any]:
        """Values of a runtime's release: Terraform's, a test's hurry, and what else is wanted."""
        noted = {
            "runtime": {
                "env": {"SIMULATOR_LOG": f"/gpu/{name}"},
                "volumeMounts": [{"name": "gpu", "mountPath": "/gpu"}],
            },
            "pod": {"volumes": [{"name": "gpu", "hostPath": {"path": str(self._gpu), "type": "Directory"}}]},
        }
        return merged(runtime_values(self.topology, self.cluster.emulator, name), QUICK, noted, *more)

    @property
    def _gpu(self) -> Path:
        """A folder of ours in which simulated GPUs note what they did: pods go, and what they wrote goes with them."""
        folder = self.cluster.plane.folder / "gpu"
        folder.mkdir(exist_ok=True)
        folder.chmod(0o777)  # runtimes are not root
        return folder

    def turns(self, runtime: str) -> int:
        """How many jobs have been on a runtime's GPUs so far, interrupted ones included."""
        noted = self._gpu / runtime
        return len(noted.read_text().splitlines()) if noted.exists() else 0

    async def submit(
        self, runtime: str, count: int, seconds: float, timeout_seconds: int = 300, **fault: Any
    ) -> list[str]:
        """Send jobs through the API that take so long each on the simulated GPU; their ids."""
        ids = [f"{runtime}-{uuid.uuid4().hex[:12]}" for _ in range(count)]
        width, height = _SIZE
        asked = {
            "prompt": "a lake",
            "seed": 1,
            "width": width,
            "height": height,
            "simulator": {"latency": seconds, **fault},
        }
        body = {"runtime": runtime, "task": "text-to-image", "input": asked, "timeout_seconds": timeout_seconds}
        async with aiohttp.ClientSession() as session:
            await asyncio.gather(*(self._post(session, {"id": one, **body}) for one in ids))
        return ids

    async def _post(self, session: aiohttp.ClientSession, body: dict[str, Any]) -> None:
        async with session.post(f"{self.api_url}/v1/jobs", json=body) as answer:
            assert answer.status == 202, await answer.text()

    async def running(self, job: str, seconds: float = 300) -> None:
        """Wait until a job runs, by its document: 2 s after its start. Nobody tells of that, so it is asked."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while (state := (await self.documents([job]))[job]["state"]) != "running":
            assert state == "queued", f"{job} is {state} already"
            assert loop.time() < end, f"{job} does not run within {seconds:g} s"
            await asyncio.sleep(0.2)

    async def pod_of(self, job: str, pods: Watch) -> Object:
        """The pod whose agent says that it has begun a job, among those that are there."""
        (found,) = [
            pod
            for pod in pods.objects.values()
            if any("job.started" in line and job in line for line in (await self.logs(pod, "agent")).splitlines())
        ]
        return found

    async def kill(self, pod: Object, container: str) -> None:
        """SIGKILL a container of a pod, as the kernel does when memory runs out."""
        statuses = [*pod["status"]["initContainerStatuses"], *pod["status"]["containerStatuses"]]
        (made,) = (one["containerID"].rpartition("/")[2] for one in statuses if one["name"] == container)
        await self.cluster.node.ctr("tasks", "kill", "--signal=SIGKILL", made)

    async def one_end(self, job: str) -> dict[str, Any]:
        """As `ends`, of one job."""
        (document,) = await self.ends([job])
        return document

    async def ends(self, jobs: Sequence[str]) -> list[dict[str, Any]]:
        """Documents of jobs, of which all that was told says the same, and whose artifacts are as they say.

        Raises:
            AssertionError: two ends of a job were told, or an artifact is missing or another.
        """
        documents = await self.documents(jobs)
        for job, document in documents.items():
            told = {(one["status"], one["attempt"], *one["image_url"]) for one in self.heard.told[job]}
            artifacts = document.get("artifacts", ())
            assert told == {(document["state"], document["attempt"], *(one["url"] for one in artifacts))}
            for artifact in artifacts:
                content = await self._object(artifact["url"].removeprefix(f"s3://{self.topology.bucket}/"))
                assert hashlib.sha256(content).hexdigest() == artifact["sha256"]
                assert content.startswith(b"\x89PNG")
                assert struct.unpack_from(">II", content, 16) == _SIZE
        return list(documents.values())

    async def documents(self, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Job documents as they lie in the bucket."""
        keys = {one: f"jobs/{hashlib.sha256(one.encode()).hexdigest()[0]}/{one}.json" for one in ids}
        return {one: json.loads(await self._object(key)) for one, key in keys.items()}

    async def _object(self, key: str) -> bytes:
        answer = await self.s3.get_object(Bucket=self.topology.bucket, Key=key)
        content: bytes = await answer["Body"].read()
        return content

    async def messages(self, queues: RuntimeQueues) -> dict[str, int]:
        """How many messages wait, are in flight, and are dead."""
        waiting, dead = await self._attributes(queues.queue_url), await self._attributes(queues.dead_url)
        names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
        return dict(
            zip(("waiting", "in flight", "dead"), (*(waiting[name] for name in names), dead[names[0]]), strict=True)
        )

    async def _attributes(self, url: str) -> dict[str, int]:
        answer = await self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
        return {name: int(value) for name, value in answer["Attributes"].items() if name.startswith("Approximate")}

    async def logs(self, pod: Object, container: str) -> str:
        """What the containers of that name in a pod have written, restarted ones included."""
        meta = pod["metadata"]
        folder = self.cluster.node.pod_logs / f"{meta['namespace']}_{meta['name']}_{meta['uid']}" / container
        return "".join(file.read_text(errors="replace") for file in sorted(folder.glob("*.log")))


def stays(pod: Object) -> bool:
    """Whether it was not told to leave; one that was is there for its grace."""
    return "deletionTimestamp" not in pod["metadata"]


def ready(pod: Object) -> bool:
    """Whether its agent takes jobs, and is to go on with that."""
    conditions = pod["status"].get("conditions", ())
    return stays(pod) and any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def label(runtime: str) -> str:
    """The selector of a runtime's pods."""
    return f"app.kubernetes.io/instance={runtime}"


def merged(*values: dict[str, Any]) -> dict[str, Any]:
    """Values laid over each other, as Helm does with several files; None takes away."""
    result: dict[str, Any] = {}
    for layer in values:
        for name, value in layer.items():
            before = result.pop(name, None)
            if value is not None:
                both = isinstance(before, dict) and isinstance(value, dict)
                result[name] = merged(before or {}, value) if both else value
    return result
