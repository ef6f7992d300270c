"""Plays the controllers of a cluster that has an API server alone: pods are ready, or succeed; volumes may go.

What `closed` holds is left as it is: then Helm waits, as it does where a pod does not start.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.charts.released.kube_api import KubeApi, Rejected

_PATCH = "application/merge-patch+json"


class Controllers:
    """Watches a cluster and does what its controllers would."""

    def __init__(self, api: KubeApi) -> None:
        self._api = api
        self._ended = False
        self.open = threading.Event()
        self.open.set()
        self.waiting = threading.Event()
        """A deployment is there that is not made ready."""

    def watch(self, path: str, act: Callable[[dict[str, Any]], None]) -> None:
        """Act on everything that is or comes there, until the end."""
        while not self._ended:
            try:
                for thing in self._api.watched(path):
                    act(thing)
            except (httpx.HTTPError, OSError, RuntimeError):
                continue  # the connection was closed; by us at the end, which httpx calls a RuntimeError

    def end(self) -> None:
        """Watch no more."""
        self._ended = True

    def deployment(self, thing: dict[str, Any]) -> None:
        """Say that all its pods are ready."""
        wanted, meta = thing["spec"].get("replicas", 1), thing["metadata"]
        if thing.get("status", {}).get("observedGeneration") == meta["generation"]:
            return
        if not self.open.is_set():
            self.waiting.set()
            self.open.wait()
        counts = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), wanted)
        ready = [
            {"type": "Available", "status": "True"},
            {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"},
        ]
        self._patch(
            "apps/v1", "deployments", meta, {**counts, "observedGeneration": meta["generation"], "conditions": ready}
        )

    def pod(self, thing: dict[str, Any]) -> None:
        """Say that it has ended well."""
        if thing.get("status", {}).get("phase") != "Succeeded":
            self._patch("v1", "pods", thing["metadata"], {"phase": "Succeeded"})

    def volume(self, thing: dict[str, Any]) -> None:
        """Let it go: a volume is protected until a controller has seen that no pod uses it."""
        meta = thing["metadata"]
        if "deletionTimestamp" in meta and meta.get("finalizers"):
            self._call(self._api.path_of(thing), {"metadata": {"finalizers": None}})

    def _patch(self, group: str, kind: str, meta: dict[str, Any], status: dict[str, Any]) -> None:
        root = f"/apis/{group}" if "/" in group else f"/api/{group}"
        self._call(f"{root}/namespaces/{meta['namespace']}/{kind}/{meta['name']}/status", {"status": status})

    def _call(self, path: str, patch: dict[str, Any]) -> None:
        try:
            self._api.call("PATCH", path, patch, _PATCH)
        except Rejected:
            return  # it is gone


@contextmanager
def controllers(kubeconfig: Path) -> Iterator[Controllers]:
    """Run them for as long as the context lasts."""
    api = KubeApi(kubeconfig)
    running = Controllers(api)
    watches = (
        ("/apis/apps/v1/deployments", running.deployment),
        ("/api/v1/pods", running.pod),
        ("/api/v1/persistentvolumes", running.volume),
        ("/api/v1/persistentvolumeclaims", running.volume),
    )
    threads = [threading.Thread(target=running.watch, args=one, daemon=True) for one in watches]
    for thread in threads:
        thread.start()
    try:
        yield running
    finally:
        running.end()
        running.open.set()
        api.close()
