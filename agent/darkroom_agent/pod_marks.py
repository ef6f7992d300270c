"""Mark the own pod while it is busy, so that scale-in and Karpenter spare it.

| annotation | busy | read by |
|---|---|---|
| `controller.kubernetes.io/pod-deletion-cost` | `100` | the ReplicaSet: idle pods go first |
| `karpenter.sh/do-not-disrupt` | `true` | Karpenter: the node stays until the pod is idle |

Marks are a courtesy. Without them a busy pod finishes or returns its job, as after any SIGTERM; so nothing here is
waited for, and what fails is told once.
"""

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import msgspec
import structlog

from .kubernetes import KubernetesFailed, address, call
from .settings import Settings

log = structlog.get_logger()

MARKS = {"controller.kubernetes.io/pod-deletion-cost": "100", "karpenter.sh/do-not-disrupt": "true"}
_FIRST_PAUSE, _LONGEST_PAUSE = 5.0, 600.0  # seconds, while the API refuses or cannot be reached


class PodMarks(Protocol):
    """Hears whether the pod is busy."""

    def busy(self) -> None:
        """Something is in hand."""

    def idle(self) -> None:
        """Nothing is in hand any more."""

    async def watch(self) -> None:
        """Keep the marks right; must run as a task."""


class NoMarks:
    """Where there is no pod, or none that wants marks."""

    def busy(self) -> None:
        """Nothing to do."""

    def idle(self) -> None:
        """Nothing to do."""

    async def watch(self) -> None:
        """Nothing to do."""


class MarkFailed(Exception):
    """The pod could not be marked; the message says why."""


class Pod(Protocol):
    """The own pod, as its marks are set."""

    async def mark(self, annotations: Mapping[str, str | None]) -> None:
        """Set these annotations, or remove those that are None.

        Raises:
            MarkFailed: it could not be done.
        """


class Marks:
    """One change of the marks for a change that lasts: never one a job."""

    def __init__(self, pod: Pod, after: float) -> None:
        """`after`: seconds that the pod must be busy, or idle, before it is marked as such."""
        self._pod = pod
        self._after = after
        self._is_busy = False
        self._changed = asyncio.Event()

    def busy(self) -> None:
        """Something is in hand."""
        self._is(busy=True)

    def idle(self) -> None:
        """Nothing is in hand any more."""
        self._is(busy=False)

    def _is(self, *, busy: bool) -> None:
        if busy is not self._is_busy:
            self._is_busy = busy
            self._changed.set()

    async def watch(self) -> None:
        """Keep the marks right, for ever.

        What the pod is marked as is not known at first: an agent that was killed may have left its marks.
        """
        marked: bool | None = None
        pause, told = _FIRST_PAUSE, False
        while True:
            busy = await self._lasting()
            if busy is marked:
                await self._changed.wait()
                continue
            try:
                await self._pod.mark(MARKS if busy else dict.fromkeys(MARKS))
            except MarkFailed as failure:
                if not told:
                    log.warning(
                        "pod.not_marked", error=str(failure), hint="the pod works, but is not spared while busy"
                    )
                told = True
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
            else:
                log.debug("pod.marked", busy=busy)
                marked, pause, told = busy, _FIRST_PAUSE, False

    async def _lasting(self) -> bool:
        """Wait until the pod has been busy, or idle, for long enough; which."""
        while True:
            self._changed.clear()
            busy = self._is_busy
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._after):
                    await self._changed.wait()
                    continue
            return busy


@dataclass(frozen=True, slots=True)
class KubernetesPod:
    """The own pod at Kubernetes' API, by the service account's token."""

    url: str
    service_account: Path

    async def mark(self, annotations: Mapping[str, str | None]) -> None:
        """Patch the annotations."""
        patch = msgspec.json.encode({"metadata": {"annotations": annotations}})
        try:
            await call("PATCH", f"{self.url}?fieldManager=darkroom-agent", self.service_account, patch)
        except KubernetesFailed as failure:
            raise MarkFailed(str(failure)) from failure


def pod_marks(settings: Settings) -> PodMarks:
    """The marks that the settings want: none outside a pod."""
    if settings.pod_name is None:
        return NoMarks()
    api = address(settings)
    if settings.pod_namespace is None or api is None:
        missing = "POD_NAMESPACE" if settings.pod_namespace is None else "KUBERNETES_SERVICE_HOST"
        log.warning("pod.not_marked", error=f"{missing} is not set", hint="POD_NAME is for pods in Kubernetes")
        return NoMarks()
    url = f"{api}/api/v1/namespaces/{settings.pod_namespace}/pods/{settings.pod_name}"
    return Marks(KubernetesPod(url, Path(settings.service_account)), settings.pod_marks_after)
