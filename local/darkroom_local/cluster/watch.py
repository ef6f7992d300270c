"""See what happens to objects of a cluster, when it happens: a stream of events, and waits for a state."""

import asyncio
import codecs
import contextlib
import json
import time
import urllib.parse
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from scripts.go_tools import program

from darkroom_local.tether import tethered

from .control_plane import ControlPlane
from .programs import ClusterFailed

type Object = Mapping[str, Any]

_APIS = {
    "pods": "/api/v1",
    "events": "/api/v1",
    "deployments": "/apis/apps/v1",
    "nodeclaims": "/apis/karpenter.sh/v1",
}
_AGAIN_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Event:
    """A change of an object, and when it was seen (`time.time`)."""

    at: float
    what: str
    """ADDED, MODIFIED or DELETED."""
    object: Object

    @property
    def name(self) -> str:
        """The object's name."""
        return str(self.object["metadata"]["name"])


@dataclass(slots=True)
class Watch:
    """Objects of one kind as they are now, and all that has happened to them since the watch began."""

    kind: str
    events: list[Event] = field(default_factory=list)
    objects: dict[str, Object] = field(default_factory=dict)
    """By uid: a new object may have an old one's name."""
    trouble: str = ""
    """Why the API server cannot be asked, as long as it cannot."""
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def until(self, holds: Callable[[list[Object]], bool], what: str, seconds: float) -> float:
        """Wait until the objects are as they should be; when that was seen (`time.time`).

        Raises:
            ClusterFailed: they were not within that time; with what they were.
        """
        try:
            async with asyncio.timeout(seconds), self._changed:
                await self._changed.wait_for(lambda: holds(list(self.objects.values())))
        except TimeoutError:
            told = ", ".join(f"{one['metadata']['name']} {told_of(one)}" for one in self.objects.values())
            trouble = f" ({self.trouble})" if self.trouble else ""
            raise ClusterFailed(f"not within {seconds:g} s: {what}; {self.kind}: {told or 'none'}{trouble}") from None
        return time.time()

    async def take(self, event: Event) -> None:
        """Keep an event, and wake who waits."""
        self.events.append(event)
        uid = event.object["metadata"]["uid"]
        if event.what == "DELETED":
            self.objects.pop(uid, None)
        else:
            self.objects[uid] = event.object
        async with self._changed:
            self._changed.notify_all()

    async def reconcile(self, there: Iterable[Object]) -> None:
        """Take what has changed unseen, from a list of all that is there."""
        now = {one["metadata"]["uid"]: one for one in there}
        for uid in self.objects.keys() - now.keys():
            await self.take(Event(time.time(), "DELETED", self.objects[uid]))
        for uid, one in now.items():
            if (before := self.objects.get(uid)) is None:
                await self.take(Event(time.time(), "ADDED", one))
            elif before["metadata"]["resourceVersion"] != one["metadata"]["resourceVersion"]:
                await self.take(Event(time.time(), "MODIFIED", one))


def told_of(one: Object) -> str:
    """An object's state in some words: its phase, or the conditions that hold."""
    status = one.get("status", {})
    holding = [condition["type"] for condition in status.get("conditions", ()) if condition["status"] == "True"]
    leaving = ["leaving"] if one["metadata"].get("deletionTimestamp") else []
    return "+".join([*filter(None, [status.get("phase")]), *holding, *leaving]) or "?"


@asynccontextmanager
async def watch(
    plane: ControlPlane, kind: str, *, namespace: str = "", selector: str = "", fields: str = ""
) -> AsyncIterator[Watch]:
    """Watch objects of a kind for as long as the context lasts.

    Args:
        plane: the cluster's.
        kind: one of `pods`, `events`, `deployments`, `nodeclaims`.
        namespace: all of them if it is empty.
        selector: of labels: `app=y`.
        fields: selector of fields: `reason=Started`.
    """
    below = f"/namespaces/{namespace}" if namespace else ""
    chosen = {"labelSelector": selector, "fieldSelector": fields}
    seen = Watch(kind)
    watching = asyncio.create_task(_watch(plane, f"{_APIS[kind]}{below}/{kind}", chosen, seen))
    try:
        yield seen
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def _watch(plane: ControlPlane, path: str, chosen: Mapping[str, str], seen: Watch) -> None:
    """List, and watch from there on, time and again: a watch ends after some time, and when its kind changes.

    Nothing is missed between ("Efficient detection of changes" in Kubernetes' API concepts).
    """
    while True:
        try:
            listed = json.loads(await plane.kubectl("get", "--raw", _url(path, chosen)))
            seen.trouble = ""
            await seen.reconcile(listed["items"])
            version = listed["metadata"]["resourceVersion"]
            await _follow(plane, _url(path, {**chosen, "watch": "true", "resourceVersion": version}), seen)
        except (ClusterFailed, OSError, ValueError) as failure:
            seen.trouble = str(failure)
        await asyncio.sleep(_AGAIN_SECONDS)


async def _follow(plane: ControlPlane, url: str, seen: Watch) -> None:
    process = await asyncio.create_subprocess_exec(
        *tethered(program("kubectl"), f"--kubeconfig={plane.kubeconfig}", "get", "--raw", url),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        await _read(process, seen)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def _url(path: str, parameters: Mapping[str, str]) -> str:
    return f"{path}?{urllib.parse.urlencode({name: value for name, value in parameters.items() if value})}"


async def _read(process: asyncio.subprocess.Process, seen: Watch) -> None:
    assert process.stdout is not None
    decode, rest = codecs.getincrementaldecoder("utf-8")().decode, ""
    while chunk := await process.stdout.read(1 << 20):
        values, rest = _values(rest + decode(chunk))
        for value in values:
            if value["type"] == "ERROR":  # most often, where it began is too old to go on from
                raise ClusterFailed(f"the watch ended: {value['object'].get('message')}")
            await seen.take(Event(time.time(), value["type"], value["object"]))


def _values(text: str) -> tuple[list[Any], str]:
    """The JSON values that a text begins with, and what is left: a value that has not ended yet."""
    found = list(_decoded(text))
    return [value for value, _ in found], text[found[-1][1] :] if found else text


def _decoded(text: str) -> Iterator[tuple[Any, int]]:
    decoder, at = json.JSONDecoder(), 0
    with contextlib.suppress(json.JSONDecodeError):
        while True:
            start = at + len(text[at:]) - len(text[at:].lstrip())
            value, at = decoder.raw_decode(text, start)
            yield value, at
